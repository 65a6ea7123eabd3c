"""Whether matured probabilities are told calibrated from not, with the error that chance leaves."""

from __future__ import annotations

import numpy as np
import pytest

from models.matured_churn import brier_skill, calibration_estimate, observed_over_predicted


def drawn(seed: int, times: float = 1.0, n: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.beta(1.0, 12.0, size=n)
    return (rng.uniform(size=n) < np.minimum(p * times, 1.0)).astype(float), p


def test_calibrated_probabilities_are_within_chance_and_doubled_risk_is_not() -> None:
    right, doubled = observed_over_predicted(*drawn(1)), observed_over_predicted(*drawn(1, times=2.0))
    assert right is not None
    assert doubled is not None
    assert abs(right.value - 1.0) < 3.3 * right.error < 0.4
    assert doubled.value - 1.0 > 3.3 * doubled.error


def test_the_calibration_error_of_calibrated_probabilities_is_what_chance_gives() -> None:
    found = [calibration_estimate(*drawn(seed)) for seed in range(100)]
    assert np.mean([each.value for each in found]) == pytest.approx(np.mean([each.baseline for each in found]), rel=0.1)
    assert np.std([each.value for each in found]) == pytest.approx(np.mean([each.error for each in found]), rel=0.3)


def test_probabilities_that_tell_nobody_apart_save_nothing() -> None:
    outcomes, p = drawn(3)
    useful, useless = brier_skill(outcomes, p), brier_skill(outcomes, np.full(len(p), outcomes.mean()))
    assert useful is not None
    assert useless is not None
    assert useful.value > 0
    assert useless.value == pytest.approx(0.0)
    assert brier_skill(np.zeros(10), np.full(10, 0.1)) is None
