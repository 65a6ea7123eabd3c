"""Metrics of yes-or-no outcomes against plain twins and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from models.classification import (
    auc_score,
    average_precision_score,
    brier_loss,
    brier_skill_score,
    calibration_loss,
    top_decile_lift_score,
)

# Few distinct scores, so that ties are common.
scored_outcomes = st.lists(st.tuples(st.booleans(), st.integers(0, 10).map(lambda tenths: tenths / 10)), min_size=2, max_size=60)


@given(scored_outcomes.filter(lambda rows: 0 < sum(yes for yes, _ in rows) < len(rows)))
def test_ranking_metrics_equal_those_of_scikit_learn(rows: list[tuple[bool, float]]) -> None:
    yes, scores = map(np.array, zip(*rows, strict=True))
    assert auc_score(yes, scores) == pytest.approx(sklearn.metrics.roc_auc_score(yes, scores))
    assert average_precision_score(yes, scores) == pytest.approx(sklearn.metrics.average_precision_score(yes, scores))
    assert brier_loss(yes, scores) == pytest.approx(sklearn.metrics.brier_score_loss(yes, scores))


@given(scored_outcomes.filter(lambda rows: any(yes for yes, _ in rows)), st.integers(0, 99))
def test_lift_does_not_depend_on_the_order_of_the_rows(rows: list[tuple[bool, float]], seed: int) -> None:
    yes, scores = map(np.array, zip(*rows, strict=True))
    order = np.random.default_rng(seed).permutation(len(yes))
    assert top_decile_lift_score(yes, scores) == pytest.approx(top_decile_lift_score(yes[order], scores[order]))


def test_lift_is_ten_where_the_top_tenth_holds_every_yes() -> None:
    yes = np.arange(100) < 10
    assert top_decile_lift_score(yes, -np.arange(100)) == 10
    assert top_decile_lift_score(yes, np.arange(100)) == 0
    assert top_decile_lift_score(yes, np.zeros(100)) == pytest.approx(1)


def test_skill_is_nought_at_the_reference_and_below_it_when_worse() -> None:
    yes = np.array([0, 0, 0, 1])
    assert brier_skill_score(yes, np.full(4, 0.25)) == 0
    assert brier_skill_score(yes, yes) == 1
    assert brier_skill_score(yes, np.full(4, 0.9)) < 0
    assert brier_skill_score(yes, np.full(4, 0.5), reference=0.5) == 0


def test_calibration_loss_is_the_mean_gap_per_bin() -> None:
    p = np.repeat([0.1, 0.6], 50)
    yes = np.concatenate([np.arange(50) < 5, np.arange(50) < 40])
    assert calibration_loss(yes, p, bins=2) == pytest.approx((0 + abs(0.6 - 0.8)) / 2)


@pytest.mark.parametrize("metric", [auc_score, average_precision_score, brier_skill_score, top_decile_lift_score])
def test_a_metric_without_any_yes_is_unknown(metric: object) -> None:
    assert callable(metric)
    assert math.isnan(metric(np.zeros(5), np.zeros(5)))


def test_metrics_without_rows_are_unknown() -> None:
    assert math.isnan(brier_loss([], []))
    assert math.isnan(calibration_loss([], []))
    assert math.isnan(brier_skill_score([], []))
