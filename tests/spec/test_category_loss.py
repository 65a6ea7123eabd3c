"""The rule: who goes on ordering but stopped a category that it used to buy.

A line per retailer, a sign per week: the 26 weeks before the cut-off, ``|``, the 13 after it. ``a`` and ``b`` are orders of a SKU of
either category, ``B`` of another SKU of the second one, ``?`` of a SKU without a category, ``2`` of ``a`` and ``b``; ``o``: ``a`` ordered,
``b`` closed.
"""

from __future__ import annotations

from typing import Any

import ibis.expr.types as ir
import pytest

from features.category_loss import category_losses
from features.churn_population import was_ordered
from tests.cell_rows import AS_OF, cell, closed
from tests.statements import Rows, Statement

SKUS = [
    {"sku_id": "a", "category": "A"},
    {"sku_id": "b", "category": "B"},
    {"sku_id": "B", "category": "B"},
    {"sku_id": "?", "category": None},
]
ORDERED = {"a": "a", "b": "b", "B": "B", "?": "?", "2": "ab", "o": "a"}
EVERYBODY = "regular 22222222222222222222222222|2222222222222"
"""Without it nobody would buy the category any more, which would be nobody's loss."""


@pytest.fixture(scope="module")
def statement() -> Statement:
    def build(cells: ir.Table, skus: ir.Table) -> ir.Table:
        later = cells.group_by("retailer_id").aggregate(orders=cells.count(where=was_ordered(cells) & (cells.week_start > AS_OF)))
        return category_losses(cells, skus, later.select("retailer_id", no_order=later.orders == 0), AS_OF)

    return Statement(build, "cells", "skus")


def losses_of(statement: Statement, table: str) -> dict[str, float]:
    cells: list[dict[str, Any]] = []
    for name, signs in (line.split() for line in table.strip().splitlines()):
        for weeks_ago, sign in zip(range(25, -14, -1), signs.replace("|", ""), strict=True):
            cells += [cell(name, sku, weeks_ago, 1) for sku in ORDERED.get(sign, "")]
            cells += [closed(name, "b", weeks_ago)] if sign == "o" else []
    for row in cells:
        row.pop("true_units")
    rows: Rows = statement.rows(cells=cells, skus=SKUS)
    return {row["retailer_id"]: row["loses_category"] for row in rows}


def test_a_category_bought_in_eight_weeks_of_26_and_in_none_of_13_after_is_lost(statement: Statement) -> None:
    table = f"""
        {EVERYBODY}
        stops    aaaaaaaaaaaaaaaaaa22222222|aaaaaaaaaaaaa
        seven    aaaaaaaaaaaaaaaaaaa2222222|aaaaaaaaaaaaa
        one_more aaaaaaaaaaaaaaaaaa22222222|aaaaaaaaaaaa2
        other    aaaaaaaaaaaaaaaaaa22222222|aaaaaaaaaaaaB
    """
    assert losses_of(statement, table) == {"regular": 0, "stops": 1, "seven": 0, "one_more": 0, "other": 0}


def test_what_it_had_stopped_before_is_not_lost_after(statement: Statement) -> None:
    table = f"""
        {EVERYBODY}
        before 2222222222222aaaaaaaaaaaaa|aaaaaaaaaaaaa
        just   22222222222222aaaaaaaaaaaa|aaaaaaaaaaaaa
    """
    assert losses_of(statement, table) == {"regular": 0, "before": 0, "just": 1}


def test_who_stops_altogether_or_never_bought_enough_has_no_answer(statement: Statement) -> None:
    table = f"""
        {EVERYBODY}
        lost   22222222222222222222222222|.............
        seldom a.....b.....a.....b.....a.|a...........a
    """
    assert losses_of(statement, table) == {"regular": 0}


def test_a_category_that_nobody_orders_any_more_is_nobodys_loss(statement: Statement) -> None:
    table = """
        one 22222222222222222222222222|aaaaaaaaaaaaa
        two 22222222222222222222222222|aaaaaaaaaaaaa
    """
    assert losses_of(statement, table) == {"one": 0, "two": 0}


def test_what_the_wholesaler_closed_for_most_of_the_window_is_no_loss(statement: Statement) -> None:
    table = f"""
        {EVERYBODY}
        seven_weeks 22222222222222222222222222|oooooooaaaaaa
        six_weeks   22222222222222222222222222|ooooooaaaaaaa
    """
    assert losses_of(statement, table) == {"regular": 0, "seven_weeks": 0, "six_weeks": 1}


def test_where_categories_are_unknown_nothing_is_said(statement: Statement) -> None:
    # one order in 40 without a category is 2.5 %, four of 43 are 9 %
    table = f"""
        {EVERYBODY}
        nearly_all aaaaaaaaaaaaaaaaaaaaaaaaaa|aaaaaaaaaaaa?
        too_few    aaaaaaaaaaaaaaaaaaaaaaaaaa|aaaaaaaaa????
    """
    assert losses_of(statement, table) == {"regular": 0, "nearly_all": 0}
