"""How two runs are kept from writing to one warehouse at once: the second waits, says for whom, and gives up in the end."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from contracts.errors import WarehouseError
from flows.console import Say, tell
from flows.locations import database_of
from flows.locking import only_one_process
from flows.settings import Settings
from warehouse.addresses import shown
from warehouse.server_locks import server_lock, session_name

LockName = Literal["write", "train", "serve"]
"""``write``: raw, derived or scored tables are about to change. ``train``: a model is about to be compared with the champion.
``serve``: schedules are kept."""

DOING = {"write": "writes to the warehouse", "train": "trains", "serve": "keeps the schedules of this warehouse"}

SECONDS_BETWEEN_TRIES = 1.0

_HELD: ContextVar[frozenset[tuple[str, str]]] = ContextVar("held warehouse locks", default=frozenset())


@contextmanager
def warehouse_lock(
    settings: Settings, name: LockName, run: str, say: Say | None = None, *, wait_minutes: float | None = None
) -> Iterator[None]:
    """Hold a lock of the warehouse while the body runs; a flow inside one that holds it passes at once.

    A process that dies loses it: it is a lock of the operating system on a file beside an embedded warehouse, and a lock of the
    session in a database server, where it holds across machines.

    Parameters
    ----------
    settings
        Where the warehouse is.
    name
        Which lock; who wants ``write`` beside another takes it last.
    run
        What others who wait are told of: the name of a flow.
    say
        Tells for whom it waits; stderr if None.
    wait_minutes
        How long to wait; ``concurrency.wait_minutes`` of the settings if None.

    Raises
    ------
    WarehouseError
        If another run still holds it after that time, or the lock file cannot be made.
    """
    held, wanted = _HELD.get(), (settings.warehouse.url, name)
    if wanted in held:
        yield
        return
    with ExitStack() as holding:
        minutes = settings.concurrency.wait_minutes if wait_minutes is None else wait_minutes
        _acquire(settings, holding, name, run, say or tell, minutes)
        marked = _HELD.set(held | {wanted})
        try:
            yield
        finally:
            _HELD.reset(marked)


def lock_file(settings: Settings, name: LockName) -> Path | None:
    """Return the lock file beside an embedded warehouse, None where a database server keeps the lock.

    >>> from flows.settings import read_settings
    >>> lock_file(read_settings(environment={"UNCAP_WAREHOUSE_URL": "/srv/w.duckdb"}), "write").as_posix()
    '/srv/w.duckdb.write-lock'
    """
    database = database_of(settings.warehouse.url)
    return database.with_name(f"{database.name}.{name}-lock") if database else None


def _acquire(settings: Settings, holding: ExitStack, name: LockName, run: str, say: Say, minutes: float) -> None:
    last_try = time.monotonic() + 60 * minutes
    told = False
    while (holder := _try(settings, holding, name, run)) is not None:
        if time.monotonic() >= last_try:
            raise WarehouseError(
                f"{shown(settings.warehouse.url)}: {holder} {DOING[name]}" + (f", and did for {minutes:g} minutes" if minutes else ""),
                hint="run this again when that one is over, end it if it hangs, or wait for longer (concurrency.wait_minutes)",
            )
        if not told:
            say(f"{run}: waiting for {holder}, which {DOING[name]}; {minutes:g} minutes at most")
            told = True
        time.sleep(SECONDS_BETWEEN_TRIES)


def _try(settings: Settings, holding: ExitStack, name: LockName, run: str) -> str | None:
    """Take the lock for as long as ``holding`` lasts and return None, or return who holds it."""
    file = lock_file(settings, name)
    try:
        if file is None:
            own_session = session_name(os.getpid(), socket.gethostname())
            holding.enter_context(server_lock(settings.warehouse.url, name, own_session))
        elif file.parent.is_dir():
            holding.enter_context(only_one_process(file, wait=False))
            # for those who wait; emptied at the end, and without meaning where a process died
            file.write_text(holder_of(run), encoding="utf-8")
            holding.callback(file.write_text, "", encoding="utf-8")
        # without its folder nothing can be written there: opening the warehouse tells so
    except BlockingIOError as held:
        return str(held) if file is None else file.read_text(encoding="utf-8") or "another run"
    except OSError as failure:
        raise WarehouseError(
            f"{file}: the lock of the warehouse cannot be taken: {failure}",
            hint="check the free space and the rights on the file and its folder; all runs need those of one user",
        ) from failure
    return None


def holder_of(run: str) -> str:
    """Say which process it is, of which machine, and since when."""
    return f"{run} (process {os.getpid()} on {socket.gethostname()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC)"
