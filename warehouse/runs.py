"""How does the warehouse tell of every run: that it began, how it ended, or that it died?"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime

import pyarrow as pa

from contracts.scored import RUNS
from warehouse.server_locks import open_processes
from warehouse.session import Warehouse
from warehouse.sql import listed, qualified
from warehouse.transactions import failures_explained, transaction

_PROCESS = re.compile(r"-p(?P<process_id>\d+)(?:-\d+)?$")


def start_run(
    con: Warehouse,
    flow: str,
    *,
    as_of: date | None,
    started_at: datetime,
    process_id: int,
    code_version: str,
    host: str = "",
    deployment: str | None = None,
) -> str:
    """Note that a run has begun, and that earlier runs of the flow whose process is gone have died.

    Parameters
    ----------
    con
        The warehouse.
    flow
        ``load``, ``train``, ``score`` or ``backtest``.
    as_of
        The cut-off, or None where the flow has none.
    started_at
        When it began, with a time zone.
    process_id
        The process that runs it.
    code_version
        Version of uncap, and its commit where known.
    host
        The machine that runs it: a database server may have runs of several.
    deployment
        The one whose time it is; None where it was started otherwise.

    Returns
    -------
    str
        The run_id: flow, as_of, start in UTC and process, such as ``score-20190929-20261121T200455-p1234``.
    """
    with transaction(con, "noting the start of the run"):
        _mark_died(con, flow, process_id, host)
        run_id = _free_run_id(con, _run_id(flow, as_of, started_at, process_id))
        con.execute(
            f"INSERT INTO {qualified(RUNS)} (run_id, flow, as_of, started_at, status, code_version, rows_written, host, deployment)"
            " VALUES (?, ?, ?, ?, 'running', ?, '{}', ?, ?)",
            [run_id, flow, as_of, started_at, code_version, host, deployment],
        )
    return run_id


def finish_run(
    con: Warehouse,
    run_id: str,
    *,
    finished_at: datetime,
    status: str,
    rows_written: Mapping[str, int],
    as_of: date | None = None,
    demand_model_version: str | None = None,
    churn_model_version: str | None = None,
    error: str | None = None,
) -> None:
    """Note how a run ended.

    Parameters
    ----------
    con
        The warehouse.
    run_id
        What `start_run` returned.
    finished_at
        When it ended, with a time zone.
    status
        ``succeeded`` or ``failed``.
    rows_written
        Rows by full table name, as `warehouse.publish.publish` returns them.
    as_of
        The cut-off, where it was chosen only after the start; None leaves what is stored.
    demand_model_version, churn_model_version
        Models trained or used.
    error
        Why it failed.
    """
    with transaction(con, "noting the end of the run"):
        con.execute(
            f"UPDATE {qualified(RUNS)} SET finished_at = ?, status = ?, rows_written = ?, as_of = coalesce(?, as_of),"
            " demand_model_version = ?, churn_model_version = ?, error = ? WHERE run_id = ?",
            [finished_at, status, json.dumps(dict(rows_written)), as_of, demand_model_version, churn_model_version, error, run_id],
        )


def last_runs(con: Warehouse) -> pa.Table:
    """Return the newest run of each flow, with the columns of ``scored.runs``, newest first."""
    with failures_explained("reading scored.runs"):
        return con.query(
            f"SELECT {listed(RUNS.column_names)} FROM ("
            "SELECT *, row_number() OVER (PARTITION BY flow ORDER BY started_at DESC, run_id DESC) AS place_in_flow"
            f" FROM {qualified(RUNS)}) AS runs WHERE place_in_flow = 1 ORDER BY started_at DESC, run_id DESC",
            schema=RUNS.arrow_schema,
        )


def process_of(run_id: str) -> int | None:
    """Return the process a run was started by, None if the run_id does not tell.

    >>> process_of("score-20190929-20261121T200455-p1234")
    1234
    """
    named = _PROCESS.search(run_id)
    return int(named["process_id"]) if named else None


def _run_id(flow: str, as_of: date | None, started_at: datetime, process_id: int) -> str:
    """Return the identifier of a run.

    >>> _run_id("load", None, datetime(2026, 11, 21, 20, 4, 55, tzinfo=UTC), 1234)
    'load-20261121T200455-p1234'
    """
    cut_off = [f"{as_of:%Y%m%d}"] if as_of else []
    return "-".join([flow, *cut_off, f"{started_at.astimezone(UTC):%Y%m%dT%H%M%S}", f"p{process_id}"])


def _free_run_id(con: Warehouse, wanted: str) -> str:
    """Return the run_id, numbered if the same process began such a run in the same second."""
    taken = con.execute(f"SELECT count(*) FROM {qualified(RUNS)} WHERE run_id = ? OR starts_with(run_id, ?)", [wanted, f"{wanted}-"])
    earlier = taken[0][0]
    return f"{wanted}-{earlier + 1}" if earlier else wanted


def _mark_died(con: Warehouse, flow: str, process_id: int, host: str) -> None:
    running = con.execute(f"SELECT run_id, coalesce(host, ?) FROM {qualified(RUNS)} WHERE flow = ? AND status = 'running'", [host, flow])
    with_a_session = open_processes(con) if running else set()
    for run_id, started_on in running:
        started_by = process_of(run_id)
        # A container gives every run the same process id: a run that "we" began earlier is not ours.
        is_earlier = started_by is None or (started_by, started_on) == (process_id, host)
        lives = started_by is not None and ((started_by, started_on) in with_a_session or (started_on == host and _is_alive(started_by)))
        if is_earlier or not lives:
            con.execute(f"UPDATE {qualified(RUNS)} SET status = 'died' WHERE run_id = ?", [run_id])


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
