"""The law of a pair's sizes: against the same steps written as loops, and what pooling makes of few orders."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from models.orders import Orders, orders_of
from models.size_laws import LEAST_SPREAD, RecoverySettings, inverse, laws_of_orders, transform
from models.stacking import Floats
from tests.rationed_market import rationed_market

SETTINGS = RecoverySettings(power=0.15, pooling_orders=1.0, spread_pooling_orders=4.0, iterations=6)


@pytest.fixture(scope="module")
def orders() -> Orders:
    return orders_of(rationed_market(1, rationed=2, free=1, retailers=8, weeks=40).sort_values("week_start", ignore_index=True))


def pooled(orders: Orders, value: Floats, prior: float) -> dict[int, float]:
    """Mean per pair, with its tier's as some orders more, and the SKU's for the tier."""
    means = {}
    for pair in range(orders.pair.max() + 1):
        own = orders.pair == pair
        tier = orders.tier_sku == orders.tier_sku[own][0]
        sku = orders.sku == orders.sku[own][0]
        of_tier = (value[tier].sum() + prior * value[sku].mean()) / (tier.sum() + prior)
        means[pair] = (value[own].sum() + prior * of_tier) / (own.sum() + prior)
    return means


def by_loops(orders: Orders) -> tuple[list[float], list[float]]:
    bound = transform(orders.size, SETTINGS.power)
    size, variance = bound.copy(), np.zeros(orders.count)
    mean, spread = {}, {}
    for _ in range(SETTINGS.iterations):
        mean = pooled(orders, size, SETTINGS.pooling_orders)
        around = np.array([(z - mean[pair]) ** 2 for z, pair in zip(size, orders.pair, strict=True)]) + variance
        variances = pooled(orders, around, SETTINGS.spread_pooling_orders)
        spread = {pair: np.sqrt(value + LEAST_SPREAD**2) for pair, value in variances.items()}
        for n in np.flatnonzero(orders.at_cap):
            mu, sd = mean[orders.pair[n]], spread[orders.pair[n]]
            a = (bound[n] - mu) / sd
            hazard = np.exp(norm.logpdf(a) - norm.logsf(a))
            size[n], variance[n] = mu + sd * hazard, sd**2 * (1 + a * hazard - hazard**2)
    return list(mean.values()), list(spread.values())


def test_laws_are_those_of_the_same_steps_in_loops(orders: Orders) -> None:
    assert 0.1 < orders.at_cap.mean() < 0.9
    laws = laws_of_orders(orders, SETTINGS)
    mean, spread = by_loops(orders)
    np.testing.assert_allclose(laws.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(laws.spread, spread, rtol=1e-6)


def test_a_cut_order_raises_the_law_of_its_pair(orders: Orders) -> None:
    exact = laws_of_orders(replace(orders, at_cap=np.zeros(orders.count, dtype=bool)), SETTINGS)
    cut = laws_of_orders(orders, SETTINGS)
    capped_pairs = np.unique(orders.pair[orders.at_cap])
    assert (cut.mean[capped_pairs] > exact.mean[capped_pairs]).all()


def test_the_typical_size_is_the_median_and_at_least_half_a_unit(orders: Orders) -> None:
    laws = laws_of_orders(orders, SETTINGS)
    pairs = np.arange(3)
    assert laws.typical_units(pairs) == pytest.approx((1 + 0.15 * laws.mean[:3]) ** (1 / 0.15))
    assert replace(laws, mean=np.full(3, -9.0)).typical_units(pairs).tolist() == [0.5, 0.5, 0.5]


@given(st.floats(0.01, 1e6), st.floats(0.05, 1.0))
def test_the_inverse_gives_the_units_back(units: float, power: float) -> None:
    assert inverse(transform(np.array([units]), power), power) == pytest.approx([units], rel=1e-6)
