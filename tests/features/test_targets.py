"""What pairs wanted after a cut-off, and the weeks in which that is not known."""

from __future__ import annotations

from typing import Any

import ibis
import pytest

from contracts.weeks import HORIZONS
from features.targets import closed_skus, target_units, with_targets
from tests.cell_rows import AS_OF, at_cap, cell, closed
from tests.statements import Rows, Statement

TARGETS = {"R": [None, 3, 0, 9, 0, 0, 0, 7], "Q": [2, 0, 0, 0, 0, 0, 0, 0]}
AHEAD = [closed("R", "S", -1, delivered=5), cell("R", "S", -2, 3), at_cap("R", "S", -4, 4, true=9), cell("R", "S", -8, 7)]
AHEAD += [cell("Q", "S", -1, 2), cell("R", "S", -9, 99), cell("R", "S", 0, 99), cell("P", "S", 0, 99), cell("P", "S", -9, 99)]


@pytest.fixture(scope="module")
def beside() -> Statement:
    """Targets beside pairs: retailers whose name is the SKU, whose floating population is the first horizon, whose latitude the last."""

    def build(pairs: Any, cells: Any) -> Any:
        first, last = ibis.coalesce(pairs.floating_population, 1.0), ibis.coalesce(pairs.latitude, 8.0)
        known = pairs.select("retailer_id", sku_id="name", open_from_horizon=first, open_until_horizon=last)
        return with_targets(known, cells, AS_OF, "came")

    return Statement(build, "retailers", "demand_cells")


def came(beside: Statement, pairs: list[tuple[str, str, float]], cells: Rows, last: float = 8.0) -> dict[str, list[float | None]]:
    """Targets by retailer of pairs given as retailer, SKU and first horizon, and the last horizon of all."""
    register = [{"retailer_id": shop, "name": sku, "floating_population": first, "latitude": last} for shop, sku, first in pairs]
    return {
        row["retailer_id"]: [row[f"came_{horizon}"] for horizon in HORIZONS] for row in beside.rows(retailers=register, demand_cells=cells)
    }


def test_targets_are_the_true_demand_of_the_next_eight_weeks() -> None:
    found = Statement(lambda cells: target_units(cells, AS_OF), "demand_cells").rows(demand_cells=AHEAD)
    assert {row["retailer_id"]: [row[f"target_{horizon}"] for horizon in HORIZONS] for row in found} == TARGETS


def test_a_pair_without_a_cell_wanted_nothing_and_a_closed_week_is_unknown(beside: Statement) -> None:
    assert came(beside, [(shop, "S", 1) for shop in "PQR"], AHEAD) == {"P": [0] * 8} | TARGETS


def test_a_week_at_a_floor_is_told_from_an_order(beside: Statement) -> None:
    floored = cell("R", "S", -3, 4, true=0.2, lower_units=0.0, censoring="floor")
    register: Rows = [{"retailer_id": shop, "name": "S"} for shop in "PR"]
    rows = {row["retailer_id"]: row for row in beside.rows(retailers=register, demand_cells=[floored, cell("R", "S", -2, 3)])}
    assert [rows["R"][f"came_{horizon}"] for horizon in (2, 3)] == [3, pytest.approx(0.2)]
    assert [rows["R"][f"came_{horizon}_floored"] for horizon in HORIZONS] == [False, False, True, *[False] * 5]
    assert not any(rows["P"][f"came_{horizon}_floored"] for horizon in HORIZONS)


def test_a_sku_is_shut_in_weeks_in_which_nobody_could_order_it() -> None:
    found = Statement(lambda cells: closed_skus(cells, AS_OF), "demand_cells").rows(
        demand_cells=[closed("P", "S", -2), closed("Q", "S", -2), closed("P", "S", -3), cell("Q", "S", -3, 1), cell("P", "T", -2, 1)]
    )
    assert [row["sku_id"] for row in found] == ["S"]
    assert [row[f"shut_{horizon}"] for row in found for horizon in HORIZONS] == [False, True, *[False] * 6]


def test_after_its_delisting_a_sku_has_targets_only_where_it_was_ordered(beside: Statement) -> None:
    found = came(beside, [(shop, "S", 1) for shop in "PR"], AHEAD, last=5.0)
    assert found == {"P": [0] * 5 + [None] * 3, "R": [None, 3, 0, 9, 0, None, None, 7]}


def test_what_a_pair_before_its_first_order_wanted_of_a_sku_without_stock_is_unknown(beside: Statement) -> None:
    cells = [closed("P", "S", -2), closed("P", "S", -3), cell("Q", "S", -3, 1), cell("late", "S", -5, 4)]
    found = came(beside, [("new", "S", 1), ("late", "S", 1), ("new to T", "T", 1)], cells)
    assert found == {"new": [0, None, 0, 0, 0, 0, 0, 0], "late": [0, None, 0, 0, 4, 0, 0, 0], "new to T": [0] * 8}


def test_weeks_before_the_opening_are_unknown_unless_something_was_ordered(beside: Statement) -> None:
    cells = [cell("early", "S", -2, 5), cell("on time", "S", -4, 6)]
    found = came(beside, [("silent", "S", 4), ("early", "S", 4), ("on time", "S", 4)], cells)
    later = [0, 0, 0, 0]
    assert found == {"silent": [None] * 3 + [0, *later], "early": [None, 5, None, 0, *later], "on time": [None] * 3 + [6, *later]}
