"""The rule: which pairs get a forecast, those with a history and those that are new."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.attributes import known_retailers, known_skus
from features.pair_history import pair_history
from features.pairs import ColdStart, forecast_pairs
from tests.cell_rows import AS_OF, at_cap, cell, closed
from tests.statements import Rows, Statement

COLD_START = ColdStart(new_weeks=4, skus_per_retailer=2, retailers_per_sku=2)


def days_ago(days: int) -> date:
    """A day counted back from the cut-off."""
    return AS_OF - timedelta(days=days)


@pytest.fixture(scope="module")
def statement() -> Statement:
    def build(cells: Any, retailers: Any, skus: Any) -> Any:
        shops, products = known_retailers(cells, retailers, ["tier"]), known_skus(cells, skus, ["category"])
        return forecast_pairs(pair_history(cells, AS_OF), shops, products, AS_OF, COLD_START)

    return Statement(build, "demand_cells", "retailers", "skus")


def keys(rows: Rows, method: str) -> Sequence[tuple[str, str]]:
    return [(row["retailer_id"], row["sku_id"]) for row in rows if row["method"] == method]


def test_a_pair_ordered_in_the_last_52_weeks_is_forecast(statement: Statement) -> None:
    cells = [cell("R", "last week", 0, 1), cell("R", "51 ago", 51, 1), cell("R", "52 ago", 52, 1), cell("R", "60 ago", 60, 1)]
    cells += [at_cap("R", "nothing delivered", 3, 0, true=2), closed("R", "only in a closed week", 3, delivered=2)]
    cells += [closed("R", "60 ago", 2)]
    expected = ["51 ago", "last week", "nothing delivered", "only in a closed week"]
    assert statement.rows(demand_cells=cells) == [{"retailer_id": "R", "sku_id": sku, "method": "history"} for sku in expected]


def test_a_retailer_that_closed_has_no_pairs(statement: Statement) -> None:
    register: list[dict[str, Any]] = [{"retailer_id": f"closed {days} days ago", "closed_on": days_ago(days)} for days in (300, 1, 0, -1)]
    cells = [cell(row["retailer_id"], "S", 2, 1) for row in register] + [cell("unregistered", "S", 2, 1)]
    found = statement.rows(demand_cells=cells, retailers=register)
    assert keys(found, "history") == [("closed -1 days ago", "S"), ("unregistered", "S")]


def test_a_new_retailer_gets_the_skus_that_most_of_its_tier_buys(statement: Statement) -> None:
    carriers = {"A": ["Q1", "Q2", "Q3"], "B": ["Q1", "Q2"], "C": ["Q1", "Q2"], "D": ["other"]}
    cells = [cell(shop, sku, 5, 9 if sku == "C" else 1) for sku, shops in carriers.items() for shop in shops]
    register: list[dict[str, Any]] = [{"retailer_id": shop, "tier": "T1"} for shop in ("Q1", "Q2", "Q3")] + [
        {"retailer_id": "other", "tier": "T2"}
    ]
    register += [
        {"retailer_id": "new", "tier": "T1", "opened_on": days_ago(6)},
        {"retailer_id": "new 2", "tier": "T2", "opened_on": days_ago(6)},
    ]
    found = statement.rows(demand_cells=cells, retailers=register)
    assert keys(found, "cold_start") == [("new", "A"), ("new", "B"), ("new 2", "D")]


def test_skus_that_closed_shops_buy_that_nobody_buys_lately_or_that_are_delisted_are_not_offered(statement: Statement) -> None:
    cells = [cell("Q", "lately", 12, 1), cell("Q", "long ago", 13, 1), cell("Q", "delisted", 0, 1)]
    cells += [cell(shop, sku, 30, 1) for shop, sku in (("Q", "lately"), ("Q", "delisted"), ("shut", "shut"))] + [cell("shut", "shut", 0, 1)]
    register = [{"retailer_id": "shut", "closed_on": days_ago(1)}, {"retailer_id": "new", "opened_on": days_ago(6)}]
    found = statement.rows(demand_cells=cells, retailers=register, skus=[{"sku_id": "delisted", "delisted_on": AS_OF}])
    assert keys(found, "cold_start") == [("new", "lately")]


@pytest.mark.parametrize(("opened", "is_new"), [(28, False), (27, True), (0, True), (-56, True), (-57, False)])
def test_a_shop_is_new_for_four_weeks_and_known_eight_weeks_ahead(statement: Statement, opened: int, is_new: bool) -> None:
    found = statement.rows(
        demand_cells=[cell("Q", "S", 30, 1), cell("Q", "S", 0, 1)], retailers=[{"retailer_id": "new", "opened_on": days_ago(opened)}]
    )
    assert keys(found, "cold_start") == ([("new", "S")] if is_new else [])


@pytest.mark.parametrize(("first_order_ago", "is_new"), [(3, True), (4, False)])
def test_what_was_first_ordered_lately_is_new(statement: Statement, first_order_ago: int, is_new: bool) -> None:
    cells = [cell("Q", "S", 30, 5), cell("Q", "S", 0, 5), cell("new shop", "T", first_order_ago, 1), cell("Q", "T", first_order_ago, 2)]
    register = [{"retailer_id": "new shop", "opened_on": days_ago(4000)}, {"retailer_id": "P"}]
    found = statement.rows(demand_cells=cells, retailers=register)
    assert keys(found, "cold_start") == ([("new shop", "S")] if is_new else [])
    assert keys(found, "history") == [("Q", "S"), ("Q", "T"), ("new shop", "T")]


def test_a_new_sku_gets_the_retailers_that_buy_most_of_its_category(statement: Statement) -> None:
    cells = [cell(shop, "old", 5, units) for shop, units in (("P", 9), ("Q", 7), ("R", 8))] + [cell("S", "of another kind", 5, 99)]
    skus: Rows = [{"sku_id": "old", "category": "gin"}, {"sku_id": "of another kind", "category": "rum"}]
    skus += [{"sku_id": "new", "category": "gin", "launched_on": days_ago(-20)}]
    skus += [{"sku_id": "delisted", "category": "gin", "launched_on": days_ago(2), "delisted_on": days_ago(1)}]
    skus += [{"sku_id": "nobody's", "category": "tea", "launched_on": days_ago(2)}]
    found = statement.rows(demand_cells=cells, skus=skus)
    assert keys(found, "cold_start") == [("P", "new"), ("R", "new")]
    shut = [{"retailer_id": "P", "closed_on": AS_OF}]
    assert keys(statement.rows(demand_cells=cells, skus=skus, retailers=shut), "cold_start") == [("Q", "new"), ("R", "new")]


def test_a_new_sku_without_a_category_goes_to_the_largest_retailers_of_such(statement: Statement) -> None:
    cells = [cell(shop, "old", 5, units) for shop, units in (("P", 9), ("Q", 7), ("R", 8))]
    found = statement.rows(demand_cells=cells, skus=[{"sku_id": "new", "launched_on": days_ago(1)}])
    assert keys(found, "cold_start") == [("P", "new"), ("R", "new")]


def test_a_new_retailer_and_a_new_sku_meet_once(statement: Statement) -> None:
    cells = [cell("Q", "S", 20, 4), cell("Q", "S", 1, 4), cell("Q", "new", 1, 4), cell("shop", "S", 1, 9)]
    found = statement.rows(demand_cells=cells, retailers=[{"retailer_id": "shop", "opened_on": days_ago(9)}])
    assert keys(found, "cold_start") == [("shop", "new")]
    assert len(found) == 4


def test_where_nobody_ordered_there_are_no_pairs(statement: Statement) -> None:
    register = [{"retailer_id": "new", "opened_on": days_ago(2)}]
    assert statement.rows(retailers=register, skus=[{"sku_id": "new", "launched_on": days_ago(2)}]) == []


shops, products = st.sampled_from(["P", "Q", "R"]), st.sampled_from(["S", "T", "U"])
orders = st.lists(st.tuples(shops, products, st.integers(0, 60), st.booleans()), max_size=15)
openings = st.dictionaries(shops, st.tuples(st.integers(-60, 60), st.integers(-60, 60)))


@settings(max_examples=25, deadline=None)
@given(ordered=orders, spans=openings)
def test_every_pair_ordered_by_an_open_retailer_is_there_exactly_once(
    statement: Statement, ordered: list[tuple[str, str, int, bool]], spans: dict[str, tuple[int, int]]
) -> None:
    register = [{"retailer_id": name, "opened_on": days_ago(a), "closed_on": days_ago(b)} for name, (a, b) in spans.items()]
    unique = {(shop, sku, ago): shut for shop, sku, ago, shut in ordered}
    cells = [closed(*key, delivered=1) if shut else cell(*key, 1) for key, shut in unique.items()]
    found = statement.rows(demand_cells=cells, retailers=register)
    open_shops = {name for name in "PQR" if name not in spans or spans[name][1] < 0}
    assert set(keys(found, "history")) == {(shop, sku) for shop, sku, ago in unique if ago < 52 and shop in open_shops}
    pairs = [(row["retailer_id"], row["sku_id"]) for row in found]
    assert len(pairs) == len(set(pairs))
    assert {shop for shop, _ in pairs} <= open_shops
