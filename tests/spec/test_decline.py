"""The rule: whose orders fell to half of last year's, the season taken out.

A line per retailer: in how many of last year's thirteen weeks it ordered, its units then and in the thirteen weeks after the cut-off, and
what it is told: 1 declines, 0 does not, ``.`` no answer. Ten shops beside them order 100 units then and ``100 · season`` now.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis.expr.types as ir
import pytest

from features.decline_labels import decline_labels
from tests.cell_rows import AS_OF, at_cap, cell, closed
from tests.statements import Rows, Statement

THEN, NOW = 51, -1
"""Weeks ago of the first week of either window."""


@pytest.fixture(scope="module")
def statement() -> Statement:
    def build(cells: ir.Table, demand_cells: ir.Table, retailers: ir.Table) -> ir.Table:
        return decline_labels(cells, demand_cells, retailers.select("retailer_id"), AS_OF)

    return Statement(build, "cells", "demand_cells", "retailers")


def shop(name: str, weeks: float, then: float, now: float, *, began: int = 60) -> Rows:
    """A shop that ordered its units of last year in so many weeks, and those of now in one."""
    spread = [cell(name, "S", THEN - n, then / weeks) for n in range(int(weeks))]
    return [cell(name, "S", began, 1), *spread, cell(name, "S", 0, 1), cell(name, "S", NOW - 5, now)]


def declines_of(statement: Statement, shops: Rows, *, season: float = 1.0, peers: int = 10) -> dict[str, float | None]:
    beside = [row for n in range(peers) for row in shop(f"peer{n}", 10, 100, 100 * season)]
    demand_cells = [*shops, *beside]
    cells = [{name: value for name, value in row.items() if name != "true_units"} for row in demand_cells]
    register = [{"retailer_id": name} for name in sorted({row["retailer_id"] for row in cells})]
    rows = statement.rows(cells=cells, demand_cells=demand_cells, retailers=register)
    return {row["retailer_id"]: row["declines"] for row in rows if not row["retailer_id"].startswith("peer")}


def test_half_of_last_year_is_a_decline_and_a_little_more_is_not(statement: Statement, rows_of: Callable[[str], Rows]) -> None:
    # the ten peers and the shops themselves make the season; the last line brings it to exactly 1
    table = """
        retailer weeks then now | declines
        half     5     40   20  | 1
        more     5     40   21  | 0
        nothing  5     40   0   | 1
        evens    5     40   119 | 0
    """
    expected = rows_of(table)
    shops = [row for line in expected for row in shop(line["retailer"], line["weeks"], line["then"], line["now"])]
    assert declines_of(statement, shops) == {line["retailer"]: line["declines"] for line in expected}


def test_a_season_that_everybody_shares_is_taken_out(statement: Statement) -> None:
    shops = shop("with_the_season", 5, 40, 12) + shop("worse", 5, 40, 2)
    assert declines_of(statement, shops, season=0.25) == {"with_the_season": 0.0, "worse": 1.0}
    assert declines_of(statement, shop("misses_it", 5, 40, 40), season=3.0) == {"misses_it": 1.0}


def test_a_growing_network_is_no_season(statement: Statement) -> None:
    newcomers = [row for n in range(20) for row in shop(f"peer_new{n}", 1, 0, 1000, began=20)]
    assert declines_of(statement, [*shop("steady", 5, 40, 30), *newcomers]) == {"steady": 0.0}


def test_without_a_year_or_with_few_orders_then_nothing_is_said(statement: Statement) -> None:
    shops = shop("since_51", 5, 40, 1, began=51) + shop("few_weeks", 3, 40, 1) + shop("four_weeks", 4, 40, 1)
    shops += [row for row in shop("since_50", 6, 40, 1, began=50) if row["week_start"] != cell("", "", 51, 0)["week_start"]]
    assert declines_of(statement, shops) == {"since_51": 1.0, "four_weeks": 1.0}


def test_too_few_retailers_tell_no_season(statement: Statement) -> None:
    assert declines_of(statement, shop("lonely", 5, 40, 1), peers=8) == {"lonely": None}
    assert declines_of(statement, shop("lonely", 5, 40, 1), peers=9) == {"lonely": 1.0}


def test_a_cap_is_no_decline(statement: Statement) -> None:
    rationed = [*shop("rationed", 5, 40, 0), at_cap("rationed", "T", NOW, 5, 38)]
    assert declines_of(statement, rationed) == {"rationed": 0.0}


def test_what_closed_weeks_can_explain_is_not_known(statement: Statement) -> None:
    def after(name: str, n_closed: int, now: float) -> list[dict[str, Any]]:
        return [*shop(name, 5, 40, now), *(closed(name, "S", NOW - n) for n in range(n_closed))]

    table = (
        after("open", 0, 16)
        + after("explained", 5, 16)
        + after("not_explained", 5, 4)
        + after("still_enough", 5, 30)
        + after("mostly", 7, 30)
    )
    # half of 40, times a season of 0.91, is 18; in 8 of 13 weeks that is 11
    expected = {"open": 1.0, "explained": None, "not_explained": 1.0, "still_enough": 0.0, "mostly": None}
    assert declines_of(statement, table) == expected
