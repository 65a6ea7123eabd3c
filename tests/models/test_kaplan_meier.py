"""Product-limit estimates against published figures and a loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.kaplan_meier import beyond

# weeks of remission on 6-MP and S just before each event: Freireich et al. 1963, as in Kalbfleisch and Prentice 1980, table 1.2
EVENTS = [6, 6, 6, 7, 10, 13, 16, 22, 23]
CENSORED = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
SURVIVAL = {6: 1.0, 7: 0.857, 10: 0.807, 13: 0.753, 16: 0.690, 22: 0.627, 23: 0.538, 25: 0.448, 35: 0.448}


def by_a_loop(sizes: list[int], censored: list[bool], asked: int) -> tuple[float, float, float]:
    """Expected size from the asked one on over it, what lies beyond the largest, and P(size at least the asked one)."""

    def at_least(size: int) -> float:
        survived = 1.0
        for event in sorted({size for size, cut in zip(sizes, censored, strict=True) if not cut}):
            if event < size:
                dead = sum(other == event and not cut for other, cut in zip(sizes, censored, strict=True))
                survived *= 1.0 - dead / sum(other >= event for other in sizes)
        return survived

    reached = at_least(asked)
    area = sum(at_least(size) for size in range(asked + 1, max(sizes) + 1))
    return 1.0 + area / reached / asked, at_least(max(sizes) + 1) / reached, reached


def test_the_published_estimates_come_out() -> None:
    sizes = np.array(EVENTS + CENSORED, dtype=np.float64)
    censored = np.arange(sizes.size) >= len(EVENTS)
    asked = np.array([np.flatnonzero(sizes == size)[0] for size in SURVIVAL])
    found = beyond(np.zeros(sizes.size, dtype=np.int64), sizes, censored, asked)
    assert found[:, 2] == pytest.approx(list(SURVIVAL.values()), abs=6e-4)
    assert found[:, 1] == pytest.approx([0.448 / survived for survived in SURVIVAL.values()], abs=1e-3)


def test_without_orders_there_is_nothing_to_describe() -> None:
    nothing = np.empty(0, dtype=np.int64)
    assert beyond(nothing, np.empty(0), np.empty(0, dtype=bool), nothing).shape == (0, 3)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 9), st.booleans()), min_size=1, max_size=25))
def test_estimates_are_those_of_a_loop(orders: list[tuple[int, int, bool]]) -> None:
    groups = sorted({group for group, *_ in orders})
    group = np.array([groups.index(each) for each, *_ in orders])
    size, censored = np.array([size for _, size, _ in orders], dtype=np.float64), np.array([cut for *_, cut in orders])
    found = beyond(group, size, censored, np.arange(group.size))
    for position, (its_group, asked, _) in enumerate(orders):
        own = [order for order in orders if order[0] == its_group]
        expected = by_a_loop([size for _, size, _ in own], [cut for *_, cut in own], asked)
        assert found[position] == pytest.approx(expected, rel=1e-6, abs=1e-6)
