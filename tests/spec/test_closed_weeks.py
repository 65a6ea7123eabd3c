"""The rule: a week in which a pair could not order is a row, between the pair's first order and the newest order of anybody.

Each line is a shop and a sign per week, left what happened and right which rows there are. ``x`` an order, ``X`` an order in a closed week,
``o`` a closed week without an order, ``.`` nothing: no row, a true zero. The line ``closed`` marks the weeks in which SKU S was closed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

FIRST = date(2019, 8, 5)

Rows = list[dict[str, Any]]

CLOSURES: dict[str, dict[str, dict[str, Any]]] = {
    "stock-out": {"supply": {"sku_id": "S", "available_units": 0.0}},
    "cap of nothing": {"allocation_limits": {"sku_id": "S", "cap_units": 0.0}},
    "cap is floor": {"allocation_limits": {"sku_id": "S", "cap_units": 3.0, "floor_units": 3.0}},
    "cap below floor": {"allocation_limits": {"sku_id": "S", "cap_units": 2.0, "floor_units": 3.0}},
    "cap of nothing of the tier": {"allocation_limits": {"sku_id": "S", "tier": "T1", "cap_units": 0.0}},
    "band cap of nothing": {"allocation_limits": {"price_band": "B", "cap_units": 0.0}},
    "band cap is band floor": {"allocation_limits": {"price_band": "B", "cap_units": 3.0, "floor_units": 3.0}},
}


def timelines(table: str) -> dict[str, tuple[str, str]]:
    """What happened and which rows are expected, by the name of a line."""
    lines = [line.split() for line in table.strip().splitlines()]
    return {line[0]: (line[1], line[-1]) for line in lines}


def rows_found(
    cells_of: Callable[..., Rows], drawn: dict[str, tuple[str, str]], closures: dict[str, Rows], tiers: dict[str, str] | None = None
) -> dict[str, str]:
    """A sign per week of each shop for SKU S, read off the cells."""
    orders = {name: signs for name, (signs, _) in drawn.items() if name != "closed"}
    lines = [
        {
            "line_id": f"{name}{week}",
            "retailer_id": name,
            "sku_id": "S",
            "ordered_on": FIRST + timedelta(weeks=week),
            "delivered_units": 1.0,
        }
        for name, signs in orders.items()
        for week, sign in enumerate(signs)
        if sign in "xX"
    ]
    register = [{"retailer_id": name, "tier": (tiers or {}).get(name, "T1")} for name in orders]
    skus = [{"sku_id": "S", "price_band": "B"}, {"sku_id": "never ordered", "price_band": "B"}]
    found = {name: ["."] * len(signs) for name, signs in orders.items()}
    for cell in cells_of(order_lines=lines, retailers=register, skus=skus, **closures):
        closed, ordered = cell["censoring"] == "stockout", cell["delivered_units"] > 0
        week = (cell["week_start"] - FIRST).days // 7
        found[cell["retailer_id"]][week] = {(True, True): "X", (True, False): "o", (False, True): "x"}[closed, ordered]
    return {name: "".join(signs) for name, signs in found.items()}


@pytest.mark.parametrize("closure", CLOSURES)
def test_closed_weeks_between_the_first_and_the_newest_order_are_rows(closure: str, cells_of: Callable[..., Rows]) -> None:
    drawn = timelines("""
        closed   .##.#.##  .
        early    x......x  xoo.o.oX
        late     ...x....  ...xo.oo
        once     x.......  xoo.o.oo
        in_it    .X..X...  .Xo.X.oo
        never    ........  ........
    """)
    closed = [week for week, sign in enumerate(drawn["closed"][0]) if sign == "#"]
    [(table, row)] = CLOSURES[closure].items()
    closures = {table: [row | {"week_start": FIRST + timedelta(weeks=week)} for week in closed]}
    expected = {name: signs for name, (_, signs) in drawn.items() if name != "closed"}
    assert rows_found(cells_of, drawn, closures) == expected


def test_after_the_newest_order_of_anybody_nothing_is_a_row(cells_of: Callable[..., Rows]) -> None:
    drawn = timelines("""
        one      x.......  xo.o....
        other    ...x....  ...X....
    """)
    closures = {"supply": [{"sku_id": "S", "week_start": FIRST + timedelta(weeks=week), "available_units": 0.0} for week in (1, 3, 4, 6)]}
    assert rows_found(cells_of, drawn, closures) == {name: signs for name, (_, signs) in drawn.items()}


def test_a_week_that_is_closed_to_others_is_no_row(cells_of: Callable[..., Rows]) -> None:
    drawn = timelines("""
        closed_tier  x....x  xo..ox
        own_no_cap   x....x  x...ox
        own_cap      x....x  x...ox
        other_tier   x....x  x...ox
        own_closed   x....x  x..oox
    """)
    own = {"own_no_cap": (1, None), "own_cap": (1, 5.0), "own_closed": (3, 0.0)}
    limits: Rows = [{"tier": "T1", "cap_units": 0.0, "week_start": FIRST + timedelta(weeks=1)}]
    limits += [{"retailer_id": n, "cap_units": cap, "week_start": FIRST + timedelta(weeks=week)} for n, (week, cap) in own.items()]
    limits += [{"cap_units": 0.0, "week_start": FIRST + timedelta(weeks=4)}]
    tiers = {"other_tier": "T2", "own_closed": "T2"}
    found = rows_found(cells_of, drawn, {"allocation_limits": [limit | {"sku_id": "S"} for limit in limits]}, tiers)
    assert found == {name: signs for name, (_, signs) in drawn.items()}


def test_a_wish_in_a_closed_week_stays_one_row(cells_of: Callable[..., Rows]) -> None:
    lines: Rows = [
        {"line_id": "1", "retailer_id": "R", "sku_id": "S", "ordered_on": FIRST, "delivered_units": 2.0},
        {"line_id": "2", "retailer_id": "R", "sku_id": "S", "ordered_on": FIRST + timedelta(weeks=1), "delivered_units": 0.0},
    ]
    lines[1]["requested_units"] = 4.0
    supply = [{"sku_id": "S", "week_start": FIRST + timedelta(weeks=1), "available_units": 0.0}]
    cells = cells_of(order_lines=lines, supply=supply)
    assert [(cell["censoring"], cell["lower_units"], cell["upper_units"]) for cell in cells] == [("none", 2, 2), ("stockout", 0, None)]
