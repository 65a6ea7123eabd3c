"""The rule: of several limits on a SKU the most specific wins, the retailer's own before its tier's before everybody's.

Each line is a shop that ordered one unit; ``own``, ``of_tier`` and ``of_all`` are the caps in force: ``.`` no row, ``none`` a row
without a cap.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

MONDAY = date(2019, 9, 23)

Rows = list[dict[str, Any]]


def test_the_most_specific_limit_wins_and_not_the_tightest(cells_of: Callable[..., Rows], rows_of: Callable[[str], Rows]) -> None:
    cases = rows_of("""
        shop              tier own  of_tier of_all | applies
        no_limit_of_tier  T1   .    .       8      | 8
        limit_of_tier     T2   .    5       8      | 5
        looser_tier       T3   .    9       8      | 9
        own_limit         T2   3    5       8      | 3
        looser_own        T2   9    5       8      | 9
        own_lifts         T2   none 5       8      | .
        tier_lifts        T4   .    none    8      | .
        own_under_lifted  T4   2    none    8      | 2
        without_a_tier    .    .    .       8      | 8
        own_without_tier  .    4    .       8      | 4
    """)
    lines = [{"line_id": c["shop"], "retailer_id": c["shop"], "sku_id": "S", "ordered_on": MONDAY, "delivered_units": 1.0} for c in cases]
    of_tiers = {c["tier"]: c["of_tier"] for c in cases if c["of_tier"] is not None}
    limits: list[dict[str, Any]] = [{"cap_units": 8.0}]
    limits += [{"tier": tier, "cap_units": number_or_none(cap)} for tier, cap in of_tiers.items()]
    limits += [{"retailer_id": c["shop"], "cap_units": number_or_none(c["own"])} for c in cases if c["own"] is not None]
    cells = cells_of(
        order_lines=lines,
        retailers=[{"retailer_id": c["shop"], "tier": c["tier"]} for c in cases],
        allocation_limits=[{"week_start": MONDAY, "sku_id": "S"} | limit for limit in limits],
    )
    assert {cell["retailer_id"]: cell["cap_units"] for cell in cells} == {c["shop"]: c["applies"] for c in cases}


def test_the_winning_row_decides_the_cap_and_the_floor(cells_of: Callable[..., Rows]) -> None:
    lines = [{"line_id": s, "retailer_id": s, "sku_id": "S", "ordered_on": MONDAY, "delivered_units": 5.0} for s in ("own", "other")]
    limits = [
        {"week_start": MONDAY, "sku_id": "S", "floor_units": 5.0},
        {"week_start": MONDAY, "sku_id": "S", "retailer_id": "own", "cap_units": 9.0},
    ]
    cells = {cell["retailer_id"]: cell for cell in cells_of(order_lines=lines, allocation_limits=limits)}
    assert (cells["own"]["cap_units"], cells["own"]["floor_units"], cells["own"]["censoring"]) == (9, None, "none")
    assert (cells["other"]["cap_units"], cells["other"]["floor_units"], cells["other"]["censoring"]) == (None, 5, "floor")


def test_a_shop_that_no_register_lists_has_its_own_limits_and_everybodys(cells_of: Callable[..., Rows]) -> None:
    lines = [{"line_id": s, "retailer_id": s, "sku_id": "S", "ordered_on": MONDAY, "delivered_units": 5.0} for s in ("own", "other")]
    limits: list[dict[str, Any]] = [{"tier": "T1", "cap_units": 1.0}, {"retailer_id": "own", "cap_units": 5.0}, {"cap_units": 7.0}]
    cells = cells_of(order_lines=lines, allocation_limits=[{"week_start": MONDAY, "sku_id": "S"} | limit for limit in limits])
    assert {cell["retailer_id"]: cell["censoring"] for cell in cells} == {"own": "cap", "other": "none"}


def number_or_none(cap: float | str) -> float | None:
    """A cap as the books have it: ``none`` is a row without one."""
    return None if isinstance(cap, str) else cap
