"""The four degrees: each part counted by hand, and the laws all of them keep."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.degrees import contribution, fill_rate, loyalty, our_dependence, satisfaction, weighted_complaints

SHOP: dict[str, float | None] = {
    "complaints_52w": 0.0,
    "rated_complaints_52w": 0.0,
    "severity_52w": None,
    "days_to_resolve_52w": None,
    "returns_52w": 0.0,
    "limited_52w": 5.0,
    "delivered_value_26w": 100.0,
    "true_value_26w": 100.0,
    "mean_gap_weeks": 1.0,
    "gap_spread_weeks": 0.0,
    "longest_gap_weeks": 1.0,
    "recency_weeks": 0.0,
    "tenure_weeks": 103.0,
    "skus_before": 10.0,
    "skus_kept": 10.0,
}


def shops(*changes: dict[str, float | None]) -> pd.DataFrame:
    """One retailer without a flaw per dictionary, changed as it says."""
    return pd.DataFrame([SHOP | change for change in changes]).astype("float64")


def test_who_gets_all_it_wants_and_never_complains_is_fully_satisfied() -> None:
    assert satisfaction(shops({})).tolist() == [100.0]


def test_each_part_of_satisfaction_takes_its_weight() -> None:
    degrees = satisfaction(
        shops(
            {"complaints_52w": 2, "days_to_resolve_52w": 0},
            {"complaints_52w": 2, "days_to_resolve_52w": 14},
            {"delivered_value_26w": 60},
            {"returns_52w": 2},
        )
    )
    without_time = 0.35 + 0.35 + 0.15
    expected = [100 - 17.5, 100 - 17.5 - 7.5, 100 * (1 - 0.35 * 0.4 / without_time), 100 * (1 - 0.15 * 0.5 / without_time)]
    assert degrees.tolist() == pytest.approx(expected)


def test_a_severe_complaint_counts_twice_an_ordinary_one_and_one_without_severity_once() -> None:
    rows = shops({"complaints_52w": 1, "rated_complaints_52w": 1, "severity_52w": 100}, {"complaints_52w": 3})
    assert weighted_complaints(rows).tolist() == [2.0, 3.0]


def test_nothing_is_known_of_satisfaction_where_no_contact_and_no_limit_is_recorded() -> None:
    assert np.isnan(satisfaction(shops({"complaints_52w": None, "returns_52w": None, "limited_52w": 0}))).all()


def test_where_contacts_are_recorded_a_retailer_without_any_did_not_complain() -> None:
    assert satisfaction(shops({}, {"complaints_52w": None, "returns_52w": None})).tolist() == [100.0, 100.0]


def test_a_floor_that_pushes_more_than_was_wanted_fills_no_more_than_all() -> None:
    assert fill_rate(shops({"true_value_26w": 50.0}, {"true_value_26w": 0.0})).tolist() == pytest.approx([1.0, np.nan], nan_ok=True)


def test_a_steady_old_customer_that_kept_its_range_is_fully_loyal() -> None:
    assert loyalty(shops({})).tolist() == [100.0]


def test_each_part_of_loyalty_takes_its_weight() -> None:
    degrees = loyalty(shops({"gap_spread_weeks": 1.0}, {"tenure_weeks": 51.0}, {"skus_kept": 5}, {"recency_weeks": 3.0}))
    assert degrees.tolist() == pytest.approx([80.0, 90.0, 80.0, 70.0])


def test_a_newcomer_without_a_rhythm_is_judged_by_its_tenure() -> None:
    newcomer: dict[str, float | None] = {
        "mean_gap_weeks": None,
        "gap_spread_weeks": None,
        "longest_gap_weeks": None,
        "skus_before": 0,
        "tenure_weeks": 25,
    }
    assert loyalty(shops(newcomer)).tolist() == [25.0]


@given(margins=st.lists(st.floats(-1e4, 1e6), min_size=1, max_size=40), seed=st.integers(0, 99))
def test_contribution_and_dependence_lie_between_0_and_100_whatever_the_order(margins: list[float], seed: int) -> None:
    money = np.array(margins)
    order = np.random.default_rng(seed).permutation(len(money))
    shares = np.maximum(money, 0) / max(np.maximum(money, 0).sum(), 1.0)
    for degree in (contribution(money), our_dependence(shares)):
        assert ((degree >= 0) & (degree <= 100)).all()
    assert contribution(money[order]).tolist() == contribution(money)[order].tolist()


numbers = st.floats(0, 60)


@given(numbers, numbers, numbers, numbers, numbers, st.floats(0, 1), st.floats(0, 1))
def test_satisfaction_and_loyalty_lie_between_0_and_100(
    complaints: float, days: float, returns: float, spread: float, silence: float, filled: float, kept: float
) -> None:
    rows = shops(
        {
            "complaints_52w": complaints,
            "days_to_resolve_52w": days,
            "returns_52w": returns,
            "gap_spread_weeks": spread,
            "recency_weeks": silence,
            "delivered_value_26w": 100 * filled,
            "skus_kept": 10 * kept,
        }
    )
    for degree in (satisfaction(rows)[0], loyalty(rows)[0]):
        assert 0 <= degree <= 100
