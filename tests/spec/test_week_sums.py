"""The rule: a week runs from Monday to Sunday, and the lines of a week are one order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

Rows = list[dict[str, Any]]
Weeks = Callable[[str], list[tuple[str, float, str, float | None, float | None]]]


@pytest.fixture
def weeks(cells_of: Callable[..., Rows], rows_of: Callable[[str], Rows]) -> Weeks:
    """Week, delivered units, censoring, upper bound and amount of each cell that the lines of a table make."""

    def summed(table: str) -> list[tuple[str, float, str, float | None, float | None]]:
        known = {"retailer_id": "R", "sku_id": "S"}
        lines = [
            known
            | {"line_id": str(number), "ordered_on": date.fromisoformat(row["ordered_on"]), "amount": row["amount"]}
            | {"delivered_units": row["delivered"], "requested_units": row["requested"]}
            for number, row in enumerate(rows_of(table))
        ]
        cells = cells_of(order_lines=lines)
        return [(str(c["week_start"]), c["delivered_units"], c["censoring"], c["upper_units"], c["amount"]) for c in cells]

    return summed


def test_a_week_begins_on_monday_and_ends_on_sunday(weeks: Weeks) -> None:
    assert weeks("""
        ordered_on  delivered requested amount
        2019-09-22  1         .         .
        2019-09-23  2         .         .
        2019-09-29  4         .         .
        2019-09-30  8         .         .
    """) == [("2019-09-16", 1, "none", 1, None), ("2019-09-23", 6, "none", 6, None), ("2019-09-30", 8, "none", 8, None)]


def test_a_week_may_lie_in_two_years(weeks: Weeks) -> None:
    assert weeks("""
        ordered_on  delivered requested amount
        2019-12-30  1         .         .
        2020-01-05  2         .         .
    """) == [("2019-12-30", 3, "none", 3, None)]


def test_wishes_are_summed_with_the_deliveries_of_lines_that_recorded_none(weeks: Weeks) -> None:
    assert weeks("""
        ordered_on  delivered requested amount
        2019-09-23  2         .         .
        2019-09-24  3         5         .
    """) == [("2019-09-23", 5, "cap", 7, None)]


def test_tenths_that_sum_to_what_was_asked_for_are_all_of_it(weeks: Weeks) -> None:
    assert weeks("""
        ordered_on  delivered requested amount
        2019-09-23  0.7       0.8       .
        2019-09-24  0.1       0         .
    """) == [("2019-09-23", 0.8, "none", 0.8, None)]


def test_what_one_line_got_too_much_makes_up_for_what_another_lacked(weeks: Weeks) -> None:
    assert weeks("""
        ordered_on  delivered requested amount
        2019-09-23  0         4         .
        2019-09-25  4         0         .
    """) == [("2019-09-23", 4, "none", 4, None)]


def test_money_is_the_sum_of_the_lines_and_unknown_where_a_line_that_delivered_has_none(weeks: Weeks) -> None:
    assert weeks("""
        ordered_on  delivered requested amount
        2019-09-16  1         .         10
        2019-09-17  2         .         20
        2019-09-18  0         0         .
        2019-09-23  1         .         10
        2019-09-24  1         .         .
        2019-09-30  1         .         .
    """) == [("2019-09-16", 3, "none", 3, 30), ("2019-09-23", 2, "none", 2, None), ("2019-09-30", 1, "none", 1, None)]
