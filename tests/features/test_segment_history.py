"""The sums that segments are made of, on small markets counted by hand, and the law that nothing after the cut-off counts."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.segment_attrition import past_cohorts
from features.segment_history import segment_history
from features.segment_money import sku_prices
from tests.cell_rows import AS_OF, at_cap, cell, closed, week
from tests.statements import Rows, Statement


@pytest.fixture(scope="module")
def history_of() -> Statement:
    """The history as of AS_OF."""
    return Statement(partial(segment_history, as_of=AS_OF), "demand_cells", "retailers", "skus", "interactions")


@pytest.fixture(scope="module")
def cohorts_of() -> Statement:
    """The cohorts as of AS_OF."""
    return Statement(lambda cells: past_cohorts(cells, AS_OF), "cells")


@pytest.fixture(scope="module")
def prices_of() -> Statement:
    """The prices as of AS_OF."""
    return Statement(lambda cells, skus: sku_prices(cells, skus, AS_OF), "demand_cells", "skus")


def contact(number: int, kind: str, days_ago: int, **more: object) -> dict[str, Any]:
    """A contact with R."""
    return {"interaction_id": f"I{number}", "retailer_id": "R", "occurred_on": AS_OF - timedelta(days=days_ago), "kind": kind} | more


def test_who_closed_was_replaced_or_has_been_silent_for_a_year_is_not_classified(history_of: Statement) -> None:
    cells = [cell(name, "S", ago, 1.0) for name, ago in (("R", 0), ("silent", 51), ("lost", 52), ("closed", 1), ("old", 5), ("new", 2))]
    register = [{"retailer_id": "closed", "closed_on": AS_OF}, {"retailer_id": "old", "successor_id": "new"}]
    assert [row["retailer_id"] for row in history_of.rows(demand_cells=cells, retailers=register)] == ["R", "new", "silent"]


def test_a_licence_that_ends_after_the_cut_off_is_still_there(history_of: Statement) -> None:
    register = [{"retailer_id": "R", "closed_on": AS_OF + timedelta(days=1)}]
    assert len(history_of.rows(demand_cells=[cell("R", "S", 0, 1.0)], retailers=register)) == 1


def test_money_is_what_was_paid_and_costs_are_counted_where_known(history_of: Statement) -> None:
    cells = [
        cell("R", "A", 0, 2.0, amount=20.0),
        cell("R", "B", 1, 3.0),
        cell("R", "C", 2, 1.0, amount=4.0),
        cell("R", "A", 52, 9.0, amount=9.0),
    ]
    skus = [{"sku_id": "A", "unit_cost": 7.0, "unit_price": 99.0}, {"sku_id": "B", "unit_cost": 1.0, "unit_price": 5.0}, {"sku_id": "C"}]
    row = history_of.rows(demand_cells=cells, skus=skus)[0]
    assert (row["money_52w"], row["money_with_cost_52w"], row["cost_52w"]) == (20 + 15 + 4, 20 + 15, 14 + 3)


def test_fill_is_of_weeks_with_supply_at_the_same_prices(history_of: Statement) -> None:
    cells = [at_cap("R", "A", 0, 2.0, 5.0) | {"amount": 20.0}, closed("R", "A", 1), cell("R", "A", 30, 4.0, amount=40.0)]
    row = history_of.rows(demand_cells=cells)[0]
    assert (row["delivered_value_26w"], row["true_value_26w"]) == (20.0, 50.0)
    assert (row["delivered_value_52w"], row["true_value_52w"], row["limited_52w"]) == (60.0, 90.0, 1)


def test_prices_are_those_paid_and_else_those_listed(prices_of: Statement) -> None:
    cells = [cell("R", "A", 0, 2.0, amount=20.0), cell("Q", "A", 3, 2.0, amount=28.0), cell("R", "A", -1, 2.0, amount=900.0)]
    skus = [{"sku_id": "A", "unit_price": 1.0}, {"sku_id": "B", "unit_price": 6.0, "unit_cost": 5.0}]
    rows = prices_of.rows(demand_cells=cells, skus=skus)
    assert [(row["sku_id"], row["price"], row["unit_cost"]) for row in rows] == [("A", 12.0, None), ("B", 6.0, 5.0)]


def test_breadth_kept_leaves_out_what_was_delisted(history_of: Statement) -> None:
    cells = [cell("R", sku, 40, 1.0) for sku in "ABC"] + [cell("R", sku, 2, 1.0) for sku in "AD"]
    skus = [{"sku_id": "C", "delisted_on": AS_OF}]
    row = history_of.rows(demand_cells=cells, skus=skus)[0]
    assert (row["skus_52w"], row["skus_before"], row["skus_kept"]) == (4, 2, 1)


def test_demand_is_compared_with_the_same_weeks_of_the_year_before(history_of: Statement) -> None:
    cells = [cell("R", "A", ago, units) for ago, units in ((0, 1.0), (12, 2.0), (13, 4.0), (25, 8.0), (52, 16.0), (64, 32.0), (65, 64.0))]
    row = history_of.rows(demand_cells=cells)[0]
    assert (row["true_units_13w"], row["true_units_prev_13w"], row["true_units_year_ago_13w"], row["true_units_52w"]) == (3, 12, 48, 15)
    assert (row["order_weeks_26w"], row["tenure_weeks"], row["weeks_on_record"]) == (4, 65, 65)


def test_a_complaint_settled_after_the_cut_off_has_taken_until_it(history_of: Statement) -> None:
    contacts = [
        contact(1, "complaint", 10, score=80.0, resolved_on=AS_OF - timedelta(days=6)),
        contact(2, "complaint", 20, resolved_on=AS_OF + timedelta(days=30)),
        contact(3, "complaint", 400, score=90.0),
        contact(4, "return", 3),
        contact(5, "visit", 3),
        contact(6, "call", 363),
        contact(7, "call", 364),
        contact(8, "complaint", -1),
    ]
    row = history_of.rows(demand_cells=[cell("R", "A", 0, 1.0)], interactions=contacts)[0]
    assert (row["complaints_52w"], row["rated_complaints_52w"], row["severity_52w"]) == (2, 1, 80.0)
    assert (row["days_to_resolve_52w"], row["returns_52w"], row["visits_52w"]) == ((4 + 20) / 2, 1, 2)


def test_cohorts_tell_who_still_ordered_in_each_half_year(cohorts_of: Statement) -> None:
    # cut-offs lie 52, 65 and 78 weeks back: the week 52 weeks ago is the last one known at the first
    steady = [cell("steady", "A", ago, 1.0) for ago in range(80)]
    stopped = [cell("stopped", "A", ago, 1.0) for ago in range(40, 62, 2)]
    rows = [row for row in cohorts_of.rows(cells=[without_truth(row) for row in steady + stopped]) if row["weeks_ago"] == 52]
    found = {row["order_weeks"]: row for row in rows}
    assert (found[26]["retailers"], found[26]["ordered_first"], found[26]["ordered_second"]) == (1, 1, 1)
    assert (found[5]["silent_weeks"], found[5]["silent_gaps"]) == (0, 0)
    assert (found[5]["ordered_first"], found[5]["ordered_second"], found[5]["ordered_either"]) == (1, 0, 1)


def without_truth(row: dict[str, Any]) -> dict[str, Any]:
    """A cell as it is derived, without an estimate."""
    return {name: value for name, value in row.items() if name != "true_units"}


orders = st.lists(st.tuples(st.sampled_from(["R", "Q"]), st.sampled_from(["A", "B"]), st.integers(-30, 110)), unique=True, max_size=25)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=orders, seen=st.integers(-30, 60), units=st.floats(1, 50))
def test_nothing_after_the_cut_off_counts(
    history_of: Statement, cohorts_of: Statement, prices_of: Statement, chosen: list[tuple[str, str, int]], seen: int, units: float
) -> None:
    cells = [cell(name, sku, ago, units, amount=3.0) for name, sku, ago in chosen]
    contacts = [contact(1, "complaint", seen), contact(2, "return", -seen)]
    skus = [{"sku_id": "A", "unit_cost": 1.0}]
    known_cells = [row for row in cells if row["week_start"] <= week(0)]
    known_contacts = [row for row in contacts if row["occurred_on"] <= AS_OF]

    def found(cells: Rows, contacts: Rows) -> tuple[Rows, Rows, Rows]:
        return (
            history_of.rows(demand_cells=cells, skus=skus, interactions=contacts),
            cohorts_of.rows(cells=[without_truth(row) for row in cells]),
            prices_of.rows(demand_cells=cells, skus=skus),
        )

    assert found(cells, contacts) == found(known_cells, known_contacts)
