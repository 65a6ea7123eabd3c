"""What shops with a scanner sell."""

from __future__ import annotations

import pandas as pd

from tests.demo.conftest import Written


def test_units_sold_and_on_the_shelf_add_up_to_those_delivered(small: Written) -> None:
    sales = small.rows("sell_through").groupby(["retailer_id", "sku_id"]).agg(sold=("sold_units", "sum"), left=("stock_units", "last"))
    delivered = small.delivered_weeks().groupby(["retailer_id", "sku_id"]).sum().reindex(sales.index)
    successors = small.rows("retailers")["successor_id"].dropna()
    own = ~sales.index.get_level_values(0).isin([*successors, *small.rows("retailers").dropna(subset=["successor_id"])["retailer_id"]])
    assert own.sum() > 20
    pd.testing.assert_series_equal((sales["sold"] + sales["left"])[own], delivered[own], check_names=False)


def test_only_a_sample_of_retailers_has_a_scanner(full: Written) -> None:
    share = full.rows("sell_through")["retailer_id"].nunique() / full.facts.rows["retailers"]
    assert 0.01 < share < 0.06
