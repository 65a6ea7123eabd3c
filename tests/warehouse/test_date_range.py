"""Dates that cannot be right are found by the orders themselves; a shop that pauses or a firm that grows is no fault."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from contracts.errors import InputDataError
from tests.warehouse.conftest import InputFolder
from warehouse.date_range import plausible_span

MONDAY = date(2019, 1, 7)


def weeks(first: date, n_weeks: int, lines: int) -> list[tuple[date, int]]:
    return [(first + timedelta(weeks=week), lines) for week in range(n_weeks)]


BODY = weeks(MONDAY, 52, 100)
LAST = BODY[-1][0]

# what, days and their lines, first and last plausible day
SPANS = [
    ("everything is right", BODY, MONDAY, LAST),
    ("a single order", [(MONDAY, 1)], MONDAY, MONDAY),
    ("two orders, 43 years apart: the later is wrong", [(MONDAY, 1), (date(2062, 1, 2), 1)], MONDAY, MONDAY),
    ("a few lines of 2062", [*BODY, (date(2062, 1, 2), 5)], MONDAY, LAST),
    ("a few lines of 1970", [(date(1970, 1, 1), 5), *BODY], MONDAY, LAST),
    ("a few lines half a year later", [*BODY, (LAST + timedelta(weeks=27), 5)], MONDAY, LAST),
    ("many lines half a year later", [*BODY, (LAST + timedelta(weeks=27), 6)], MONDAY, LAST + timedelta(weeks=27)),
    ("closed for a year, then open again", BODY + weeks(LAST + timedelta(weeks=52), 9, 99), MONDAY, LAST + timedelta(weeks=60)),
    ("a trickle without gaps", BODY + weeks(LAST + timedelta(weeks=20), 5, 1), MONDAY, LAST + timedelta(weeks=24)),
    ("a sparse trickle over years", weeks(MONDAY, 52, 1000) + [(LAST + timedelta(weeks=20 * n), 1) for n in range(1, 9)], MONDAY,
     LAST + timedelta(days=366)),
]  # fmt: skip


@pytest.mark.parametrize(("days", "first", "last"), [span[1:] for span in SPANS], ids=[span[0] for span in SPANS])
def test_the_plausible_span(days: list[tuple[date, int]], first: date, last: date) -> None:
    assert plausible_span(days) == (first, last)


def test_an_order_in_2062_is_refused_with_its_key(folder: InputFolder, orders: str) -> None:
    folder.csv("order_lines", orders + "L4, R1, S1, 2062-09-02, 6, , 30")
    with pytest.raises(InputDataError) as refused:
        folder.load()
    assert refused.value.faults == (
        (
            "order_lines.ordered_on: far behind the range of the orders, 1 row, first line 5, line_id=L4 value '2062-09-02';"
            " expected 2019-09-02 to 2019-09-09"
        ),
    )


def test_an_order_in_1919_is_refused(folder: InputFolder, orders: str) -> None:
    with pytest.raises(InputDataError, match=r"far before the range of the orders, 1 row, first line 5, line_id=L4 value '1919-09-02'"):
        folder.csv("order_lines", orders + "L4, R1, S1, 1919-09-02, 6, , 30").load()


def test_a_later_load_is_judged_with_the_orders_that_are_stored(
    folder: InputFolder, new_folder: Callable[[], InputFolder], orders: str
) -> None:
    folder.csv("order_lines", orders).load()
    header = orders.strip().splitlines()[0]
    with pytest.raises(InputDataError, match=r"value '2062-09-02'; expected 2019-09-02 to 2019-09-09"):
        new_folder().csv("order_lines", f"{header}\nL4, R1, S1, 2062-09-02, 6, , 30").load()
    assert new_folder().csv("order_lines", f"{header}\nL4, R1, S1, 2020-02-03, 6, , 30").load()["order_lines"].rows_new == 1


def test_limits_may_lie_ahead_of_the_orders_but_not_by_decades(folder: InputFolder, orders: str) -> None:
    folder.csv("order_lines", orders).csv("supply", "week_start, sku_id, available_units\n2021-09-06, S1, 0\n2010-01-04, S1, 0").load()
    folder.csv("supply", "week_start, sku_id, available_units\n2091-09-03, S1, 0\n1991-09-02, S1, 0")
    with pytest.raises(InputDataError) as refused:
        folder.load()
    assert [fault.split(",")[0] for fault in refused.value.faults] == [
        "supply.week_start: far behind the range of the orders",
        "supply.week_start: far before the range of the orders",
    ]


def test_orders_at_the_ends_of_the_calendar_are_judged_too(folder: InputFolder, orders: str) -> None:
    header = orders.strip().splitlines()[0]
    folder.csv("order_lines", f"{header}\nL1, R1, S1, 9999-12-31, 6, , 1").csv("events", "event_date, name\n9999-12-30, Fair").load()
    assert folder.rows("events")[0]["event_date"] == date(9999, 12, 30)
