"""A logistic regression whose curve never rises with the horizon."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from contracts.weeks import CHURN_HORIZONS
from models.horizon_logistic import HorizonLogistic, fit_horizon_logistic


def test_at_thirteen_weeks_it_is_the_plain_regression_with_the_same_penalty() -> None:
    random = np.random.default_rng(1)
    columns = random.normal(size=(3000, 3))
    outcomes = random.random(3000) < expit(columns @ [1.0, -0.5, 0.0] - 1)
    fitted = fit_horizon_logistic(columns, np.arange(3000), np.full(3000, 13), outcomes, penalty=5.0)
    plain = LogisticRegression(C=1 / 5.0, tol=1e-8).fit(columns, outcomes)
    assert fitted.level == pytest.approx([plain.intercept_[0], *plain.coef_[0]], abs=2e-3)


def test_the_curve_that_made_the_outcomes_is_found() -> None:
    random = np.random.default_rng(2)
    columns, places = random.normal(size=(15_000, 1)), np.repeat(np.arange(15_000), 4)
    horizons = np.tile(CHURN_HORIZONS, 15_000)
    truth = HorizonLogistic((-0.5, 1.0), (-1.2, 0.4))
    outcomes = random.random(60_000) < truth.predict(columns[places], horizons)
    fitted = fit_horizon_logistic(columns, places, horizons, outcomes, penalty=0.1)
    assert fitted.level == pytest.approx(truth.level, abs=0.06)
    assert fitted.slope == pytest.approx(truth.slope, abs=0.08)


def test_a_start_changes_the_steps_and_not_the_end() -> None:
    random = np.random.default_rng(3)
    columns, horizons = random.normal(size=(2000, 2)), random.choice(CHURN_HORIZONS, 2000)
    outcomes = random.random(2000) < expit(columns[:, 0])
    places = np.arange(2000)
    cold = fit_horizon_logistic(columns, places, horizons, outcomes, 1.0)
    warm = fit_horizon_logistic(columns, places, horizons, outcomes, 1.0, HorizonLogistic((1.0, -1.0, 2.0), (0.0, 1.0, 1.0)))
    assert warm.level == pytest.approx(cold.level, abs=2e-3)


@given(st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_no_curve_rises_with_the_horizon(seed: int) -> None:
    random = np.random.default_rng(seed)
    curve = HorizonLogistic(tuple(random.normal(0, 3, 4)), tuple(random.normal(0, 3, 4)))
    columns = random.normal(0, 5, (200, 3))
    p = np.column_stack([curve.predict(columns, weeks) for weeks in CHURN_HORIZONS])
    assert (np.diff(p, axis=1) <= 0).all()
