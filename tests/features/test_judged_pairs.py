"""What a judge of forecasts is told of pairs and their limits, counted by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from features.judged_pairs import KEY, limits_ahead, records_before
from tests.cell_rows import AS_OF, at_cap, cell, closed, week
from tests.statements import Rows, Statement

TABLES = ("cells", "retailers", "skus", "allocation_limits")
SKUS = [{"sku_id": "S", "price_band": "B"}, {"sku_id": "U"}]
RETAILERS = [{"retailer_id": "R", "tier": "T1"}, {"retailer_id": "Q"}]


def stored(*cells: dict[str, Any]) -> Rows:
    return [{name: value for name, value in row.items() if name != "true_units"} for row in cells]


def limit(week_start: date, **limits: object) -> dict[str, Any]:
    return {"week_start": week_start} | limits


@pytest.fixture(scope="module")
def ahead() -> Statement:
    def build(cells: Any, retailers: Any, skus: Any, limits: Any) -> Any:
        return limits_ahead(cells.select(*KEY).distinct(), cells, retailers, skus, limits, AS_OF)

    return Statement(build, *TABLES)


@pytest.fixture(scope="module")
def before() -> Statement:
    def build(cells: Any, retailers: Any, skus: Any, limits: Any) -> Any:
        return records_before(cells.select(*KEY).distinct(), cells, retailers, skus, limits, AS_OF)

    return Statement(build, *TABLES)


def test_every_pair_has_a_row_for_each_of_the_eight_weeks_with_what_it_got(ahead: Statement) -> None:
    rows = ahead.rows(cells=stored(cell("R", "S", 3, 9), cell("R", "S", -2, 5), cell("Q", "U", 1, 4)), retailers=RETAILERS, skus=SKUS)
    assert [(row["retailer_id"], row["horizon_weeks"]) for row in rows] == [(shop, h) for shop in "QR" for h in range(1, 9)]
    assert [row["delivered_units"] for row in rows] == [0] * 9 + [5] + [0] * 6
    assert {(row["cap_units"], row["band_cap_units"], row["floored"]) for row in rows} == {(None, None, False)}


def test_limits_hold_whether_or_not_anything_was_ordered(ahead: Statement) -> None:
    limits = [
        limit(week(-1), sku_id="S", tier="T1", cap_units=6.0),
        limit(week(-1), sku_id="S", cap_units=9.0),
        limit(week(-2), price_band="B", cap_units=20.0),
        limit(week(-3), sku_id="S", retailer_id="R", floor_units=2.0),
        limit(week(-4), price_band="B", floor_units=3.0),
    ]
    rows = ahead.rows(cells=stored(cell("R", "S", 0, 1)), retailers=RETAILERS, skus=SKUS, allocation_limits=limits)
    assert [row["cap_units"] for row in rows] == [6] + [None] * 7
    assert [row["band_cap_units"] for row in rows] == [None, 20] + [None] * 6
    assert [row["floored"] for row in rows] == [False, False, True, True, False, False, False, False]


def test_orders_are_counted_up_to_the_cut_off_and_closed_weeks_are_none(before: Statement) -> None:
    cells = [cell("R", "S", 51, 2), at_cap("R", "S", 26, 4, 9), at_cap("R", "S", 25, 4, 9), cell("R", "S", 0, 3), cell("R", "S", -1, 3)]
    shut = [closed("R", "S", 5), closed("R", "S", 30)]
    [row] = before.rows(cells=stored(*cells, *shut), retailers=RETAILERS, skus=SKUS)
    assert (row["orders_52w"], row["orders_26w"], row["capped_orders_26w"]) == (4, 2, 1)
    assert (row["tier"], row["open_weeks_52w"], row["capped_weeks_26w"]) == ("T1", 50, 0)


def test_a_young_pair_has_as_many_open_weeks_as_it_is_old_and_one_yet_to_order_none(before: Statement) -> None:
    old, young, unborn = before.rows(cells=stored(cell("R", "S", 70, 1), cell("R", "U", 4, 2), cell("Z", "S", -3, 2)))
    assert [row["open_weeks_52w"] for row in (old, young, unborn)] == [52, 5, 0]
    assert (unborn["tier"], unborn["orders_52w"]) == ("", 0)


def test_weeks_under_a_cap_count_without_an_order_too(before: Statement) -> None:
    limits = [limit(week(ago), sku_id="S", cap_units=6.0) for ago in (-1, 0, 3, 25, 26)]
    limits += [limit(week(7), price_band="B", cap_units=20.0), limit(week(8), sku_id="S", floor_units=2.0)]
    rows = before.rows(cells=stored(cell("R", "S", 0, 1), cell("Q", "U", 0, 1)), retailers=RETAILERS, skus=SKUS, allocation_limits=limits)
    assert {row["sku_id"]: row["capped_weeks_26w"] for row in rows} == {"S": 4, "U": 0}
