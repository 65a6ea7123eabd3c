"""The rule: what a week's delivery says of the true demand, given the limits of the SKU, its stock and what was asked for.

Each line of a table is a SKU of its own in the same shop and week: what was delivered and requested, the cap and floor of the SKU, the
units that the wholesaler had, and the interval that holds the true demand. ``.`` is not recorded, or no bound.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

MONDAY = date(2019, 9, 23)

Rows = list[dict[str, Any]]
Judge = Callable[[str], None]


@pytest.fixture
def assert_judged(cells_of: Callable[..., Rows], rows_of: Callable[[str], Rows]) -> Judge:
    """Compare what the cells say with the right half of a table."""

    def check(table: str) -> None:
        cases = rows_of(table)
        known = {"week_start": MONDAY}
        names = ("delivered_units", "requested_units")
        orders = [{"retailer_id": "R", "sku_id": c["case"], "ordered_on": MONDAY, "line_id": c["case"]} for c in cases]
        lines = [order | {name: case[name.split("_")[0]] for name in names} for order, case in zip(orders, cases, strict=True)]
        limits = [known | {"sku_id": c["case"], "cap_units": c["cap"], "floor_units": c["floor"]} for c in cases]
        supply = [known | {"sku_id": c["case"], "available_units": c["stock"]} for c in cases if c["stock"] is not None]
        cells = {cell["sku_id"]: cell for cell in cells_of(order_lines=lines, allocation_limits=limits, supply=supply)}
        found = {name: (cell["censoring"], cell["lower_units"], cell["upper_units"]) for name, cell in cells.items()}
        assert found == {c["case"]: (c["censoring"], c["lower"], c["upper"]) for c in cases if c["censoring"] is not None}
        assert all(cells[name]["week_start"] == MONDAY for name in cells)

    return check


def test_without_a_limit_that_binds_the_delivery_is_the_demand(assert_judged: Judge) -> None:
    assert_judged("""
        case             delivered requested cap floor stock | censoring lower upper
        no_limit         5         .         .   .     .     | none      5     5
        below_the_cap    5         .         6   .     .     | none      5     5
        above_the_floor  5         .         .   4     .     | none      5     5
        below_the_floor  5         .         .   6     .     | none      5     5
        between          5         .         6   4     .     | none      5     5
        all_requested    5         5         .   .     .     | none      5     5
        some_in_stock    5         .         .   .     1     | none      5     5
        half_a_pack      0.5       .         1   .     .     | none      0.5   0.5
    """)


def test_at_a_cap_the_demand_is_at_least_the_delivery(assert_judged: Judge) -> None:
    assert_judged("""
        case             delivered requested cap floor stock | censoring lower upper
        at_the_cap       6         .         6   .     .     | cap       6     .
        above_the_cap    8         .         6   .     .     | cap       8     .
        cap_over_floor   6         .         6   5     .     | cap       6     .
        asked_for_more   6         10        6   .     .     | cap       6     10
        asked_for_the_cap  6       6         6   .     .     | cap       6     .
        above_and_asked  8         10        6   .     .     | cap       8     10
    """)


def test_who_asked_for_more_than_it_got_met_a_cap_that_the_books_do_not_name(assert_judged: Judge) -> None:
    assert_judged("""
        case             delivered requested cap floor stock | censoring lower upper
        no_limit         5         9         .   .     .     | cap       5     9
        below_the_cap    5         9         6   .     .     | cap       5     9
        got_nothing      0         4         .   .     .     | cap       0     4
        at_the_floor     3         7         .   3     .     | cap       3     7
        floor_of_nothing 0         4         .   0     .     | cap       0     4
    """)


def test_at_a_floor_the_demand_is_at_most_the_delivery(assert_judged: Judge) -> None:
    assert_judged("""
        case             delivered requested cap floor stock | censoring lower upper
        at_the_floor     3         .         .   3     .     | floor     0     3
        floor_below_cap  3         .         6   3     .     | floor     0     3
        asked_for_less   3         1         .   3     .     | floor     0     3
    """)


def test_of_a_week_that_was_closed_nothing_is_learned(assert_judged: Judge) -> None:
    assert_judged("""
        case             delivered requested cap floor stock | censoring lower upper
        no_stock         0         4         .   .     0     | stockout  0     .
        stock_ran_out    5         .         .   .     0     | stockout  0     .
        no_stock_at_cap  6         .         6   .     0     | stockout  0     .
        cap_of_nothing   0         4         0   .     .     | stockout  0     .
        cap_of_nothing_2 5         .         0   .     .     | stockout  0     .
        cap_is_floor     4         .         4   4     .     | stockout  0     .
        cap_below_floor  5         .         4   5     .     | stockout  0     .
        between_both     4.5       .         4   5     .     | stockout  0     .
    """)


def test_a_line_without_units_and_without_a_wish_is_no_order(assert_judged: Judge) -> None:
    assert_judged("""
        case             delivered requested cap floor stock | censoring lower upper
        empty            0         .         .   .     .     | .         .     .
        empty_wish       0         0         .   .     .     | .         .     .
        empty_under_cap  0         .         5   .     .     | .         .     .
        empty_at_floor   0         .         .   0     .     | .         .     .
    """)


def test_the_cell_names_the_limits_that_applied(cells_of: Callable[..., Rows]) -> None:
    lines = [{"line_id": "1", "retailer_id": "R", "sku_id": "S", "ordered_on": MONDAY, "delivered_units": 5.0}]
    limits = [{"week_start": MONDAY, "sku_id": "S", "cap_units": 6.0, "floor_units": 2.0}]
    [cell] = cells_of(order_lines=lines, allocation_limits=limits)
    assert (cell["cap_units"], cell["floor_units"], cell["delivered_units"]) == (6, 2, 5)


def test_a_limit_of_another_week_or_another_sku_says_nothing(cells_of: Callable[..., Rows]) -> None:
    lines = [{"line_id": "1", "retailer_id": "R", "sku_id": "S", "ordered_on": MONDAY, "delivered_units": 5.0}]
    others = [
        {"week_start": date(2019, 9, 16), "sku_id": "S", "cap_units": 5.0},
        {"week_start": date(2019, 9, 30), "sku_id": "S", "cap_units": 5.0},
        {"week_start": MONDAY, "sku_id": "T", "cap_units": 5.0},
        {"week_start": MONDAY, "sku_id": "S", "retailer_id": "Q", "cap_units": 5.0},
        {"week_start": MONDAY, "sku_id": "S", "tier": "T1", "cap_units": 5.0},
    ]
    [cell] = cells_of(order_lines=lines, allocation_limits=others, retailers=[{"retailer_id": "R", "tier": "T2"}])
    assert (cell["censoring"], cell["cap_units"]) == ("none", None)
