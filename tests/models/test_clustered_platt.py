"""The map that calibrates log-odds, and its covariance when rows repeat a retailer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from models.calibration_misfit import misfit_variance
from models.clustered_platt import PRIOR_SPREAD, ClusteredPlatt, fit_clustered_platt


def outcomes_of(seed: int, retailers: int, slope: float, intercept: float) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds and outcomes of retailers whose true log-odds are slope · z + intercept."""
    random = np.random.default_rng(seed)
    odds = random.normal(-2, 1.5, retailers)
    return odds, (random.random(retailers) < expit(slope * odds + intercept)).astype(float)


def test_the_map_is_found_again_where_outcomes_are_many() -> None:
    fitted = fit_clustered_platt(*outcomes_of(1, 40_000, 1.2, -0.4), np.arange(40_000))
    assert fitted.slope == pytest.approx(1.2, abs=0.05)
    assert fitted.intercept == pytest.approx(-0.4, abs=0.08)


def test_repeating_every_row_of_a_retailer_makes_the_map_no_surer() -> None:
    odds, yes = outcomes_of(2, 2_000, 1.0, 0.0)
    once = fit_clustered_platt(odds, yes, np.arange(2_000))
    often = fit_clustered_platt(np.tile(odds, 8), np.tile(yes, 8), np.tile(np.arange(2_000), 8))
    assert once.covariance is not None
    assert often.covariance is not None
    assert often.covariance[0] == pytest.approx(once.covariance[0], rel=0.15)
    assert often.slope == pytest.approx(once.slope, abs=0.02)


def test_the_standard_error_is_how_far_refits_lie_apart() -> None:
    fits = [fit_clustered_platt(*outcomes_of(seed, 1_500, 1.0, 0.0), np.arange(1_500)) for seed in range(60)]
    spread = np.std([fit.slope for fit in fits])
    claimed = np.mean([np.sqrt(fit.covariance[0]) for fit in fits if fit.covariance is not None])
    assert spread == pytest.approx(claimed, rel=0.3)


def test_without_outcomes_the_map_is_the_prior() -> None:
    fitted = fit_clustered_platt([], [], [])
    assert fitted.slope == pytest.approx(1)
    assert fitted.intercept == pytest.approx(0)
    assert fitted.covariance == pytest.approx((PRIOR_SPREAD[0] ** 2, 0, PRIOR_SPREAD[1] ** 2))


def test_the_order_of_log_odds_survives_a_map_that_would_turn_it_round() -> None:
    odds = np.linspace(-3, 3, 400)
    fitted = fit_clustered_platt(odds, odds < 0, np.arange(400))
    assert (np.diff(fitted.apply(odds)) > 0).all()


def test_an_unknown_covariance_leaves_the_variance_unknown() -> None:
    assert np.isnan(ClusteredPlatt().variance([0.0, 1.0])).all()


def test_misfit_is_seen_where_one_map_fits_no_level_of_risk() -> None:
    random = np.random.default_rng(4)
    odds = np.repeat([-2.0, 0.0], 4_000)
    off = np.where(odds < -1, 0.6, -0.6)
    yes = random.random(8_000) < expit(odds + off)
    assert misfit_variance(odds, yes, np.arange(8_000)) == pytest.approx(0.36, abs=0.1)
    fits = random.random(8_000) < expit(odds)
    assert misfit_variance(odds, fits, np.arange(8_000)) < 0.02
