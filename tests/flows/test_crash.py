"""What is left when a scoring is killed or the disk is full while it publishes: the old rows, and a run that tells so."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL

import flows.score
from contracts.scored import CHURN_SCORE, DEMAND_FORECAST, DEMAND_FORECAST_TOTAL, TRUE_DEMAND
from flows.score import score
from tests.flows.commands import Command
from tests.small_county import AS_OF, Place
from warehouse.publish import publish

LEAST_FILE = 64 * 1024
"""Bytes: less than what is published."""

KILLED = """
    import os, signal, sys
    from datetime import date
    from pathlib import Path
    from flows.environment import prepare
    from flows.settings import read_settings

    settings = read_settings(Path(sys.argv[1]))
    prepare(settings)
    import flows.score
    from warehouse.publish import publish

    class Killing(dict):
        # asked for after the first table was replaced, inside the transaction
        def get(self, name):
            os.kill(os.getpid(), signal.SIGKILL)

    flows.score.publish = lambda con, rows, as_of, keep_weeks: publish(con, rows, as_of=as_of, keep_weeks=Killing())
    flows.score.score(settings, date.fromisoformat(sys.argv[2]))
"""


def scored_rows(place: Place) -> list[tuple[str, int]]:
    """Return the runs whose rows the scored tables of the newest Sunday hold, with how many."""
    counted = [
        place.rows(f"SELECT run_id, count(*) AS n FROM {table.full_name} WHERE as_of = DATE '{AS_OF}' GROUP BY run_id")
        for table in (TRUE_DEMAND, DEMAND_FORECAST, DEMAND_FORECAST_TOTAL, CHURN_SCORE)
    ]
    return [pair for rows in counted for pair in zip(rows.run_id.tolist(), rows.n.tolist(), strict=True)]


def runs(place: Place) -> list[str]:
    """Return how the scorings ended, oldest first."""
    return [str(status) for status in place.rows("SELECT status FROM scored.runs WHERE flow = 'score' ORDER BY started_at").status]


@pytest.mark.usefixtures("prefect_server")
def test_a_scoring_killed_while_it_publishes_leaves_the_old_rows_and_the_next_one_heals(county_copy: Place) -> None:
    before = scored_rows(county_copy)
    environment = os.environ | county_copy.stores | {"PREFECT_API_URL": str(PREFECT_API_URL.value())}
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(county_copy.config), AS_OF.isoformat()]
    killed = subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=300)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert scored_rows(county_copy) == before
    assert runs(county_copy) == ["succeeded", "succeeded", "running"]
    score(county_copy.settings, AS_OF)
    healed = scored_rows(county_copy)
    assert [n for _, n in healed] == [n for _, n in before]
    assert {run for run, _ in healed}.isdisjoint(run for run, _ in before)
    assert runs(county_copy) == ["succeeded", "succeeded", "died", "succeeded"]


def test_a_disk_that_is_full_while_scoring_leaves_the_old_rows_and_a_failed_run(
    county_copy: Place, uncap: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = scored_rows(county_copy)

    def publish_on_a_full_disk(con: Any, rows: Mapping[Any, Any], **named: Any) -> dict[str, int]:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (LEAST_FILE, most))
        try:
            return publish(con, rows, **named)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    monkeypatch.setattr(flows.score, "publish", publish_on_a_full_disk)
    assert uncap(county_copy, "score", "--as-of", AS_OF.isoformat()) == 1
    told = capsys.readouterr().err
    assert "error: publishing failed: " in told
    assert "free space on the disk that holds the warehouse file" in told
    assert scored_rows(county_copy) == before
    failed = county_copy.rows("SELECT status, error, rows_written FROM scored.runs ORDER BY started_at DESC LIMIT 1").iloc[0]
    assert (failed["status"], failed["rows_written"]) == ("failed", "{}")
    assert str(failed["error"]).startswith("publishing failed: ")
