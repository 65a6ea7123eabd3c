"""Margins of the year and of the weeks ahead, counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.retailer_margins import near_margins, season_ahead, weeks_trading, yearly_margins

HISTORY = pd.DataFrame(
    {
        "retailer_id": ["known", "unknown", "silent"],
        "money_52w": [1000.0, 500.0, None],
        "money_with_cost_52w": [800.0, None, None],
        "cost_52w": [600.0, None, None],
        "delivered_value_52w": [90.0, None, None],
        "true_value_52w": [100.0, None, None],
        "tenure_weeks": [103.0, 9.0, 30.0],
        "recency_weeks": [0.0, 0.0, 20.0],
        "mean_gap_weeks": [1.0, None, 13.0],
        "money_ahead_8w": [200.0, None, None],
    }
)
PRICES = pd.DataFrame({"sku_id": ["A", "B", "C"], "price": [10.0, 20.0, None], "unit_cost": [8.0, None, 1.0]})


def test_the_share_of_known_costs_stands_for_the_rest() -> None:
    assert yearly_margins(HISTORY, 1.0).tolist() == [250.0, 125.0, 0.0]


def test_where_no_cost_is_known_margin_is_the_stated_share_of_the_money() -> None:
    without = HISTORY.assign(money_with_cost_52w=np.nan, cost_52w=np.nan)
    assert yearly_margins(without, 0.1).tolist() == pytest.approx([100.0, 50.0, 0.0])


def test_the_forecast_brings_the_unit_margin_of_what_limits_let_through() -> None:
    forecasts = pd.DataFrame({"retailer_id": ["known"] * 4, "sku_id": ["A", "A", "B", "C"], "mean_units": [2.0, 3.0, 1.0, 7.0]})
    margins = near_margins(HISTORY, forecasts, PRICES, 1.0)
    assert margins[0] == pytest.approx(0.9 * (5 * 2 + 20 * 0.25))
    assert np.isnan(margins[1:]).all()


def test_weeks_are_counted_from_the_first_order_to_the_last_and_are_a_gap_at_least() -> None:
    assert weeks_trading(HISTORY).tolist() == [52.0, 10.0, 13.0]


def test_the_season_ahead_is_that_of_retailers_that_traded_all_year() -> None:
    assert season_ahead(HISTORY) == pytest.approx((200 / 8) / (1000 / 52))
    assert season_ahead(HISTORY.iloc[1:]) == 1.0
