"""The rule: observed rates by silence, rising with it, never rising with the horizon."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.churn_rule import EDGES, PRIOR_ROWS, fit_rule

HORIZONS = (4, 8, 13, 26)


def rows_with(*groups: tuple[float, int, int, int]) -> pd.DataFrame:
    """Groups of (recency ÷ gap, horizon, rows, silent ones)."""
    parts = [
        pd.DataFrame({"recency_gap_ratio": ratio, "horizon_weeks": horizon, "no_order": np.arange(n) < silent})
        for ratio, horizon, n, silent in groups
    ]
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(retailer_id=rows.index.astype(str))


def test_the_rate_of_a_bucket_is_the_observed_one_shrunk_to_that_of_everybody() -> None:
    rule = fit_rule(rows_with((0.0, 4, 900, 9), (3.0, 4, 100, 50)), (4,))
    overall = 59 / 1000
    expected = (50 + PRIOR_ROWS * overall) / (100 + PRIOR_ROWS)
    assert rule.predict([2.5]) == pytest.approx(expected)
    assert rule.overall == (overall,)


def test_a_retailer_without_a_rhythm_has_a_bucket_of_its_own() -> None:
    rule = fit_rule(rows_with((0.0, 4, 1000, 10), (np.nan, 4, 100, 60)), (4,))
    assert rule.predict([np.nan])[0, 0] > 0.4 > rule.predict([0.5])[0, 0]


def test_a_horizon_nobody_is_labelled_for_takes_the_rate_of_the_one_before() -> None:
    rule = fit_rule(rows_with((0.0, 4, 100, 10), (0.0, 8, 100, 5)), HORIZONS)
    p4, p8, p13, p26 = rule.predict([0.0])[0]
    assert p4 > p8 == p13 == p26


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.5, 1.5, 3.0, 9.0, np.nan]), st.sampled_from(HORIZONS), st.integers(1, 300), st.floats(0, 1)),
        min_size=1,
        max_size=15,
    )
)
def test_rates_rise_with_the_silence_and_never_with_the_horizon(groups: list[tuple[float, int, int, float]]) -> None:
    rule = fit_rule(rows_with(*((ratio, horizon, n, round(n * share)) for ratio, horizon, n, share in groups)), HORIZONS)
    rates = rule.predict([0.0, *EDGES[1:], 99.0])
    assert (np.diff(rates, axis=0) >= -1e-12).all()
    assert (np.diff(np.vstack([rates, rule.predict([np.nan])]), axis=1) <= 0).all()
    assert ((rates >= 0) & (rates <= 1)).all()
