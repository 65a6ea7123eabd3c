"""Rhythms of shops, on orders whose weeks are written down."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from contracts.weeks import HORIZONS
from features.rhythm import RHYTHM_WINDOW, even_orders, parity_share, retailer_rhythms
from tests.cell_rows import AS_OF, cell, closed
from tests.statements import Rows, Statement


@pytest.fixture(scope="module")
def rhythms() -> Statement:
    return Statement(lambda cells: retailer_rhythms(cells, AS_OF), "demand_cells")


def ordered(weeks_ago: Iterable[int], retailer: str = "R") -> Rows:
    return [cell(retailer, "S", ago, 1) for ago in weeks_ago]


def phases(row: dict[str, Any]) -> list[float]:
    return [row[f"rhythm_phase_{horizon}"] for horizon in HORIZONS]


def due_shares(row: dict[str, Any]) -> list[float]:
    return [row[f"due_share_{horizon}"] for horizon in HORIZONS]


@pytest.mark.parametrize("rhythm", [1, 2, 3, 4])
def test_a_shop_that_orders_every_nth_week_is_due_every_nth_week(rhythms: Statement, rhythm: int) -> None:
    for last in range(rhythm):
        [row] = rhythms.rows(demand_cells=ordered(range(last, 60, rhythm)))
        due = [(last + horizon) % rhythm == 0 for horizon in HORIZONS]
        assert (row["rhythm_weeks"], row["rhythm_share"]) == (rhythm, 1)
        assert [phase == 0 for phase in phases(row)] == due
        assert due_shares(row) == [float(is_due) for is_due in due]


def test_the_phase_counts_from_the_last_order(rhythms: Statement) -> None:
    [row] = rhythms.rows(demand_cells=ordered(range(1, 26, 4)))
    assert phases(row) == [2, 3, 0, 1, 2, 3, 0, 1]


def test_a_skipped_week_leaves_the_rhythm_as_it_is(rhythms: Statement) -> None:
    [row] = rhythms.rows(demand_cells=ordered(ago for ago in range(0, 26, 2) if ago not in (6, 14)))
    assert row["rhythm_weeks"] == 2
    assert row["rhythm_share"] == pytest.approx(8 / 10)
    assert due_shares(row)[:2] == [0, pytest.approx(11 / 13)]


def test_longer_gaps_than_four_weeks_count_as_four(rhythms: Statement) -> None:
    [row] = rhythms.rows(demand_cells=ordered([0, 6, 12, 18, 24]))
    assert (row["rhythm_weeks"], row["rhythm_share"]) == (4, 1)


def test_few_orders_make_no_rhythm(rhythms: Statement) -> None:
    [row] = rhythms.rows(demand_cells=ordered([0, 2, 4]))
    assert {name: value for name, value in row.items() if value is not None and name != "rhythm_share"} == {"retailer_id": "R"}


def test_an_order_of_several_skus_is_one_and_what_was_closed_is_none(rhythms: Statement) -> None:
    orders = ordered(range(0, 26, 2))
    more = [cell("R", "T", ago, 5) for ago in (0, 2, 8)] + [closed("R", "T", 1), closed("R", "T", 3)]
    assert rhythms.rows(demand_cells=orders + more) == rhythms.rows(demand_cells=orders)
    pushed = [closed("R", "T", 1, delivered=4)]
    assert rhythms.rows(demand_cells=orders + pushed) != rhythms.rows(demand_cells=orders)


def test_orders_before_the_window_change_nothing(rhythms: Statement) -> None:
    recent = ordered(range(0, RHYTHM_WINDOW, 3))
    assert rhythms.rows(demand_cells=recent + ordered([RHYTHM_WINDOW, 30, 31])) == rhythms.rows(demand_cells=recent)
    assert rhythms.rows(demand_cells=ordered([RHYTHM_WINDOW, 30])) == []


def test_orders_after_the_cut_off_change_nothing(rhythms: Statement) -> None:
    known = ordered(range(0, 26, 2))
    assert rhythms.rows(demand_cells=known + ordered([-1, -2, -3])) == rhythms.rows(demand_cells=known)


def test_weeks_before_the_first_order_were_no_chances(rhythms: Statement) -> None:
    [row] = rhythms.rows(demand_cells=ordered([1, 3, 5, 7]))
    assert due_shares(row)[:2] == [1, 0]


def test_shops_are_apart(rhythms: Statement) -> None:
    rows = rhythms.rows(demand_cells=ordered(range(0, 26, 2), "Q") + ordered(range(1, 26, 2), "R"))
    assert [phases(row)[0] for row in rows] == [1, 0]


def test_a_pairs_orders_are_told_apart_by_even_and_odd_weeks() -> None:
    def shares(cells: Any) -> Any:
        counted = cells.group_by("sku_id").aggregate(even=even_orders(cells, AS_OF), orders=cells.count())
        return counted.select("sku_id", **{f"share_{h}": parity_share(counted.even, counted.orders, h) for h in (1, 2)})

    cells = [cell("R", "even", ago, 1) for ago in (0, 4, 10)] + [cell("R", "odd", ago, 1) for ago in (1, 5)]
    cells += [cell("R", "some", ago, 1) for ago in (2, 3, 5, 7)]
    rows = Statement(shares, "demand_cells").rows(demand_cells=cells)
    assert [(row["share_1"], row["share_2"]) for row in rows] == [(0, 1), (1, 0), (0.75, 0.25)]
