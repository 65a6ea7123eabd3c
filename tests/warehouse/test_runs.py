"""Every run is noted when it begins and when it ends, and one that was killed is noted as dead by the next."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone

from warehouse.runs import finish_run, last_runs, process_of, start_run
from warehouse.session import Warehouse

BEGAN = datetime(2026, 11, 21, 20, 4, 55, tzinfo=UTC)
HERE = os.getpid()


def start(con: Warehouse, flow: str = "score", *, at: datetime = BEGAN, process_id: int = HERE) -> str:
    return start_run(con, flow, as_of=date(2019, 9, 29), started_at=at, process_id=process_id, code_version="0.1.0")


def statuses(con: Warehouse) -> dict[str, str]:
    return dict(con.execute("SELECT run_id, status FROM scored.runs"))


def test_a_run_is_noted_as_running_before_it_does_anything(con: Warehouse) -> None:
    run_id = start(con)
    assert run_id == f"score-20190929-20261121T200455-p{HERE}"
    (noted,) = last_runs(con).to_pylist()
    assert (noted["run_id"], noted["status"], noted["started_at"], noted["finished_at"]) == (run_id, "running", BEGAN, None)
    assert (noted["rows_written"], noted["code_version"]) == ("{}", "0.1.0")


def test_a_run_without_an_as_of_has_none_in_its_name_and_its_start_in_utc(con: Warehouse) -> None:
    in_shanghai = datetime(2026, 11, 22, 4, 4, 55, tzinfo=timezone(timedelta(hours=8)))
    assert start_run(con, "load", as_of=None, started_at=in_shanghai, process_id=7, code_version="0.1.0") == "load-20261121T200455-p7"


def test_the_end_of_a_run_is_noted_with_what_it_wrote(con: Warehouse) -> None:
    run_id = start(con)
    ended = BEGAN + timedelta(minutes=2)
    finish_run(
        con,
        run_id,
        finished_at=ended,
        status="succeeded",
        rows_written={"scored.churn_score": 3},
        demand_model_version="4",
        churn_model_version="2",
    )
    (noted,) = last_runs(con).to_pylist()
    assert (noted["status"], noted["finished_at"], json.loads(noted["rows_written"])) == ("succeeded", ended, {"scored.churn_score": 3})
    assert (noted["demand_model_version"], noted["churn_model_version"], noted["error"]) == ("4", "2", None)


def test_a_failed_run_says_why(con: Warehouse) -> None:
    run_id = start(con)
    finish_run(con, run_id, finished_at=BEGAN, status="failed", rows_written={}, error="no champion for demand")
    assert last_runs(con).column("error").to_pylist() == ["no champion for demand"]


def test_a_run_whose_process_is_gone_is_noted_as_dead_by_the_next_of_its_flow(con: Warehouse) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead = start(con, process_id=gone.pid)
    other_flow = start(con, "train", process_id=gone.pid)
    alive = start(con, process_id=os.getppid())
    now = start(con)
    assert statuses(con) == {dead: "died", other_flow: "running", alive: "running", now: "running"}


def test_a_run_of_the_same_process_id_is_an_earlier_process(con: Warehouse) -> None:
    earlier = start(con)
    assert statuses(con) == {earlier: "running"}
    later = start(con)
    assert statuses(con) == {earlier: "died", later: "running"}
    assert later == f"{earlier}-2"
    assert process_of(later) == HERE


def test_the_last_run_of_each_flow_is_told_newest_first(con: Warehouse) -> None:
    for flow, minutes in (("score", 0), ("train", 1), ("score", 2)):
        start(con, flow, at=BEGAN + timedelta(minutes=minutes))
    assert last_runs(con).column("flow").to_pylist() == ["score", "train"]


def test_a_run_id_without_a_process_tells_none() -> None:
    assert process_of("score-by-hand") is None
