"""Lines that are put aside: whole orders that are there twice, sizes far beyond the usual, and what a person decides."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from features.data_check_quarantine import quarantined_lines
from tests.statements import Rows, Statement

DAY = date(2024, 9, 25)
SUNDAY = date(2024, 9, 29)


@pytest.fixture(scope="module")
def put_aside() -> Statement:
    return Statement(lambda lines, decisions: quarantined_lines(lines, decisions, SUNDAY), "order_lines", "quarantine_decisions")


def line(line_id: str, sku: str = "S1", day: date = DAY, units: float = 4.0, **more: Any) -> dict[str, Any]:
    return {"line_id": line_id, "retailer_id": "R1", "sku_id": sku, "ordered_on": day, "delivered_units": units} | more


def basket(prefix: str, skus: int = 6, **more: Any) -> Rows:
    return [line(f"{prefix}{number}", f"S{number}", units=number + 1.0, **more) for number in range(skus)]


def history(orders: int = 8, units: float = 4.0, **more: Any) -> Rows:
    return [line(f"H{ago}", day=DAY - timedelta(weeks=ago), units=units, **more) for ago in range(1, orders + 1)]


def ids(found: Rows) -> list[str]:
    return [row["line_id"] for row in found]


def test_an_order_that_is_there_twice_loses_the_later_ids(put_aside: Statement) -> None:
    found = put_aside.rows(order_lines=basket("A") + basket("B"))
    assert ids(found) == [f"B{number}" for number in range(6)]
    assert {row["check_name"] for row in found} == {"duplicate_lines"}


def test_a_second_order_of_some_of_the_skus_is_an_order(put_aside: Statement) -> None:
    assert put_aside.rows(order_lines=basket("A") + basket("B", skus=4)) == []
    assert put_aside.rows(order_lines=basket("A", skus=4) + basket("B", skus=4)) == []


def test_where_a_fifth_of_a_day_is_doubled_its_small_orders_lose_their_copies_too(put_aside: Statement) -> None:
    small = [line("C1", retailer_id="R2"), line("C2", retailer_id="R2"), line("C3", "S9", retailer_id="R2")]
    assert ids(put_aside.rows(order_lines=basket("A") + basket("B") + small))[-1] == "C2"


def test_a_line_of_a_hundred_times_the_usual_is_put_aside_with_what_is_usual(put_aside: Statement) -> None:
    [found] = put_aside.rows(order_lines=[*history(), line("X", units=480.0)])
    assert (found["line_id"], found["check_name"]) == ("X", "implausible_lines")
    assert found["usual_units"] == pytest.approx(4.0)


def test_a_line_that_is_large_for_the_shop_alone_is_an_order(put_aside: Statement) -> None:
    others = [line(f"O{number}", day=DAY - timedelta(weeks=2), units=100.0, retailer_id=f"R{number}") for number in range(2, 60)]
    assert put_aside.rows(order_lines=[*history(), *others, line("X", units=480.0)]) == []
    assert put_aside.rows(order_lines=[*history(), line("X", units=390.0)]) == []


def test_a_first_order_is_judged_by_what_anybody_ordered(put_aside: Statement) -> None:
    others = [line(f"O{number}", day=DAY - timedelta(weeks=2), retailer_id=f"R{number}") for number in range(2, 60)]
    assert ids(put_aside.rows(order_lines=[*others, line("X", units=4000.0)])) == ["X"]
    assert put_aside.rows(order_lines=[*others, line("X", units=390.0)]) == []


def test_nothing_later_decides_about_a_line(put_aside: Statement) -> None:
    later = [line(f"L{ahead}", day=DAY + timedelta(weeks=ahead), units=480.0) for ahead in range(1, 9)]
    assert ids(put_aside.rows(order_lines=[*history(), line("X", units=480.0), *later])) == ["X"]
    assert put_aside.rows(order_lines=[line("X", units=480.0), *history()[:4]]) == []


def test_a_person_releases_a_line_or_keeps_one_out_from_a_day_on(put_aside: Statement) -> None:
    lines = [*history(), line("X", units=480.0)]

    def decided(line_id: str, decision: str, holds_from: date) -> dict[str, Any]:
        return {"line_id": line_id, "decision": decision, "holds_from": holds_from, "decided_by": "li.m", "reason": "asked the shop"}

    released, kept_out = decided("X", "release", SUNDAY), decided("H1", "keep_out", SUNDAY)
    assert ids(put_aside.rows(order_lines=lines, quarantine_decisions=[released])) == []
    assert ids(put_aside.rows(order_lines=lines, quarantine_decisions=[decided("X", "release", SUNDAY + timedelta(days=1))])) == ["X"]
    [by_hand] = put_aside.rows(order_lines=lines, quarantine_decisions=[released, kept_out])
    assert (by_hand["line_id"], by_hand["check_name"], by_hand["reason"]) == ("H1", "decision", "asked the shop")
    later = [decided("H1", "keep_out", SUNDAY - timedelta(days=7)), decided("H1", "release", SUNDAY), released]
    assert put_aside.rows(order_lines=lines, quarantine_decisions=later) == []


def test_asking_for_some_days_finds_the_same_lines_of_them(put_aside: Statement) -> None:
    lines = [*history(), line("X", units=480.0), *basket("A", day=DAY - timedelta(days=9)), *basket("B", day=DAY - timedelta(days=9))]
    week = (SUNDAY - timedelta(days=6), SUNDAY)
    of_week = Statement(lambda rows, decisions: quarantined_lines(rows, decisions, SUNDAY, week), "order_lines", "quarantine_decisions")
    everything = put_aside.rows(order_lines=lines)
    assert len(everything) == 7
    assert of_week.rows(order_lines=lines) == [row for row in everything if week[0] <= row["ordered_on"] <= week[1]]
