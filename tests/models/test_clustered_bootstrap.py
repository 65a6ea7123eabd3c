"""Intervals clustered by retailer hold the truth as often as they say, where those of single rows do not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from models.clustered_bootstrap import METRICS, PROFIT, resample_scores

FloatArray = npt.NDArray[np.float64]

N_RETAILERS, ORIGINS = 80, 8
N_ROWS = N_RETAILERS * ORIGINS


def simulated(seed: int) -> tuple[npt.NDArray[np.bool_], FloatArray, npt.NDArray[np.intp]]:
    """Outcomes, probabilities and retailers: a retailer's outcome and probability are the same at all origins but for a tenth of them."""
    random = np.random.default_rng(seed)
    own = random.beta(1, 3, N_RETAILERS)
    stops = random.random(N_RETAILERS) < own
    retailers = np.repeat(np.arange(N_RETAILERS), ORIGINS)
    again = random.random(N_ROWS) < own[retailers]
    return np.where(random.random(N_ROWS) < 0.1, again, stops[retailers]), own[retailers], retailers


def true_brier_loss() -> float:
    """E[p(1 − p)] of Beta(1, 3), the loss of true probabilities: 1·3 ÷ ((1 + 3)·(1 + 3 + 1))."""
    return 3 / (4 * 5)


def test_the_interval_holds_the_truth_as_often_as_it_says_and_one_of_single_rows_does_not() -> None:
    clustered: list[bool] = []
    single: list[bool] = []
    for seed in range(60):
        outcomes, p, retailers = simulated(seed)
        for found, units in ((clustered, retailers), (single, np.arange(N_ROWS))):
            interval = resample_scores(outcomes, {"true": p}, units, resamples=100, level=0.9, seed=seed).interval("true", "brier_loss")
            found.append(interval.low <= true_brier_loss() <= interval.high)
    assert 0.8 <= np.mean(clustered) <= 0.98
    assert np.mean(single) < 0.7


def test_a_difference_on_the_same_resamples_is_surer_than_its_parts() -> None:
    outcomes, p, retailers = simulated(1)
    worse = np.clip(p + 0.05, 0, 1)
    scores = resample_scores(outcomes, {"true": p, "worse": worse}, retailers)
    difference, part = scores.difference("true", "worse", "brier_loss"), scores.interval("true", "brier_loss")
    assert difference.high - difference.low < 0.5 * (part.high - part.low)


def test_a_forecast_differs_from_itself_by_nothing() -> None:
    outcomes, p, retailers = simulated(2)
    scores = resample_scores(outcomes, {"one": p, "same": p.copy()}, retailers, resamples=20)
    for metric in METRICS:
        difference = scores.difference("one", "same", metric)
        assert (difference.estimate, difference.low, difference.high) == (0, 0, 0)
        assert not difference.excludes_zero


def test_the_order_of_the_rows_does_not_matter() -> None:
    outcomes, p, retailers = simulated(3)
    # Retailers are drawn by where they come first, so that order is kept and the rows within are not.
    order = np.lexsort((np.random.default_rng(1).random(N_ROWS), retailers))
    one = resample_scores(outcomes, {"true": p}, retailers, resamples=30).table()
    other = resample_scores(outcomes[order], {"true": p[order]}, retailers[order], resamples=30).table()
    assert one[["estimate", "low", "high"]].to_numpy() == pytest.approx(other[["estimate", "low", "high"]].to_numpy())


def test_the_same_seed_draws_the_same_retailers_however_many_fit_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes, p, retailers = simulated(4)
    whole = resample_scores(outcomes, {"true": p}, retailers, resamples=31).resampled["true", PROFIT]
    monkeypatch.setattr("models.clustered_bootstrap.BLOCK_CELLS", 7 * N_ROWS)
    assert resample_scores(outcomes, {"true": p}, retailers, resamples=31).resampled["true", PROFIT] == pytest.approx(whole)
