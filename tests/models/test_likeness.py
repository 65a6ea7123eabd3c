"""Odds that an order capped on purpose is like really capped ones."""

from __future__ import annotations

import numpy as np
import pytest

from models.cap_context import CappedOrders
from models.likeness import FEATURES, LEAST_ODDS, MOST_ODDS, likeness_to


def capped(seed: int, orders: int, level: float) -> CappedOrders:
    """Orders of which the first feature lies around a level, and the others say nothing."""
    rng = np.random.default_rng(seed)
    features = rng.normal(0.0, 1.0, (orders, len(FEATURES))).astype(np.float32)
    features[:, 0] += level
    position = np.arange(orders)
    return CappedOrders(position, position, np.full(orders, 12.0), np.full(orders, 20.0), np.zeros(orders, dtype=bool), features, FEATURES)


def test_orders_like_the_real_ones_count_more() -> None:
    taught, real = capped(1, 3000, 0.0), capped(2, 3000, 1.0)
    likeness = likeness_to(real, taught, 1, 1)
    near, far = taught.features[:, 0] > 1, taught.features[:, 0] < -1
    assert likeness[near].mean() > 3 * likeness[far].mean()
    # the ratio of the densities of two normal laws of spread 1 at a distance of 1
    truth = np.exp(taught.features[:, 0] - 0.5)
    assert np.corrcoef(np.log(likeness), np.log(truth))[0, 1] > 0.9


def test_where_both_are_alike_all_count_about_once() -> None:
    likeness = likeness_to(capped(1, 3000, 0.0), capped(2, 3000, 0.0), 1, 1)
    assert likeness.mean() == pytest.approx(1.0, abs=0.1)
    assert likeness.std() < 0.3


@pytest.mark.parametrize("real_orders", [0, 1, 3000])
def test_no_order_counts_without_bounds(real_orders: int) -> None:
    likeness = likeness_to(capped(1, real_orders, 9.0), capped(2, 3000, 0.0), 1, 1)
    assert likeness.shape == (3000,)
    assert likeness.min() >= LEAST_ODDS
    assert likeness.max() <= MOST_ODDS


def test_the_same_seed_gives_the_same_odds() -> None:
    real, taught = capped(1, 2000, 0.5), capped(2, 2000, 0.0)
    first, again, other = (likeness_to(real, taught, 1, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
