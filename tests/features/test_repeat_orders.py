"""What a buy-till-you-die model sees of a retailer, on orders whose weeks are written down."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.churn_history import HISTORY_WEEKS, retailer_weeks
from features.repeat_orders import repeat_orders
from tests.cell_rows import AS_OF, cell, closed
from tests.statements import Rows, Statement


@pytest.fixture(scope="module")
def counted() -> Statement:
    return Statement(lambda cells: repeat_orders(retailer_weeks(cells, AS_OF), AS_OF), "demand_cells")


def ordered(weeks_ago: Iterable[int], retailer: str = "R") -> Rows:
    return [cell(retailer, "S", ago, 1) for ago in weeks_ago]


def row(x: float, t_x: float, age: float, retailer: str = "R") -> dict[str, Any]:
    return {"retailer_id": retailer, "repeat_orders": x, "last_order_age_weeks": t_x, "age_weeks": age}


def test_weeks_are_counted_from_the_first_order(counted: Statement) -> None:
    assert counted.rows(demand_cells=ordered([20, 12, 5])) == [row(2, 15, 20)]


def test_one_order_is_none_repeated_and_one_this_week_is_of_age_nought(counted: Statement) -> None:
    assert counted.rows(demand_cells=ordered([7], "A") + ordered([0], "B")) == [row(0, 0, 7, "A"), row(0, 0, 0, "B")]


def test_several_skus_in_a_week_are_one_order_and_what_was_closed_is_none(counted: Statement) -> None:
    more = [cell("R", "T", ago, 3) for ago in (20, 5)] + [closed("R", "S", 2)]
    assert counted.rows(demand_cells=ordered([20, 5]) + more) == [row(1, 15, 20)]


def test_orders_before_the_history_do_not_count(counted: Statement) -> None:
    assert counted.rows(demand_cells=ordered([HISTORY_WEEKS + 9, HISTORY_WEEKS, HISTORY_WEEKS - 1, 3])) == [row(1, 100, 103)]


def test_who_has_stopped_is_kept(counted: Statement) -> None:
    assert counted.rows(demand_cells=ordered([90, 80])) == [row(1, 10, 90)]


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(0, 103), min_size=1, max_size=20), st.sets(st.integers(-30, -1), max_size=10))
def test_orders_after_the_cut_off_change_nothing(counted: Statement, known: set[int], later: set[int]) -> None:
    [found] = counted.rows(demand_cells=ordered(known | later))
    assert found == row(len(known) - 1, max(known) - min(known), max(known))
