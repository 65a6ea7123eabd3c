"""Whether the status of a scored warehouse tells what is there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from flows.missed_weeks import missed_sundays
from flows.opening import open_warehouse
from flows.status import read_status
from tests.flows.commands import Command
from tests.small_county import AS_OF, EARLIER, Place, ScoredCounty
from warehouse.runs import finish_run, start_run


def test_the_status_tells_tables_champions_and_runs(county: ScoredCounty, uncap: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert uncap(county.place, "status") == 0
    printed = capsys.readouterr().out
    assert [part for part in ("Loaded", "Scored", "Champions", "Last runs", "uncap-demand", "uncap-churn") if part not in printed] == []
    assert "Not scored: 7 Sundays, 2025-08-10 to 2025-09-21" in printed
    assert printed.splitlines()[-1] == "Next: score what was missed with `uncap backfill --from 2025-08-10 --to 2025-09-21 --missing`"
    told = " ".join(printed.split())
    assert "uncap-churn: " in told
    assert " is promoted" in told
    assert "uncap-churn: false-churn rate " in told


def test_the_status_as_json_has_the_same_for_programs(county: ScoredCounty, uncap: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert uncap(county.place, "status", "--json") == 0
    status = json.loads(capsys.readouterr().out)
    scored = {table["table"]: table for table in status["scored"]}
    stored = county.place.rows(f"SELECT count(*) AS n FROM scored.demand_forecast WHERE as_of = DATE '{AS_OF}'").n[0]
    assert scored["scored.demand_forecast"]["newest_as_of"] == AS_OF.isoformat()
    assert scored["scored.demand_forecast"]["rows_of_newest"] == stored
    totals = county.place.rows("SELECT count(*) AS n, max(as_of) AS newest FROM scored.demand_forecast_total")
    assert scored["scored.demand_forecast_total"] == {
        "table": "scored.demand_forecast_total",
        "rows": totals.n[0],
        "newest_as_of": totals.newest[0].date().isoformat(),
        "rows_of_newest": stored // 8,
    }
    assert [(champion["model"], champion["version"], champion["as_of"]) for champion in status["champions"]] == [
        ("uncap-demand", "1", AS_OF.isoformat()),
        ("uncap-churn", "1", AS_OF.isoformat()),
    ]
    assert [list(champion["remarks"]) for champion in status["champions"]] == [[], ["promotion_gate", "false_churn"]]
    assert sorted((run["flow"], run["status"]) for run in status["runs"]) == [
        (flow, "succeeded") for flow in ("load", "monitor", "score", "train")
    ]
    between = [str(EARLIER + timedelta(weeks=n)) for n in range(1, 8)]
    assert status["missed_sundays"] == between
    assert status["overdue"] == []


def test_flows_that_have_not_succeeded_for_more_than_a_week_are_overdue(county: ScoredCounty) -> None:
    now = datetime.now(UTC)
    in_time, late = (read_status(county.place.settings, now + timedelta(days=days)) for days in (7, 10))
    assert in_time.overdue == ()
    assert [(overdue.flow, overdue.days) for overdue in late.overdue] == [("load", 10), ("score", 10)]
    assert late.next_step is not None
    assert late.next_step.startswith("load the orders of the last weeks")


def test_an_old_week_scored_by_hand_does_not_stand_for_the_weekly_score(county_copy: Place) -> None:
    now = datetime.now(UTC) + timedelta(days=10)
    with open_warehouse(county_copy.settings) as con:
        run_id = start_run(con, "score", as_of=EARLIER, started_at=now, process_id=1, code_version="1")
        finish_run(con, run_id, finished_at=now, status="succeeded", rows_written={})
    assert [overdue.flow for overdue in read_status(county_copy.settings, now).overdue] == ["load", "score"]


def test_the_last_sunday_is_missed_once_its_week_is_over(county_copy: Place) -> None:
    with open_warehouse(county_copy.settings) as con:
        con.execute("DELETE FROM scored.demand_forecast WHERE as_of = ?", [AS_OF])
        found = {days: missed_sundays(con, AS_OF + timedelta(days=days)) for days in (-1, 0, 30)}
    assert {days: (missed[-1], len(missed)) for days, missed in found.items()} == {
        -1: (AS_OF - timedelta(weeks=1), 7),
        0: (AS_OF, 8),
        30: (AS_OF, 8),
    }
