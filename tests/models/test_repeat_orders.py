"""Counts and times that a buy-till-you-die model takes, and those it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import UncapError
from models.pareto_nbd import ParetoNbd
from models.repeat_orders import RepeatOrders


@pytest.mark.parametrize(
    ("x", "t_x", "age", "fault"),
    [
        ([0, 1.5], [0, 2], [5, 5], r"repeat_orders: no count, 1 of 2 retailers, first in row 1; expected a whole number"),
        ([0, np.nan], [0, 2], [5, 5], r"repeat_orders: no count"),
        ([1], [np.nan], [5], r"negative or unknown"),
        ([1], [-1], [5], r"negative or unknown"),
        ([1], [6], [5], r"last_order_age_weeks: above age_weeks"),
        ([0], [3], [5], r"at odds with repeat_orders"),
        ([3], [0], [5], r"at odds with repeat_orders"),
    ],
)
def test_what_cannot_be_is_refused(x: list[float], t_x: list[float], age: list[float], fault: str) -> None:
    with pytest.raises(UncapError, match=fault):
        RepeatOrders.from_arrays(x, t_x, age)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), min_size=1, max_size=30))
def test_distinct_rows_with_their_weights_have_the_likelihood_of_all(rows: list[tuple[int, int]]) -> None:
    x = [x for x, _ in rows]
    orders = RepeatOrders.from_arrays(x, [last if x else 0 for x, last in rows], [last + 2 for _, last in rows])
    law, distinct = ParetoNbd(0.5, 10.0, 0.6, 12.0), orders.distinct()
    assert distinct.weight.sum() == len(rows)
    assert distinct.weight @ law.log_likelihood(distinct) == pytest.approx(law.log_likelihood(orders).sum())
