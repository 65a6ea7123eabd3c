"""Whether a statement that was compiled once says for any days what an expression compiled for those days says."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import ibis.expr.types as ir
import pytest

from contracts.errors import WarehouseError
from contracts.raw import EVENTS
from warehouse.connection import connect
from warehouse.statements import compiled
from warehouse.tables import contract_table, fetch, fetch_for

NEW_YEAR = date(2020, 1, 1)


def events_around(day: date, other: date) -> ir.Table:
    events = contract_table(EVENTS)
    near = (events.event_date >= day - timedelta(weeks=1)) & (events.event_date <= other)
    return events.filter(near).select("event_date", days=events.event_date.delta(day, unit="day"))


def test_a_statement_finds_for_any_days_what_an_expression_of_those_days_finds(tmp_path: Path) -> None:
    statement = compiled(events_around, "day", "other")
    with connect(str(tmp_path / "warehouse.duckdb"), threads=1, memory_limit="1GB") as con:
        con.execute(
            "INSERT INTO raw.events BY NAME SELECT DATE '2020-01-01' + n::INTEGER AS event_date, 'x' AS name FROM range(20) AS t(n)"
        )
        for start, last in ((0, 9), (12, 15), (3, -400)):
            days = NEW_YEAR + timedelta(days=start), NEW_YEAR + timedelta(days=last)
            found = fetch_for(con, statement, dict(zip(("day", "other"), days, strict=True)))
            assert found.equals(fetch(con, events_around(*days)))
        assert fetch_for(con, statement, {"day": NEW_YEAR, "other": None}).num_rows == 0


def test_a_statement_selects_from_what_it_is_given(tmp_path: Path) -> None:
    near = compiled(events_around, "day", "other")
    distances = compiled(lambda: near.as_table("near").select("days")).given(near=near)
    with connect(str(tmp_path / "warehouse.duckdb"), threads=1, memory_limit="1GB") as con:
        con.execute("INSERT INTO raw.events BY NAME SELECT DATE '2020-01-01' + n::INTEGER AS event_date, 'x' AS name FROM range(2) AS t(n)")
        found = fetch_for(con, distances, {"day": NEW_YEAR, "other": NEW_YEAR + timedelta(days=9)})
    assert sorted(found["days"].to_pylist()) == [0, 1]


def test_a_day_that_follows_from_no_open_one_is_refused() -> None:
    with pytest.raises(WarehouseError, match="has the fixed day 2020-01-01; expected days that follow from day"):
        compiled(lambda _day: events_around(NEW_YEAR, NEW_YEAR), "day")
