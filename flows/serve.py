"""How schedules are kept in one process, without a Prefect server: each command at its time, one after another, a missed one at the start.

Prefect's own ``serve`` needs its server, which would be a second process with a database to look after, and runs flows side by side.
A loop that starts the commands themselves needs neither: each has its exit code and its row of ``scored.runs``, a command that is
killed takes nothing with it, and two never write at once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType

from contracts.scored import RUNS
from flows.console import Say, tell
from flows.locations import PROJECT_FOLDER, database_of
from flows.opening import open_warehouse
from flows.orchestration import DEPLOYMENT
from flows.schedules import Job
from flows.settings import Settings
from flows.write_lock import warehouse_lock
from warehouse.tables import contract_table, fetch

LONGEST_NAP = timedelta(seconds=30)
"""Between two looks at the clock, which may have been set meanwhile."""

CLOCK_SET_BACK = timedelta(hours=1)
"""A time that was served and lies further ahead than this was served by a clock that was wrong."""

# what was started in the background by a script was started with interrupts ignored, and so would be what it starts
_INTERRUPTIBLE = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
COMMAND = (sys.executable, "-c", _INTERRUPTIBLE + "from flows.cli import main; raise SystemExit(main())")
SECONDS_BETWEEN_INTERRUPTS = 60.0
"""One that has only just begun may have missed the first."""


@dataclass
class Served:
    """Until when each job has been served: its newest time that needs no further run."""

    until: dict[Job, datetime] = field(default_factory=dict)

    def due(self, now: datetime) -> tuple[datetime, Job] | None:
        """Return the job that has been due for longest, with its time, or None.

        Of several times that went by only the newest counts: weeks that were missed are for ``uncap backfill --missing``.
        """
        found: list[tuple[datetime, Job]] = []
        for job, until in self.until.items():
            if until - now > CLOCK_SET_BACK:
                self.until[job] = now
                continue
            last = job.last_due(now)
            if last is not None and last > until:
                found.append((last, job))
        return min(found, key=lambda one: one[0], default=None)


def serve(settings: Settings, jobs: Sequence[Job], config: Path | None) -> None:
    """Run each job at its times until the process is told to end.

    Parameters
    ----------
    settings
        Where the warehouse is.
    jobs
        As ``flows.schedules.read_jobs`` gives them.
    config
        File that every command gets as ``--config``, unless its deployment names one.

    Raises
    ------
    WarehouseError
        If another process serves this warehouse.
    """
    with warehouse_lock(settings, "serve", "serve", wait_minutes=0.0), _told_to_end() as ending:
        served = Served(_served_until(settings, jobs, datetime.now(UTC)))
        for line in _plan(jobs, datetime.now(UTC)):
            tell(line)
        while not ending.is_set():
            found = served.due(datetime.now(UTC))
            if found is None:
                ending.wait(_nap(jobs, datetime.now(UTC)).total_seconds())
                continue
            served.until[found[1]] = found[0]
            run_job(found[1], config, f"{found[1].flow}/{found[1].name}, due {_minute(found[0])}", ending, tell)
        tell("serve: ended")


def run_job(job: Job, config: Path | None, title: str, ending: threading.Event, say: Say) -> int:
    """Run a command to its end and return its exit code; told to end, it interrupts the command and waits until it has recorded that."""
    say(f"serve: {title}: begins")
    began = time.monotonic()
    # a session of its own: an interrupt from the keyboard must reach it once, not twice
    environment = os.environ | {DEPLOYMENT: job.name}
    command = [*COMMAND, *_words(job, config)]
    with subprocess.Popen(command, cwd=PROJECT_FOLDER, env=environment, start_new_session=True) as process:  # noqa: S603 - no user's words
        while process.poll() is None:
            if ending.wait(0.2):
                process.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(SECONDS_BETWEEN_INTERRUPTS)
    say(f"serve: {title}: ended with {process.returncode} after {time.monotonic() - began:.0f} s")
    return process.returncode


def _words(job: Job, config: Path | None) -> list[str]:
    chosen = job.config or (str(config.resolve()) if config else None)
    return [*job.words, *(["--config", chosen] if chosen else [])]


def _served_until(settings: Settings, jobs: Sequence[Job], now: datetime) -> dict[Job, datetime]:
    """Return when each deployment last began and was not interrupted; now for one that never ran, which has missed nothing.

    What somebody started by hand stands for none: it may have been of another week, or another of the deployments of a flow.
    """
    file = database_of(settings.warehouse.url)
    begun = {} if file is not None and not file.exists() else _last_begun(settings)
    return {job: begun.get((job.flow, job.name), now) for job in jobs}


def _last_begun(settings: Settings) -> Mapping[tuple[str, str], datetime]:
    with open_warehouse(settings) as con:
        runs = contract_table(RUNS)
        # what was under way when the machine was told to stop is due still
        interrupted = runs.error.fill_null("").startswith(KeyboardInterrupt.__name__)
        ended = runs.filter(runs.status.isin(("succeeded", "failed")), ~interrupted)
        begun = ended.group_by("flow", "deployment").aggregate(begun=ended.started_at.max())
        return {(row["flow"], row["deployment"]): row["begun"] for row in fetch(con, begun).to_pylist()}


def _nap(jobs: Sequence[Job], now: datetime) -> timedelta:
    return min(LONGEST_NAP, min((job.next_due(now) for job in jobs), default=now + LONGEST_NAP) - now)


@contextmanager
def _told_to_end() -> Iterator[threading.Event]:
    """Yield an event that is set when the process is interrupted or told to end."""
    ending = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ending.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _plan(jobs: Sequence[Job], now: datetime) -> list[str]:
    """Return the lines that tell what is to come."""
    upcoming = sorted(jobs, key=lambda job: job.next_due(now))
    lines = [f"serve: next on {_minute(job.next_due(now))}: uncap {' '.join(job.words)}" for job in upcoming]
    return [f"serve: process {os.getpid()} keeps {len(jobs)} schedules", *lines]


def _minute(moment: datetime) -> str:
    return f"{moment:%a %Y-%m-%d %H:%M} UTC"
