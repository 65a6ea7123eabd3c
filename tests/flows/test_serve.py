"""Whether `uncap serve` makes up for what was missed, keeps to one process per warehouse, and ends when told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL

from flows.load import load
from flows.opening import open_warehouse
from flows.schedules import Job
from flows.serve import COMMAND, _served_until
from tests.flows.commands import Command
from tests.small_county import Place
from tests.small_market import write_market
from warehouse.runs import finish_run, start_run

WEEKLY_LOAD = """\
deployments:
- name: weekly
  entrypoint: flows/load.py:load_flow
  parameters: {{folder: {folder}, config: null, replace: false}}
  schedules: [{{cron: "30 22 * * 0"}}]
"""


def test_a_load_missed_by_two_weeks_runs_once_at_the_start(
    place: Place, uncap: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load(place.settings, write_market(tmp_path / "first", weeks=4))
    set_runs_back(place, timedelta(days=15))
    schedules = tmp_path / "schedules.yaml"
    schedules.write_text(WEEKLY_LOAD.format(folder=write_market(tmp_path / "incoming", weeks=6)), encoding="utf-8")

    words = ["serve", "--schedules", str(schedules), "--config", str(place.config)]
    environment = os.environ | place.stores | {"PREFECT_API_URL": str(PREFECT_API_URL.value())}
    command = [*COMMAND, *words]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as serving, ExitStack() as at_the_end:
        assert serving.stderr is not None
        # a failed assertion is to end it too
        at_the_end.callback(serving.kill)
        said: list[str] = []
        for line in serving.stderr:
            said.append(line.rstrip("\n"))
            if "ended with" in line:
                break
        assert "ended with 0" in said[-1], said
        # another process for the same warehouse would run everything twice
        assert uncap(place, "serve", "--schedules", str(schedules)) == 1
        assert f"process {serving.pid}" in capsys.readouterr().err
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(timeout=120) == 0
        assert serving.stderr.read().splitlines()[-1].endswith("serve: ended")

    assert [line.partition(", due")[0] for line in said if "begins" in line] == ["serve: load/weekly"]
    runs = place.rows("SELECT status, rows_written, deployment FROM scored.runs ORDER BY started_at")
    assert runs.deployment.tolist() == ["weekly", "weekly"]
    assert runs.status.tolist() == ["succeeded", "succeeded"]
    assert '"raw.order_lines": 0' not in runs.rows_written[1]


def test_a_command_under_way_is_interrupted_and_waited_for(place: Place, uncap: Command) -> None:
    import threading

    from flows.serve import run_job

    ending, said = threading.Event(), list[str]()
    threading.Timer(1.0, ending.set).start()
    assert uncap(place, "status") == 0
    code = run_job(Job("serve", "always", ("serve",), None, ()), place.config, "serve, due now", ending, said.append)
    assert code in (0, -signal.SIGINT, 130)
    assert said[-1].startswith(f"serve: serve, due now: ended with {code}")
    assert sys.executable in COMMAND


def test_each_deployment_has_its_own_last_run_and_what_was_interrupted_or_done_by_hand_is_due_still(place: Place) -> None:
    now = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    ended = (
        ("score", "weekly", timedelta(days=7), None),
        ("score", "weekly", timedelta(hours=7), "KeyboardInterrupt: "),
        ("load", "weekly", timedelta(hours=7), "the disk is full"),
        ("train", "monthly", timedelta(days=30), None),
        ("train", "if-due", timedelta(days=2), None),
        # by hand: of an old week, for all that is known
        ("score", None, timedelta(hours=1), None),
    )
    with open_warehouse(place.settings) as con:
        for flow, deployment, ago, error in ended:
            run_id = start_run(con, flow, as_of=None, started_at=now - ago, process_id=1, code_version="1", deployment=deployment)
            finish_run(con, run_id, finished_at=now, status="failed" if error else "succeeded", rows_written={}, error=error)
    deployments = (("score", "weekly"), ("load", "weekly"), ("train", "monthly"), ("train", "if-due"), ("check", "daily"))
    jobs = [Job(flow, name, (flow,), None, ()) for flow, name in deployments]
    since = [now - until for until in _served_until(place.settings, jobs, now).values()]
    assert since == [timedelta(days=7), timedelta(hours=7), timedelta(days=30), timedelta(days=2), timedelta(0)]


def set_runs_back(place: Place, by: timedelta) -> None:
    """Make the runs that are recorded older than they are, and of a deployment."""
    with open_warehouse(place.settings) as con:
        con.execute(
            "UPDATE scored.runs SET deployment = 'weekly',"
            f" started_at = started_at - INTERVAL {by.days} DAY, finished_at = finished_at - INTERVAL {by.days} DAY"
        )
