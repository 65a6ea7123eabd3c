"""Segments as a whole: laws of every column, whatever the order of the rows, and changes that are told in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.customers import ABC_CLASSES, STAGES, VALUE_CLASSES
from models.lifetime_value import ValueSettings
from models.segment_reasons import change_reasons
from models.segments import PREVIOUS, Evidence, classify

VALUE = ValueSettings(horizon_weeks=156, yearly_discount_rate=0.08, cost_per_order=15.0, cost_per_visit=15.0, recent_weight=0.5)
COHORTS = pd.DataFrame(
    {
        "silent_weeks": [0, 10, 30],
        "silent_gaps": [1, 8, 20],
        "order_weeks": [26, 16, 0],
        "retailers": [900, 60, 40],
        "ordered_first": [880, 12, 1],
        "ordered_second": [860, 10, 1],
        "ordered_either": [880, 13, 1],
    }
)


def histories(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """The history of n retailers: some new, some silent, some without prices."""
    names = [f"R{number:03d}" for number in range(n)]
    money = np.round(np.exp(rng.normal(9, 1.2, n)), 2)
    money[rng.random(n) < 0.05] = np.nan
    units = np.round(rng.gamma(2.0, 100.0, (n, 4)), 1)
    silent = np.where(rng.random(n) < 0.15, rng.integers(8, 52, n), rng.integers(0, 3, n))
    before = rng.integers(0, 30, n)
    return pd.DataFrame(
        {
            "retailer_id": names,
            "recency_weeks": silent.astype(float),
            "mean_gap_weeks": np.where(rng.random(n) < 0.1, np.nan, rng.uniform(1, 4, n)),
            "gap_spread_weeks": rng.uniform(0, 2, n),
            "longest_gap_weeks": rng.uniform(1, 8, n),
            "tenure_weeks": np.minimum(silent + rng.integers(0, 140, n), 103).astype(float),
            "order_weeks_52w": rng.integers(1, 52, n),
            "order_weeks_26w": rng.integers(0, 26, n),
            "money_52w": money,
            "money_with_cost_52w": money * 0.9,
            "cost_52w": money * rng.uniform(0.6, 1.0, n),
            "money_ahead_8w": money * 0.2,
            "delivered_value_26w": money * 0.4,
            "true_value_26w": money * 0.5,
            "delivered_value_52w": money * 0.8,
            "true_value_52w": money,
            "limited_52w": rng.integers(0, 40, n),
            **dict(zip(("true_units_13w", "true_units_prev_13w", "true_units_year_ago_13w", "true_units_52w"), units.T, strict=True)),
            "skus_52w": rng.integers(1, 60, n),
            "skus_before": before,
            "skus_kept": (before * rng.random(n)).astype(int),
            "complaints_52w": rng.integers(0, 4, n).astype(float),
            "rated_complaints_52w": np.zeros(n),
            "severity_52w": np.full(n, np.nan),
            "days_to_resolve_52w": np.where(rng.random(n) < 0.5, np.nan, rng.uniform(0, 40, n)),
            "returns_52w": rng.integers(0, 3, n).astype(float),
            "visits_52w": rng.integers(0, 9, n).astype(float),
            "weeks_on_record": np.full(n, 139.0),
            "area": rng.choice(["urban", "rural"], n),
            "channel": rng.choice(["grocery", "restaurant"], n),
            "consumption_level": rng.uniform(1, 10, n),
            "tier": rng.choice(["T1", "T2", "T3"], n),
        }
    )


def market(n: int, seed: int) -> Evidence:
    """A market of n retailers, most of them classified before."""
    rng = np.random.default_rng(seed)
    history = histories(n, rng)
    names = history.retailer_id.tolist()
    active = history[history.recency_weeks < 8].retailer_id
    scores = pd.DataFrame({"retailer_id": active, "p_churn_13w": rng.uniform(0, 0.5, len(active))})
    scores = scores.assign(p_churn_26w=scores.p_churn_13w * rng.uniform(0, 1, len(active)))
    forecasts = pd.DataFrame({"retailer_id": np.repeat(names, 2), "sku_id": ["A", "B"] * n, "mean_units": rng.gamma(2.0, 10.0, 2 * n)})
    prices = pd.DataFrame({"sku_id": ["A", "B", "C"], "price": [12.0, 7.0, None], "unit_cost": [10.0, None, None]})
    known = rng.random(n) < 0.8
    previous = pd.DataFrame(
        {
            "retailer_id": np.array(names)[known],
            "stage": rng.choice(STAGES, known.sum()),
            "stage_seen": rng.choice(STAGES, known.sum()),
            "value_class_computed": rng.choice(VALUE_CLASSES, known.sum()),
            "value_class": rng.choice(VALUE_CLASSES, known.sum()),
        }
    )
    return Evidence(history, COHORTS, scores, forecasts, prices, previous, ("area", "channel", "consumption_level"))


def shuffled(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The rows in another order, numbered anew."""
    return rows.iloc[rng.permutation(len(rows))].reset_index(drop=True)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 80), seed=st.integers(0, 10_000))
def test_every_column_keeps_its_law(n: int, seed: int) -> None:
    rows = classify(market(n, seed), VALUE, 1.0)
    assert len(rows) == n
    for degree in ("loyalty", "contribution", "dependence_on_us", "our_dependence", "satisfaction"):
        known = rows[degree].dropna()
        assert known.between(0, 100).all(), degree
    for score in ("recency_score", "frequency_score", "monetary_score"):
        assert rows[score].isin([1, 2, 3, 4, 5]).all()
    assert rows.wallet_share.between(0, 1).all()
    assert rows.margin_share.sum() == pytest.approx(1.0) or (rows.margin_52w.sum() <= 0 and (rows.margin_share == 0).all())
    assert rows.stage.isin(STAGES).all()
    assert rows.value_class.isin(VALUE_CLASSES).all()
    assert rows.abc_class.isin(ABC_CLASSES).all()
    assert np.isfinite(rows.lifetime_value).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_no_rows_matters_and_nothing_given_is_changed(seed: int) -> None:
    given_rows = market(40, seed)
    copies = [frame.copy() for frame in (given_rows.history, given_rows.scores, given_rows.forecasts, given_rows.previous)]
    rows = classify(given_rows, VALUE, 1.0).set_index("retailer_id").sort_index()
    rng = np.random.default_rng(seed)
    other = Evidence(
        history=shuffled(given_rows.history, rng),
        cohorts=shuffled(COHORTS, rng),
        scores=shuffled(given_rows.scores, rng),
        forecasts=shuffled(given_rows.forecasts, rng),
        prices=shuffled(given_rows.prices, rng),
        previous=shuffled(given_rows.previous, rng),
        attributes=given_rows.attributes,
    )
    again = classify(other, VALUE, 1.0).set_index("retailer_id").sort_index()
    pd.testing.assert_frame_equal(rows, again, rtol=1e-9)
    for before, now in zip(copies, (given_rows.history, given_rows.scores, given_rows.forecasts, given_rows.previous), strict=True):
        pd.testing.assert_frame_equal(before, now)


def test_without_models_costs_and_forecasts_there_are_segments_still() -> None:
    full = market(40, 3)
    history = full.history.assign(money_with_cost_52w=np.nan, cost_52w=np.nan)
    nothing = Evidence(history, COHORTS.head(0), full.scores.head(0), full.forecasts.head(0), full.prices, full.previous.head(0), ())
    rows = classify(nothing, VALUE, 1.0)
    assert rows.margin_52w.tolist() == np.nan_to_num(history.money_52w).tolist()
    assert rows.stage_prev.isna().all()
    assert np.isfinite(rows.lifetime_value).all()


ROW: dict[str, Any] = {
    "stage": "maintenance",
    "stage_prev": "maintenance",
    "stage_seen": "maintenance",
    "value_class": "major",
    "value_class_prev": "major",
    "value_class_computed": "major",
    "lifetime_value": 12_345.6,
    "value_rank": 0.063,
    "tier": "T2",
    "suggested_tier": "T2",
    "standing_rank": 0.21,
    "override_id": None,
    "tier_overridden": False,
    "silent_weeks": 0.0,
    "silent_gaps": 1.0,
    "age_weeks": 80.0,
    "own_ratio": 0.62,
    "market_ratio": 0.98,
    "year_on_year": True,
    "p_churn_13w": 0.02,
}

REASONS = [
    ({}, None),
    (
        {"stage": "decline", "stage_seen": "decline"},
        (
            "Stage maintenance to decline: demand of 13 weeks is 62% of the same weeks a year before, that of the median retailer 98%,"
            " as at the reclassification before."
        ),
    ),
    (
        {"stage_seen": "win_back", "silent_weeks": 9.0, "silent_gaps": 4.25},
        "Stage maintenance, would be win-back if the next reclassification finds the same: no order for 9 weeks, 4.2 of its usual gaps.",
    ),
    (
        {"value_class": "key", "value_class_computed": "key", "value_rank": 0.031},
        "Value class major to key: lifetime value 12,346, 3.1% of retailers stand higher, key ends at 5%.",
    ),
    (
        {"value_class": "negative", "value_class_computed": "negative", "lifetime_value": -50.0},
        "Value class major to negative: lifetime value -50, serving it costs more than it brings.",
    ),
    (
        {"value_class": "key", "override_id": "O7"},
        "Value class key by override O7; the figures say major: lifetime value 12,346, 6.3% of retailers stand higher, major ends at 20%.",
    ),
    ({"suggested_tier": "T3"}, "Tier T3 instead of T2: 21.0% of retailers stand higher by value, contribution and loyalty."),
    ({"suggested_tier": "T3", "override_id": "O8", "tier_overridden": True}, "Tier T3 instead of T2 by override O8."),
]


@pytest.mark.parametrize(("changed", "reason"), REASONS)
def test_a_change_is_told_with_the_figures_behind_it(changed: dict[str, Any], reason: str | None) -> None:
    assert change_reasons(pd.DataFrame([ROW | changed])).tolist() == [reason]


def test_what_is_read_of_the_month_before_is_enough() -> None:
    assert set(PREVIOUS) == set(market(1, 1).previous.columns)
