"""Whether the status of a scored warehouse tells what is there."""

from __future__ import annotations

import json

import pytest

from tests.flows.commands import Command
from tests.small_county import AS_OF, ScoredCounty


def test_the_status_tells_tables_champions_and_runs(county: ScoredCounty, uncap: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert uncap(county.place, "status") == 0
    printed = capsys.readouterr().out
    assert [part for part in ("Loaded", "Scored", "Champions", "Last runs", "uncap-demand", "uncap-churn") if part not in printed] == []
    assert "Next:" not in printed


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
    assert sorted((run["flow"], run["status"]) for run in status["runs"]) == [(flow, "succeeded") for flow in ("load", "score", "train")]
    assert status["next_step"] is None
