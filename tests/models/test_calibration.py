"""Calibration keeps the order and finds a distortion that is known."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from models.calibration import LEAST_SLOPE, PlattCalibration, fit_platt, log_odds

probabilities = st.floats(0, 1)


@given(probabilities, probabilities, st.floats(LEAST_SLOPE, 5), st.floats(-5, 5))
def test_the_order_of_probabilities_is_kept(first: float, second: float, slope: float, intercept: float) -> None:
    low, high = PlattCalibration(slope, intercept).apply(sorted([first, second]))
    assert 0 <= low <= high <= 1


def test_a_known_distortion_is_undone() -> None:
    random = np.random.default_rng(7)
    truth = expit(random.normal(-2, 1.2, 40_000))
    outcomes = random.random(truth.size) < truth
    distorted = expit(2 * log_odds(truth) + 1)
    fitted = fit_platt(distorted, outcomes)
    assert fitted.slope == pytest.approx(0.5, abs=0.03)
    assert fitted.intercept == pytest.approx(-0.5, abs=0.06)
    assert fitted.apply(distorted).mean() == pytest.approx(outcomes.mean(), abs=0.002)


def test_separated_outcomes_do_not_give_certainty() -> None:
    calibrated = fit_platt([0.1] * 20 + [0.9] * 20, [0] * 20 + [1] * 20).apply([0.1, 0.9])
    assert 0.001 < calibrated[0] < 0.1
    assert 0.9 < calibrated[1] < 0.999


def test_probabilities_that_point_the_wrong_way_are_flattened_not_turned() -> None:
    assert fit_platt([0.1] * 50 + [0.9] * 50, [1] * 50 + [0] * 50).slope == LEAST_SLOPE


def test_a_calibration_survives_json() -> None:
    fitted = fit_platt([0.2, 0.4, 0.6], [0, 1, 1])
    assert PlattCalibration(**json.loads(json.dumps(asdict(fitted)))) == fitted
