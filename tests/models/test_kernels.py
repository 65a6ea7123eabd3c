"""Sums over the other orders of a group, against two loops."""

from __future__ import annotations

import numpy as np
import pytest

from models.kernels import sums_nearby
from models.stacking import Floats, Integers

SCALES = [0.5, 8.0, 40.0]


def by_two_loops(group: Integers, week: Integers, values: Floats, scale: float) -> Floats:
    sums = np.zeros(values.shape)
    for one in range(group.size):
        for other in range(group.size):
            if group[one] == group[other] and week[one] != week[other]:
                sums[one] += np.exp(-abs(int(week[one]) - int(week[other])) / scale) * values[other]
    return sums


def drawn(seed: int) -> tuple[Integers, Integers, Floats]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 6, 80), np.sort(rng.integers(2500, 2540, 80)), rng.random((80, 3))


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("seed", [1, 2])
def test_sums_are_those_of_two_loops(seed: int, scale: float) -> None:
    orders = drawn(seed)
    np.testing.assert_allclose(sums_nearby(*orders, scale), by_two_loops(*orders, scale), rtol=1e-9, atol=1e-12)


def test_without_a_scale_all_other_orders_count_alike() -> None:
    group, week, values = drawn(3)
    others = [values[(group == group[one]) & (np.arange(80) != one)].sum(axis=0) for one in range(80)]
    np.testing.assert_allclose(sums_nearby(group, week, values, np.inf), others, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("scale", [*SCALES, np.inf])
def test_an_order_does_not_count_for_itself(scale: float) -> None:
    group, week, values = drawn(4)
    changed = values.copy()
    changed[40] += 1000.0
    before, after = (sums_nearby(group, week, each, scale) for each in (values, changed))
    np.testing.assert_allclose(after[40], before[40], rtol=1e-9)
    assert (after > before + 1e-9).any()


@pytest.mark.parametrize("scale", [8.0, np.inf])
def test_without_orders_there_are_no_sums(scale: float) -> None:
    nothing = np.empty(0, dtype=np.int64)
    assert sums_nearby(nothing, nothing, np.empty((0, 2)), scale).shape == (0, 2)
