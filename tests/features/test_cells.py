"""Cells with recovered demand as of a cut-off, and the laws of making cells; the rules are in tests/spec, a slow twin in tests/oracles."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pytest

from contracts.cells import CELLS
from contracts.raw import ORDER_LINES
from features.cells import cells_to_recover, retailer_sku_weeks, weekly_orders, with_met_requests, with_true_units
from tests.cell_rows import AS_OF, at_cap, cell, closed, week
from tests.statements import Rows, Statement


@pytest.fixture(scope="module")
def known_cells() -> Statement:
    return Statement(lambda cells, recovered: with_true_units(cells, recovered, AS_OF), "cells", "recovered")


def stored(rows: Rows) -> Rows:
    """Cells as they are stored: without the true units that the table does not have."""
    return [{name: value for name, value in row.items() if name != "true_units"} for row in rows]


def estimate(true_units: float, **more: object) -> dict[str, Any]:
    return {"as_of": AS_OF, "retailer_id": "R", "sku_id": "S", "week_start": week(1), "true_units": true_units} | more


def test_recovered_demand_takes_the_place_of_what_was_delivered(known_cells: Statement) -> None:
    cells = stored([cell("R", "S", 0, 3), at_cap("R", "S", 1, 4, true=0), closed("R", "S", 2), at_cap("Q", "S", 1, 5, true=0)])
    found = known_cells.rows(cells=cells, recovered=[estimate(7.0)])
    units = {(row["retailer_id"], row["week_start"]): row["true_units"] for row in found}
    assert units == {("R", week(0)): 3, ("R", week(1)): 7, ("R", week(2)): 0, ("Q", week(1)): 5}
    assert list(found[0]) == [*CELLS.column_names, "true_units"]


def test_estimates_of_another_cut_off_are_not_used(known_cells: Statement) -> None:
    others = [estimate(80.0, as_of=AS_OF + timedelta(weeks=1)), estimate(90.0, as_of=AS_OF - timedelta(weeks=1))]
    [row] = known_cells.rows(cells=stored([at_cap("R", "S", 1, 4, true=0)]), recovered=others)
    assert row["true_units"] == 4


def test_weeks_after_the_cut_off_are_not_known(known_cells: Statement) -> None:
    found = known_cells.rows(cells=stored([cell("R", "S", ago, 3) for ago in (-2, -1, 0, 1)]))
    assert [row["week_start"] for row in found] == [week(1), week(0)]


def to_recover(free_skus: int) -> Statement:
    """What recovery rests on, with so many free SKUs."""
    return Statement(partial(cells_to_recover, as_of=AS_OF, free_skus=free_skus), "cells", "retailers", "skus")


def test_recovery_gets_all_cells_of_the_skus_that_were_ever_censored_with_their_tier() -> None:
    statement = to_recover(free_skus=0)
    cells = [cell("R", "A", 0, 1), at_cap("Q", "A", 9, 2, true=2), cell("R", "B", 0, 1), closed("R", "B", 1)]
    cells += [closed("R", "A", 2), cell("R", "C", 3, 2, censoring="floor"), cell("R", "D", 3, 2, censoring="band")]
    found = statement.rows(cells=stored(cells), retailers=[{"retailer_id": "R", "tier": "T1"}, {"retailer_id": "P", "tier": "T2"}])
    assert [(row["retailer_id"], row["sku_id"], row["tier"]) for row in found] == [
        ("Q", "A", ""),
        ("R", "A", "T1"),
        ("R", "A", "T1"),
        ("R", "C", "T1"),
        ("R", "D", "T1"),
    ]


def test_the_free_skus_with_most_cells_come_along_to_learn_from() -> None:
    cells = [at_cap("R", "A", 0, 2, true=2), cell("R", "few", 0, 1), cell("R", "some", 0, 1), cell("Q", "some", 1, 1)]
    cells += [cell("R", "many", ago, 1) for ago in range(3)]
    found = {count: {row["sku_id"] for row in to_recover(count).rows(cells=stored(cells))} for count in (0, 1, 2, 9)}
    assert found == {0: {"A"}, 1: {"A", "many"}, 2: {"A", "many", "some"}, 9: {"A", "many", "some", "few"}}


def test_free_skus_come_along_only_where_there_is_something_to_recover() -> None:
    assert to_recover(free_skus=9).rows(cells=stored([cell("R", "A", 0, 1), closed("R", "B", 1)])) == []


def test_recovery_as_of_an_earlier_sunday_knows_nothing_later() -> None:
    cells = [at_cap("R", "A", 0, 2, true=2), cell("R", "many", 0, 1), cell("R", "many", 1, 1), cell("R", "few", 0, 1)]
    later = [cell("R", "few", -ago, 1) for ago in range(1, 4)] + [at_cap("R", "many", -1, 2, true=2)]
    assert to_recover(free_skus=1).rows(cells=stored(cells + later)) == to_recover(free_skus=1).rows(cells=stored(cells))


def test_recovery_is_told_the_category_and_the_pack_of_a_sku() -> None:
    skus = [{"sku_id": "A", "category": "gin", "pack_units": 6.0}]
    found = to_recover(free_skus=0).rows(cells=stored([at_cap("R", name, 0, 2, true=2) for name in "AB"]), skus=skus)
    assert [(row["sku_id"], row["category"], row["pack_units"]) for row in found] == [("A", "gin", 6.0), ("B", "", None)]


def test_weekly_orders_keep_a_wish_null_where_no_line_recorded_it() -> None:
    lines = [
        {"line_id": str(n), "retailer_id": "R", "sku_id": sku, "ordered_on": AS_OF, "delivered_units": 2.0, "requested_units": wish}
        for n, (sku, wish) in enumerate([("A", None), ("A", None), ("B", None), ("B", 5.0)])
    ]
    found = Statement(weekly_orders, "order_lines").rows(order_lines=lines)
    assert [(row["sku_id"], row["delivered_units"], row["requested_units"]) for row in found] == [("A", 4, None), ("B", 4, 7)]


def test_a_request_that_was_met_under_a_limit_is_told_to_recovery() -> None:
    def told(order_lines: ir.Table, retailers: ir.Table, skus: ir.Table, allocation_limits: ir.Table, supply: ir.Table) -> ir.Table:
        return with_met_requests(retailer_sku_weeks(order_lines, retailers, skus, allocation_limits, supply), order_lines)

    statement = Statement(told, "order_lines", "retailers", "skus", "allocation_limits", "supply")
    lines = [
        {"line_id": str(n), "retailer_id": "R", "sku_id": sku, "ordered_on": AS_OF, "delivered_units": units, "requested_units": wish}
        for n, (sku, units, wish) in enumerate(
            [("A", 3.0, 5.0), ("B", 3.0, 3.0), ("C", 3.0, None), ("D", 2.0, 2.0), ("E", 2.0, 4.0), ("F", 2.0, None), ("F", 1.0, 1.0)]
        )
    ]
    limits = [{"week_start": week(0), "sku_id": sku, "cap_units": 3.0} for sku in "ABCDF"]
    found = {row["sku_id"]: (row["censoring"], row["upper_units"]) for row in statement.rows(order_lines=lines, allocation_limits=limits)}
    of_one_line = {"A": ("cap", 5), "B": ("cap", 3), "C": ("cap", None), "D": ("none", 2), "E": ("cap", 4)}
    assert found == of_one_line | {"F": ("cap", None)}


def test_without_any_order_there_is_no_cell() -> None:
    statement = Statement(retailer_sku_weeks, "order_lines", "retailers", "skus", "allocation_limits", "supply")
    supply = [{"week_start": week(0), "sku_id": "S", "available_units": 0.0}]
    nothing = statement.table(supply=supply, skus=[{"sku_id": "S"}], retailers=[{"retailer_id": "R"}])
    assert nothing.num_rows == 0
    assert tuple(nothing.column_names) == CELLS.column_names


def test_the_tables_given_are_not_changed() -> None:
    lines = pa.Table.from_pylist(
        [{"line_id": "1", "retailer_id": "R", "sku_id": "S", "ordered_on": AS_OF, "delivered_units": 2.0}], schema=ORDER_LINES.arrow_schema
    )
    before = lines.to_pylist()
    statement = Statement(retailer_sku_weeks, "order_lines", "retailers", "skus", "allocation_limits", "supply")
    assert statement.rows(order_lines=lines)[0]["week_start"] == week(0)
    assert lines.to_pylist() == before
