"""Weighted figures are those of rows that are there as often as they weigh."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.classification import (
    auc_score,
    average_precision_score,
    brier_loss,
    brier_skill_score,
    calibration_loss,
    top_decile_lift_score,
)
from models.weighted_scores import RankedForecast

PLAIN = {
    "auc_score": auc_score,
    "average_precision_score": average_precision_score,
    "top_decile_lift_score": top_decile_lift_score,
    "brier_loss": brier_loss,
    "brier_skill_score": brier_skill_score,
}


@given(st.integers(0, 10_000), st.sampled_from([1, 2, 8]))
@settings(max_examples=40, deadline=None)
def test_a_weight_is_a_number_of_rows(seed: int, decimals: int) -> None:
    random = np.random.default_rng(seed)
    p = np.round(random.random(60), decimals)
    outcomes = random.random(60) < p
    outcomes[:2], weights = (True, False), random.integers(0, 4, 60).astype(np.float64)
    weights[:2] = 1
    rows = np.repeat(np.arange(60), weights.astype(int))
    weighted = RankedForecast.of(outcomes, p).scores(weights[None, :])
    for name, score in PLAIN.items():
        assert weighted[name][0] == pytest.approx(score(outcomes[rows], p[rows]), abs=1e-9), name
    risky = rows[p[rows] >= 0.1]
    if outcomes[risky].any():
        assert weighted["at_risk_ratio"][0] == pytest.approx(p[risky].mean() / outcomes[risky].mean())


def test_without_weights_the_calibration_loss_is_the_plain_one() -> None:
    random = np.random.default_rng(4)
    p = random.random(1003)
    outcomes = random.random(1003) < p**2
    weighted = RankedForecast.of(outcomes, p).scores(np.ones((1, 1003)))
    assert weighted["calibration_loss"][0] == pytest.approx(calibration_loss(outcomes, p))


def test_a_set_of_weights_without_a_yes_has_no_ranking_figures() -> None:
    figures = RankedForecast.of([1, 0, 0], [0.5, 0.2, 0.1]).scores(np.array([[0.0, 1.0, 1.0]]))
    assert np.isnan(figures["auc_score"][0])
    assert figures["brier_loss"][0] == pytest.approx((0.04 + 0.01) / 2)
