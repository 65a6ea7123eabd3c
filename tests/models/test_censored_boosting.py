"""Boosting on capped orders of a simulated market in which the true sizes are known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from contracts.errors import TrackingError
from models.censored_boosting import CensoredBoosting, CensoredBoostingSettings, fit_censored
from models.stacking import Floats, Integers, Matrix

SETTINGS = CensoredBoostingSettings(rounds=40, leaves=7, min_rows_per_leaf=200, learning_rate=0.2, threads=1, seed=3)


@dataclass(frozen=True)
class Market:
    """Orders of two kinds of items, four in ten of them capped at random."""

    features: Matrix
    lower: Floats
    upper: Floats
    start: Floats
    classes: Integers
    sizes: Floats

    @property
    def known(self) -> tuple[Matrix, Floats, Floats, Floats, Integers]:
        return self.features, self.lower, self.upper, self.start, self.classes

    @property
    def capped(self) -> np.ndarray:
        return np.isinf(self.upper)


def market(seed: int, orders: int = 12_000) -> Market:
    rng = np.random.default_rng(seed)
    shop = rng.normal(size=orders)
    classes = rng.integers(0, 2, orders)
    alpha = np.where(classes == 0, 0.1, 0.9)
    mu = 12.0 * np.exp(0.6 * shop)
    sizes = rng.negative_binomial(1 / alpha, 1 / (1 + alpha * mu)).astype(float)
    ordered = sizes > 0
    cap = np.where(rng.random(orders) < 0.6, np.inf, rng.choice([6.0, 12.0], orders))
    lower, upper = np.minimum(sizes, cap), np.where(sizes >= cap, np.inf, sizes)
    features = np.column_stack([shop, rng.normal(size=orders)]).astype(np.float32)
    features[::10, 1] = np.nan
    start, codes = np.full(orders, 8.0), classes.astype(np.int64)
    return Market(features[ordered], lower[ordered], upper[ordered], start[ordered], codes[ordered], sizes[ordered])


@pytest.fixture(scope="module")
def learned() -> CensoredBoosting:
    return fit_censored(*market(1).known, SETTINGS)


def test_capped_orders_of_another_market_are_recovered_without_bias(learned: CensoredBoosting) -> None:
    other = market(2)
    expected = learned.expected(*other.known)
    hidden, true = expected[other.capped].sum(), other.sizes[other.capped].sum()
    assert other.lower[other.capped].sum() < 0.6 * true
    assert hidden == pytest.approx(true, rel=0.04)
    np.testing.assert_array_equal(expected[~other.capped], other.sizes[~other.capped])
    assert (expected >= other.lower).all()


def test_dispersion_is_found_for_each_class_and_an_unseen_class_has_that_of_all(learned: CensoredBoosting) -> None:
    assert learned.alpha == pytest.approx([0.1, 0.9], rel=0.15)
    assert learned.alphas(np.array([1, 7])).tolist() == [learned.alpha[1], learned.overall_alpha]


def test_quantiles_hold_the_share_they_name_and_do_not_cross(learned: CensoredBoosting) -> None:
    other = market(3)
    levels = (0.1, 0.5, 0.9)
    quantiles = learned.quantiles(*other.known, levels)
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert (quantiles[other.capped, 0] >= other.lower[other.capped]).all()
    below = (other.sizes[:, None] <= quantiles)[other.capped].mean(axis=0)
    # a count has ties: at least the share that the level names
    assert (below >= np.array(levels) - 0.02).all()
    assert below[2] < 0.94


def test_orders_at_a_floor_pull_down_and_both_bounds_hold(learned: CensoredBoosting) -> None:
    ask = (np.zeros((3, 2), dtype=np.float32), np.array([0.0, 12.0, 12.0]), np.array([6.0, np.inf, 18.0]))
    floor, cap, both = learned.expected(*ask, np.full(3, 8.0), np.zeros(3, dtype=np.int64))
    assert 1 <= floor <= 6
    assert cap > both > 12
    assert both <= 18


def test_band_caps_of_half_a_weight_move_less() -> None:
    some = market(4, 3_000)
    few = replace(SETTINGS, rounds=10)
    whole = fit_censored(*some.known, few)
    half = fit_censored(*some.known, few, np.where(some.capped, 0.5, 1.0))
    assert half.means(some.features, some.start).mean() < whole.means(some.features, some.start).mean()


def test_a_start_far_off_does_not_run_away() -> None:
    some = market(5, 3_000)
    for factor in (1e-3, 1e3):
        fitted = fit_censored(some.features, some.lower, some.upper, factor * some.start, some.classes, SETTINGS)
        expected = fitted.expected(some.features, some.lower, some.upper, factor * some.start, some.classes)
        assert np.isfinite(expected).all()
        assert expected.max() < 1e4


def test_the_same_seed_gives_the_same_trees_and_saving_keeps_all(learned: CensoredBoosting, tmp_path: Path) -> None:
    other = market(6, 500)
    learned.save(tmp_path / "sizes")
    loaded = CensoredBoosting.load(tmp_path / "sizes")
    np.testing.assert_array_equal(loaded.expected(*other.known), learned.expected(*other.known))
    again = fit_censored(*market(1).known, SETTINGS)
    np.testing.assert_array_equal(again.expected(*other.known), learned.expected(*other.known))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrackingError, match=r"sizes\.txt, dispersion\.json"):
        CensoredBoosting.load(tmp_path)
