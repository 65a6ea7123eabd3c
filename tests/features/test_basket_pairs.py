"""What is carried, withdrawn and shut as of a Sunday, and nothing of the weeks after it."""

from __future__ import annotations

from functools import partial
from typing import Any

import ibis.expr.types as ir
import pytest

from features.basket_pairs import carried_pairs, shut_pairs, withdrawn_skus
from tests.cell_rows import AS_OF, cell, closed, week
from tests.statements import Statement


def carried(cells: ir.Table, retailers: ir.Table) -> ir.Table:
    return carried_pairs(cells, retailers, AS_OF)


@pytest.fixture(scope="module")
def carrying() -> Statement:
    return Statement(carried, "cells", "retailers")


@pytest.fixture(scope="module")
def withdrawing() -> Statement:
    return Statement(partial(withdrawn_skus, as_of=AS_OF), "skus", "supply")


@pytest.fixture(scope="module")
def shutting() -> Statement:
    return Statement(partial(shut_pairs, as_of=AS_OF), "cells", "retailers", "skus", "allocation_limits")


def known_cell(*arguments: Any, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in cell(*arguments, **more).items() if name != "true_units"}


CELLS = [
    known_cell("R1", "S1", 0, 3.0),
    known_cell("R1", "S1", 20, 4.0),
    known_cell("R1", "S2", 25, 5.0),
    known_cell("R1", "S3", 26, 6.0),
    known_cell("R2", "S1", 8, 7.0),
    known_cell("R3", "S1", 0, 8.0),
]


def test_active_retailers_carry_what_they_got_in_26_weeks(carrying: Statement) -> None:
    assert carrying.rows(cells=CELLS, retailers=[{"retailer_id": "R3", "closed_on": AS_OF}]) == [
        {"retailer_id": "R1", "sku_id": "S1", "units_26w": 7.0, "is_recent": True},
        {"retailer_id": "R1", "sku_id": "S2", "units_26w": 5.0, "is_recent": False},
    ]


def test_weeks_after_the_cut_off_and_weeks_in_which_nothing_could_be_ordered_change_nothing(carrying: Statement) -> None:
    shut = {name: value for name, value in closed("R1", "S9", 1).items() if name != "true_units"}
    later = [known_cell("R2", "S7", -1, 9.0), known_cell("R1", "S8", -2, 9.0), shut]
    assert carrying.table(cells=CELLS + later).equals(carrying.table(cells=CELLS))


def test_a_sku_is_withdrawn_when_delisted_by_then_or_out_of_stock_in_its_newest_entry(withdrawing: Statement) -> None:
    skus = [{"sku_id": "S1", "delisted_on": AS_OF}, {"sku_id": "S2", "delisted_on": week(-1)}]
    supply = [
        {"sku_id": "S3", "week_start": week(0), "available_units": 0.0},
        {"sku_id": "S4", "week_start": week(1), "available_units": 0.0},
        {"sku_id": "S4", "week_start": week(0), "available_units": 5.0},
        {"sku_id": "S5", "week_start": week(4), "available_units": 0.0},
        {"sku_id": "S6", "week_start": week(0), "available_units": 5.0},
        {"sku_id": "S6", "week_start": week(-1), "available_units": 0.0},
    ]
    assert withdrawing.rows(skus=skus, supply=supply) == [{"sku_id": "S1"}, {"sku_id": "S3"}]


def test_the_most_specific_limit_of_the_last_week_shuts_a_pair(shutting: Statement) -> None:
    retailers = [{"retailer_id": "R1", "tier": "T1"}, {"retailer_id": "R2", "tier": "T1"}, {"retailer_id": "R3", "tier": "T2"}]
    skus = [{"sku_id": "S1"}, {"sku_id": "S2", "price_band": "B"}, {"sku_id": "S3", "price_band": "B"}]
    limits = [
        {"week_start": week(0), "sku_id": "S1", "tier": "T1", "cap_units": 0.0},
        {"week_start": week(0), "sku_id": "S1", "retailer_id": "R2", "cap_units": 3.0},
        {"week_start": week(0), "price_band": "B", "retailer_id": "R3", "cap_units": 0.0},
        {"week_start": week(1), "sku_id": "S2", "cap_units": 0.0},
        {"week_start": week(-1), "sku_id": "S3", "cap_units": 0.0},
    ]
    cells = [known_cell(retailer, "S9", 1, 2.0) for retailer in ("R1", "R2", "R3")]
    shut = [tuple(row.values()) for row in shutting.rows(cells=cells, retailers=retailers, skus=skus, allocation_limits=limits)]
    assert shut == [("R1", "S1"), ("R3", "S2"), ("R3", "S3")]


def test_a_cap_of_zero_for_everybody_shuts_out_who_is_not_registered_too(shutting: Statement) -> None:
    limits = [{"week_start": week(0), "sku_id": "S1", "cap_units": 0.0}]
    shut = shutting.rows(cells=[known_cell("R7", "S9", 1, 2.0)], allocation_limits=limits)
    assert [tuple(row.values()) for row in shut] == [("R7", "S1")]
