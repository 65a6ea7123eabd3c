"""How a run of a flow is told in scored.runs: begun as running, ended as succeeded or failed, with what it wrote and why it failed."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import version

from contracts.errors import UncapError, WarehouseAwayError, WarehouseError
from flows.locations import PROJECT_FOLDER
from flows.opening import as_of_or_newest, open_once_free
from flows.orchestration import deployment_name, named_task, with_retries
from flows.passwords import masked
from flows.run_alerts import died_among, runs_under_way, tell_died, tell_failed
from flows.settings import Settings
from flows.write_lock import warehouse_lock
from warehouse.runs import finish_run, start_run

ONLY_JUDGE = ("backtest", "tune")
"""Flows that take hours and change no table that others read: they take the lock only while they derive."""


@dataclass
class RunRecord:
    """What is known of a run; the flow fills in what it learns and it is stored when the run ends.

    Attributes
    ----------
    run_id
        Carried by every row the run writes.
    as_of
        What it works on, once that is chosen.
    rows_written
        Rows by full table name.
    demand_model_version, churn_model_version
        Versions trained or used.
    """

    run_id: str
    as_of: date | None = None
    rows_written: dict[str, int] = field(default_factory=dict)
    demand_model_version: str | None = None
    churn_model_version: str | None = None


@contextmanager
def recorded_run(settings: Settings, *, flow: str, as_of: date | None = None, started_at: datetime) -> Iterator[RunRecord]:
    """Record a run in ``scored.runs`` around the body, which must be inside a Prefect flow and hold no connection at its ends.

    No two runs of one warehouse overlap that write to it: the run waits for the lock first, and is recorded once it has it.

    Parameters
    ----------
    settings
        Where the warehouse is.
    flow
        Its name. ``train`` keeps off other trainings only and takes the lock of writers while it fetches; see also ``ONLY_JUDGE``.
    as_of
        Last day that may be known, as asked for; None where the flow has none or chooses it.
    started_at
        When it began, UTC.

    Yields
    ------
    RunRecord
        To be filled in.

    Raises
    ------
    WarehouseError
        If another run holds the lock for too long, or the warehouse cannot be opened. What the body raises is recorded and raised
        unchanged; if even that cannot be recorded, a note on the exception says so.

    Examples
    --------
    ::

        with recorded_run(settings, flow="score", as_of=as_of, started_at=datetime.now(UTC)) as run:
            run.demand_model_version = champion.version
            rows = predict(settings, as_of, run.run_id)
            with open_warehouse(settings) as con:
                run.rows_written = publish(con, rows, as_of=as_of, keep_weeks=settings.publish.keep_weeks.by_table())
    """
    with _lock_of(settings, flow):
        run = RunRecord(with_retries(record_start, settings)(settings, flow, as_of, started_at, deployment_name()), as_of)
        try:
            yield run
        except BaseException as error:
            _record_failure(settings, run, error)
            raise
        try:
            with_retries(record_end, settings)(settings, run, "succeeded")
        except WarehouseError as error:
            error.add_note(f"the run itself succeeded; only its end could not be recorded, so that the next {flow} takes it for died")
            raise


@named_task("record the start of the run")
def record_start(settings: Settings, flow: str, as_of: date | None, started_at: datetime, deployment: str | None) -> str:
    """Insert the run as ``running`` and return its id; earlier runs of the flow whose process is gone become ``died``."""
    with open_once_free(settings) as con:
        under_way = runs_under_way(con, flow)
        run_id = start_run(
            con,
            flow,
            as_of=as_of,
            started_at=started_at,
            process_id=os.getpid(),
            code_version=code_version(),
            host=socket.gethostname(),
            deployment=deployment,
        )
        died = died_among(con, under_way)
    tell_died(settings, died)
    return run_id


@named_task("record the end of the run")
def record_end(settings: Settings, run: RunRecord, status: str, error: str | None = None, *, waits: bool = True) -> None:
    """Complete the run's row; see ``open_once_free``."""
    with open_once_free(settings, waits=waits) as con:
        finish_run(
            con,
            run.run_id,
            finished_at=datetime.now(UTC),
            status=status,
            demand_model_version=run.demand_model_version,
            churn_model_version=run.churn_model_version,
            rows_written=run.rows_written,
            as_of=run.as_of,
            error=error,
        )


@named_task("choose as_of")
def choose_as_of(settings: Settings, as_of: date | None) -> date:
    """Return the Sunday to work on; see ``as_of_or_newest``."""
    with open_once_free(settings) as con:
        return as_of_or_newest(con, as_of)


def code_version() -> str:
    """Return the version of uncap, and its commit where the project folder is a git checkout that has one.

    >>> code_version().split("+")[0] == version("uncap")
    True
    """
    released = version("uncap")
    if not (PROJECT_FOLDER / ".git").exists():
        return released
    describe = ["git", "-C", str(PROJECT_FOLDER), "describe", "--always", "--dirty", "--exclude=*", "--abbrev=10"]
    try:
        commit = subprocess.run(describe, capture_output=True, text=True, check=True, timeout=10).stdout.strip()  # noqa: S603 - no user's words
    except (OSError, subprocess.SubprocessError):
        return released
    return f"{released}+{commit}"


def _lock_of(settings: Settings, flow: str) -> AbstractContextManager[None]:
    if flow in ONLY_JUDGE:
        return nullcontext()
    return warehouse_lock(settings, "train" if flow == "train" else "write", flow)


def _record_failure(settings: Settings, run: RunRecord, error: BaseException) -> None:
    """Complete the row of a run that failed, past Prefect, which may itself be ending.

    Who interrupts a run does not wait for the warehouse, and a run that failed because another process holds it has waited.
    """
    reason = masked(error.message if isinstance(error, UncapError) else f"{type(error).__name__}: {error}")
    try:
        waits = isinstance(error, Exception) and not isinstance(error, WarehouseAwayError)
        record_end.fn(settings, run, "failed", reason, waits=waits)
    except WarehouseError as second:
        error.add_note(f"the run could not be recorded as failed in scored.runs: {second.message}")
    if not isinstance(error, KeyboardInterrupt) and (untold := tell_failed(settings, run.run_id, reason)):
        error.add_note(untold)
