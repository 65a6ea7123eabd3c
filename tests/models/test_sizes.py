"""Quantiles of lumpy demand: the laws they keep, and how often they hold on simulated orders."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.sizes import CHANCE_EDGES, MOST_BINS, ORDERS_PER_BIN, SizeQuantiles, fit_sizes

LEVELS = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95]


def simulated(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Chance of an order, expected units, and what came: packs of six, larger ones where more is expected."""
    rng = np.random.default_rng(seed)
    p_order, size = rng.uniform(0.05, 0.95, n), rng.choice([6.0, 12.0, 60.0], n)
    units = 6 * np.maximum(1, rng.poisson(size / 6)) * (rng.random(n) < p_order)
    return p_order, p_order * size, units


def test_quantiles_hold_as_often_as_they_say() -> None:
    sizes = fit_sizes(*simulated(40_000, 1))
    p_order, mean_units, units = simulated(40_000, 2)
    quantiles = sizes.predict(p_order, mean_units, LEVELS)
    for position, level in enumerate(LEVELS):
        below, at_most = (units < quantiles[:, position]).mean(), (units <= quantiles[:, position]).mean()
        assert below <= level + 0.01, level
        assert at_most >= level - 0.01, level


def test_sizes_are_those_that_were_ordered() -> None:
    p_order, mean_units, units = simulated(5_000, 1)
    quantiles = fit_sizes(p_order, mean_units, units).predict(p_order, mean_units, LEVELS)
    assert set(np.unique(quantiles)) <= {0.0, *np.unique(units)}


def test_larger_orders_are_expected_where_more_is_expected() -> None:
    sizes = fit_sizes(*simulated(20_000, 1))
    small, large = sizes.predict(np.array([0.9, 0.9]), np.array([5.4, 54.0]), [0.5])
    assert small[0] <= 12
    assert large[0] >= 48


@pytest.mark.parametrize(
    ("orders", "bins"), [(1, 1), (2 * ORDERS_PER_BIN - 1, 1), (2 * ORDERS_PER_BIN, 2), ((MOST_BINS + 6) * ORDERS_PER_BIN, MOST_BINS)]
)
def test_a_bin_has_enough_orders(orders: int, bins: int) -> None:
    rng = np.random.default_rng(3)
    likely = fit_sizes(np.full(orders, 0.5), rng.random(orders), np.ones(orders)).laws[-1]
    assert likely.sizes.shape == (bins, 200)
    assert likely.edges.shape == (bins - 1,)


def test_what_is_larger_than_ever_expected_rests_on_the_orders_of_the_largest_size() -> None:
    rng = np.random.default_rng(4)
    expected = np.concatenate([rng.uniform(1.0, 2.0, 3 * ORDERS_PER_BIN), np.full(ORDERS_PER_BIN * 5 // 2, 30.0)])
    largest, larger = fit_sizes(np.ones(expected.size), expected, expected).predict(np.ones(2), np.array([30.0, 31.0]), LEVELS)
    np.testing.assert_array_equal(larger, largest)
    assert largest[3] == 30.0


def test_expectations_that_are_all_alike_make_one_law_of_all_orders() -> None:
    n = 4 * ORDERS_PER_BIN
    sizes = fit_sizes(np.full(n, 0.5), np.full(n, 3.0), np.tile([6.0, 12.0], n // 2))
    assert sizes.predict(np.array([1.0]), np.array([6.0]), [0.2, 0.8]).tolist() == [[6, 12]]


def test_weeks_without_an_order_teach_no_size() -> None:
    sizes = fit_sizes(np.array([0.5, 0.5]), np.array([3.0, 3.0]), np.array([0.0, 6.0]))
    assert [np.unique(law.sizes).tolist() for law in sizes.laws] == [[6]] * (len(CHANCE_EDGES) + 1)


def test_sizes_survive_json() -> None:
    p_order, mean_units, units = simulated(5_000, 1)
    sizes = fit_sizes(p_order, mean_units, units)
    read = SizeQuantiles.from_json(json.loads(json.dumps(sizes.to_json())))
    np.testing.assert_array_equal(read.predict(p_order, mean_units, LEVELS), sizes.predict(p_order, mean_units, LEVELS))
    single = SizeQuantiles.from_json(json.loads(json.dumps(fit_sizes(*simulated(50, 1)).to_json())))
    assert [law.edges.shape for law in single.laws] == [(0,)] * (len(CHANCE_EDGES) + 1)


def test_the_single_law_that_models_used_to_store_is_still_read() -> None:
    law = fit_sizes(*simulated(50, 1)).laws[0]
    old = SizeQuantiles.from_json(law.to_json())
    np.testing.assert_array_equal(old.predict(np.array([0.05, 0.9]), np.array([6.0, 6.0]), [0.99])[:, 0], law.sizes[[0, 0], [160, 197]])


def test_a_rare_order_has_the_sizes_of_rare_orders() -> None:
    n = 4 * ORDERS_PER_BIN
    p_order = np.repeat([0.2, 0.9], n)
    sizes = fit_sizes(p_order, 12 * p_order, np.concatenate([np.tile([6.0, 60.0], n // 2), np.full(n, 12.0)]))
    rare, likely = sizes.predict(np.array([0.2, 0.9]), np.array([2.4, 10.8]), [0.99])
    assert (rare[0], likely[0]) == (60, 12)


def test_the_quantile_at_the_chance_of_less_is_what_came() -> None:
    p_order, mean_units, units = simulated(5_000, 7)
    sizes = fit_sizes(p_order, mean_units, units)
    level = sizes.p_less(p_order, mean_units, units)
    assert (level[units == 0] == 0).all()
    reached = (units > 0) & (level < 1)
    at_level = sizes.predict(p_order, mean_units, np.minimum(level + 1e-9, 1.0)[:, None])[:, 0]
    just_before = sizes.predict(p_order, mean_units, np.maximum(level - 0.0051 * p_order, 0.0)[:, None])[:, 0]
    assert (at_level[reached] >= units[reached]).all()
    assert (just_before[reached] < units[reached]).all()


FITTED = fit_sizes(*simulated(5_000, 5))


@settings(max_examples=100, deadline=None)
@given(p=st.floats(0, 1), mean=st.floats(0, 1e6), levels=st.lists(st.floats(0.001, 0.999), min_size=2, max_size=9))
def test_quantiles_never_cross_and_are_never_negative(p: float, mean: float, levels: list[float]) -> None:
    [quantiles] = FITTED.predict(np.array([p]), np.array([mean]), sorted(levels))
    assert (quantiles >= 0).all()
    assert (np.diff(quantiles) >= 0).all()
    assert all(quantile == 0 for level, quantile in zip(sorted(levels), quantiles, strict=True) if level <= 1 - p)
