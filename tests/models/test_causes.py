"""Causes that a retailer shows more of than its peers, and the laws they keep."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from models.causes import WORST_SHARE, worse_shares


def test_severe_and_slow_complaints_weigh_more() -> None:
    shops = pd.DataFrame(
        {"complaints_26w": [1.0, 1, 1, 0], "complaint_severity_26w": [95.0, 30, 30, np.nan], "slow_complaints_26w": [0.0, 1, 0, 0]}
    )
    assert worse_shares(shops)["complaints"].tolist() == [0.25, 0.5, 0.75, 1]


def test_rationing_is_unserved_demand_and_caps_met_together() -> None:
    shops = pd.DataFrame(
        {"unmet_share_26w": [0.4, 0.3, 0.1, 0.0], "unmet_share_13w": [0.4, 0.3, 0.1, 0.0], "cap_hit_rate_26w": [0.9, 0.5, 0.6, 0.0]}
    )
    assert worse_shares(shops)["rationing"].tolist() == [0.25, 0.75, 0.75, 1]


def test_who_does_not_fall_behind_everybody_is_in_no_long_decline() -> None:
    shops = pd.DataFrame(
        {"true_units_trend_26w_vs_all": [0.5, 0.9, 1.2, np.nan], "true_units_trend_year_vs_all": [np.nan, 0.9, 1.3, np.nan]}
    )
    assert worse_shares(shops)["long decline"].tolist() == [0.25, 0.5, 1, 1]


def test_a_competitor_is_news_for_half_a_year_however_many_live_near() -> None:
    shares = worse_shares(pd.DataFrame({"weeks_since_competitor": [3.0, 3, 20, 40, np.nan]}))["competitor"]
    assert (shares <= WORST_SHARE).tolist() == [True, True, True, False, False]


def test_without_any_figure_no_cause_is_raised() -> None:
    assert (worse_shares(pd.DataFrame({"recency_weeks": [1.0, 2.0]})) == 1).all(axis=None)


columns = st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=1, max_size=12)


@settings(max_examples=50, deadline=None)
@given(complaints=columns, seed=st.integers(0, 99))
def test_the_order_of_retailers_does_not_matter_and_at_most_the_worst_fifth_is_raised(complaints: list[int | None], seed: int) -> None:
    shops = pd.DataFrame({"complaints_26w": pd.array(complaints, dtype="float64")})
    shops["true_units_trend_26w_vs_all"] = shops["complaints_26w"] / 5
    shuffled = shops.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(worse_shares(shuffled).sort_index(), worse_shares(shops))
    assert ((worse_shares(shops) <= WORST_SHARE).mean() <= WORST_SHARE).all()
