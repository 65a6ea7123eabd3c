"""Churn of groups: expected, observed, and in money."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from contracts.customers import CHURN_GROUP
from models.churn_groups import churn_groups, group_dispersion
from models.share_intervals import expected_share_interval, wilson_interval


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    p_26w = rng.beta(0.5, 8.0, 200)
    return pd.DataFrame(
        {
            "retailer_id": [f"R{number:03d}" for number in range(200)],
            "p_churn_13w": p_26w + 0.3 * (1 - p_26w) * p_26w,
            "p_churn_26w": p_26w,
            "weekly_margin": rng.lognormal(3.0, 1.0, 200),
        }
    )


@pytest.fixture(scope="module")
def groups(scores: pd.DataFrame) -> pd.DataFrame:
    number = np.arange(len(scores))
    return scores[["retailer_id"]].assign(
        district=[f"D{n % 5}" for n in number], tier=pd.Series([None if n % 10 == 0 else f"T{n % 3}" for n in number], dtype="str")
    )


@pytest.fixture(scope="module")
def outcomes() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "retailer_id": [f"R{number:03d}" for number in range(150)],
            "no_order": [n % 25 == 0 for n in range(150)],
            "p_churn_13w": [math.nan if n < 5 else 0.04 for n in range(150)],
        }
    )


@pytest.fixture(scope="module")
def rows(scores: pd.DataFrame, groups: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    return churn_groups(scores, groups, outcomes, groups)


def test_the_columns_are_those_of_the_contract(rows: pd.DataFrame) -> None:
    assert ["as_of", *rows.columns, "run_id"] == list(CHURN_GROUP.column_names)


def test_every_grouping_adds_up_to_everybody(rows: pd.DataFrame, scores: pd.DataFrame, outcomes: pd.DataFrame) -> None:
    sums = rows.groupby("grouping")[["retailers", "expected_churners_13w", "observed_retailers", "margin_26w", "retention_worth"]].sum()
    assert list(sums.index) == ["district", "tier"]
    assert (sums.retailers == 200).all()
    assert (sums.observed_retailers == len(outcomes)).all()
    assert sums.expected_churners_13w.tolist() == pytest.approx([scores.p_churn_13w.sum()] * 2)
    assert sums.margin_26w.tolist() == pytest.approx([26 * scores.weekly_margin.sum()] * 2)
    assert sums.retention_worth.tolist() == pytest.approx([26 * (scores.p_churn_26w * scores.weekly_margin).sum()] * 2)


def test_a_group_is_described_by_its_own_retailers(rows: pd.DataFrame, scores: pd.DataFrame, outcomes: pd.DataFrame) -> None:
    row = rows[(rows.grouping == "district") & (rows.group_name == "D0")].iloc[0]
    members = scores.iloc[::5]
    assert row.rate_13w == pytest.approx(members.p_churn_13w.mean())
    dispersion = group_dispersion([outcomes.iloc[start::5] for start in range(5)])
    assert dispersion > 1.0
    interval = expected_share_interval(members.p_churn_13w, dispersion=dispersion)
    assert (row.rate_13w_low, row.rate_13w_high) == pytest.approx(interval)
    assert (row.observed_retailers, row.observed_rate_13w) == (30, pytest.approx(6 / 30))
    assert (row.observed_rate_13w_low, row.observed_rate_13w_high) == pytest.approx(wilson_interval(6, 30))


def test_a_point_of_churn_costs_a_hundredth_of_the_margin(rows: pd.DataFrame) -> None:
    assert rows.cost_of_point.tolist() == pytest.approx((rows.margin_26w / 100).tolist())


def test_retailers_without_a_group_are_one(rows: pd.DataFrame) -> None:
    names = rows[rows.grouping == "tier"].group_name.tolist()
    assert names == ["", "T0", "T1", "T2"]
    assert rows[(rows.grouping == "tier") & (rows.group_name == "")].retailers.tolist() == [20]


def test_nothing_is_observed_of_a_grouping_that_was_not_known_then(
    scores: pd.DataFrame, groups: pd.DataFrame, outcomes: pd.DataFrame
) -> None:
    rows = churn_groups(scores, groups, outcomes, groups[["retailer_id", "tier"]]).set_index("grouping")
    assert (rows.loc["district"].observed_retailers == 0).all()
    assert rows.loc["district"].observed_rate_13w.isna().all()
    assert rows.loc["tier"].observed_retailers.sum() == len(outcomes)


def test_unknown_margins_are_left_out_and_no_known_one_is_unknown(scores: pd.DataFrame, outcomes: pd.DataFrame) -> None:
    some = scores.assign(weekly_margin=[10.0, *[math.nan] * 199])
    groups = scores[["retailer_id"]].assign(area=["town", *["country"] * 199])
    rows = churn_groups(some, groups, outcomes, groups).set_index("group_name")
    assert rows.loc["town", "margin_26w"] == 260
    assert rows.loc["country", ["margin_26w", "cost_of_point", "retention_worth"]].isna().all()


def test_row_order_does_not_matter_and_frames_stay_as_they_are(
    scores: pd.DataFrame, groups: pd.DataFrame, outcomes: pd.DataFrame, rows: pd.DataFrame
) -> None:
    before = [frame.copy() for frame in (scores, groups, outcomes)]
    turned = churn_groups(scores.iloc[::-1], groups.iloc[::-1], outcomes.iloc[::-1], groups)
    pd.testing.assert_frame_equal(turned, rows)
    for frame, copy in zip((scores, groups, outcomes), before, strict=True):
        pd.testing.assert_frame_equal(frame, copy)


def test_without_groupings_or_retailers_there_are_no_rows(scores: pd.DataFrame, groups: pd.DataFrame, outcomes: pd.DataFrame) -> None:
    assert churn_groups(scores, groups[["retailer_id"]], outcomes, groups).empty
    assert churn_groups(scores.head(0), groups.head(0), outcomes, groups).empty


def drawn_groups(seed: int, groups: int, spread: float) -> list[pd.DataFrame]:
    """Groups of 200 retailers with a chance of 10 % each, times a gamma factor of the group with so large a standard deviation."""
    rng = np.random.default_rng(seed)
    factors = rng.gamma(1.0 / spread**2, spread**2, groups) if spread else np.ones(groups)
    return [pd.DataFrame({"no_order": rng.random(200) < 0.1 * factor, "p_churn_13w": 0.1}) for factor in factors]


def test_groups_that_share_their_fate_are_told_from_independent_retailers() -> None:
    independent = [group_dispersion(drawn_groups(seed, 40, 0.0)) for seed in range(8)]
    # a variance of (0.1 * 200 * 0.3)^2 = 36 between groups beside 200 * 0.1 * 0.9 = 18 within
    shared = [group_dispersion(drawn_groups(seed, 40, 0.3)) for seed in range(8)]
    assert np.mean(independent) < 1.2
    assert np.mean(shared) == pytest.approx((3.0 * 39 + 10) / 49, rel=0.2)


def test_what_is_off_everywhere_alike_is_no_dispersion() -> None:
    off = [group.assign(p_churn_13w=0.05) for group in drawn_groups(1, 40, 0.0)]
    assert group_dispersion(off) < 2.0


def test_without_scores_of_then_retailers_count_as_independent() -> None:
    assert group_dispersion([group.assign(p_churn_13w=math.nan) for group in drawn_groups(1, 40, 1.0)]) == 1.0
    assert group_dispersion(drawn_groups(1, 1, 1.0)) == 1.0
