"""Totals of eight weeks: how often their interval holds on simulated pairs whose level is uncertain."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.totals import TotalQuantiles, fit_totals

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


def simulated(n: int, seed: int, *, fastest: float = 8.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Expected orders of eight weeks, mean total, and total: packs of six, at a level that is off by a third."""
    rng = np.random.default_rng(seed)
    expected = rng.uniform(0.2, fastest, n)
    return expected, 6 * expected, 6.0 * rng.poisson(expected * rng.gamma(9, 1 / 9, n))


def test_four_in_five_totals_lie_within_the_interval_whether_orders_are_rare_or_not() -> None:
    totals = fit_totals(*simulated(20_000, 1))
    expected, mean, units = simulated(20_000, 2)
    low, high = totals.interval(expected, mean)
    within = (units >= low) & (units <= high)
    for slowest, fastest in ((0.2, 1.0), (1.0, 3.0), (3.0, 8.0)):
        assert 0.78 < within[(expected > slowest) & (expected < fastest)].mean() < 0.87
    assert (low[expected < 2] == 0).all()


def among_frequent(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As ``simulated``, most pairs with less than one order in eight weeks and the others with most of the orders."""
    rng = np.random.default_rng(seed)
    expected = np.concatenate([rng.uniform(0.02, 1.0, n), rng.uniform(4.0, 8.0, n // 2)])
    return expected, 6 * expected, 6.0 * rng.poisson(expected * rng.gamma(9, 1 / 9, expected.size))


def test_rare_pairs_are_told_apart_though_frequent_ones_have_most_orders() -> None:
    totals = fit_totals(*among_frequent(20_000, 21))
    expected, mean, units = among_frequent(20_000, 22)
    low, high = totals.interval(expected, mean)
    within = (units >= low) & (units <= high)
    for least, most in ((0.3, 0.4), (0.4, 0.6), (0.6, 0.8)):
        assert 0.75 < within[(expected > least) & (expected < most)].mean() < 0.85


def test_no_bin_is_left_to_a_few_though_many_pairs_expect_the_same() -> None:
    rng = np.random.default_rng(5)
    alike, beyond = np.full(4_000, 4.2), np.array([4.8, 4.9])
    expected = np.concatenate([alike, beyond])
    totals = fit_totals(expected, 6 * expected, 6 * rng.poisson(expected).astype(float))
    assert totals.edges.size == 0
    lower = fit_totals(np.concatenate([np.full(1_000, 1.5), expected]), np.ones(5_002), np.ones(5_002))
    assert lower.edges.tolist() == [1.5]


def test_quantiles_hold_as_often_as_they_say() -> None:
    totals = fit_totals(*simulated(20_000, 3))
    expected, mean, units = simulated(20_000, 4)
    for position, level in enumerate(LEVELS):
        quantile = totals.predict(expected, mean, LEVELS)[:, position]
        assert (units < quantile - 1e-9).mean() <= level + 0.02
        assert (units <= quantile + 1e-9).mean() >= level - 0.02


def test_totals_are_surer_than_weeks_and_less_sure_than_chance_alone() -> None:
    expected, mean, units = simulated(20_000, 5)
    totals = fit_totals(expected, mean, units)
    [[low, high]] = totals.predict(np.array([7.5]), np.array([45.0]), [0.1, 0.9])
    one_week = np.quantile(6 * np.random.default_rng(6).poisson(7.5 / 8, 10_000), 0.9)
    chance_alone = np.quantile(6 * np.random.default_rng(7).poisson(7.5, 10_000), [0.1, 0.9])
    assert np.diff(chance_alone)[0] < high - low < 8 * one_week


def test_totals_survive_json() -> None:
    totals = fit_totals(*simulated(3_000, 11))
    read = TotalQuantiles.from_json(json.loads(json.dumps(totals.to_json())))
    expected, mean, _ = simulated(100, 12)
    np.testing.assert_array_equal(read.predict(expected, mean, LEVELS), totals.predict(expected, mean, LEVELS))


@pytest.mark.parametrize("expected", [[0.5], [0.5, 0.5, 0.5], [1e-9, 400.0, 400.0, 400.0]])
def test_a_handful_of_pairs_makes_a_law(expected: list[float]) -> None:
    n = len(expected)
    totals = fit_totals(np.array(expected), np.ones(n), 6.0 * np.arange(n, dtype=np.float64))
    assert np.isfinite(totals.predict(np.array([0.0, 1e6]), np.ones(2), LEVELS)).all()


def test_pairs_of_which_nothing_is_expected_leave_the_law_of_the_others() -> None:
    expected, mean, units = simulated(2_000, 8)
    without, units[:1000] = np.where(np.arange(2_000) < 1000, 0.0, mean), 6.0
    totals = fit_totals(expected, without, units)
    assert totals.predict(expected, without, LEVELS).max() < 10 * mean.max()


FITTED = fit_totals(*simulated(5_000, 13))


@settings(max_examples=100, deadline=None)
@given(expected=st.floats(0, 8), mean=st.floats(0, 1e6), levels=st.lists(st.floats(0.001, 0.999), min_size=2, max_size=9))
def test_quantiles_never_cross_and_are_never_negative(expected: float, mean: float, levels: list[float]) -> None:
    [quantiles] = FITTED.predict(np.array([expected]), np.array([mean]), sorted(levels))
    [low], [high] = FITTED.interval(np.array([expected]), np.array([mean]))
    assert (quantiles >= 0).all()
    assert (np.diff(quantiles) >= 0).all()
    assert 0 <= low <= high
