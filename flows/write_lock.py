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
from warehouse.held_locks import HeldLock
from warehouse.server_locks import server_lock, session_name

LockName = Literal["write", "train", "serve"]
"""``write``: raw, derived or scored tables are about to change. ``train``: a model is about to be compared with the champion.
``serve``: schedules are kept."""

DOING = {"write": "writes to the warehouse", "train": "trains", "serve": "keeps the schedules of this warehouse"}

SECONDS_BETWEEN_TRIES = 1.0

_HELD: ContextVar[tuple[tuple[str, str, HeldLock | None], ...]] = ContextVar("held warehouse locks", default=())
"""URL, name, and what a server holds; None for a lock file."""


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
    held, url = _HELD.get(), settings.warehouse.url
    if (url, name) in [one[:2] for one in held]:
        yield
        return
    with ExitStack() as holding:
        minutes = settings.concurrency.wait_minutes if wait_minutes is None else wait_minutes
        lock = _acquire(settings, holding, name, run, say or tell, minutes)
        marked = _HELD.set((*held, (url, name, lock)))
        try:
            yield
        finally:
            _HELD.reset(marked)


def held_locks(settings: Settings) -> list[HeldLock]:
    """Return the locks of a server's warehouse that the body of a `warehouse_lock` holds."""
    return [lock for url, _, lock in _HELD.get() if url == settings.warehouse.url and lock is not None]


def own_session() -> str:
    """Return what a server shows of the sessions of this process."""
    return session_name(os.getpid(), socket.gethostname())


def lock_file(settings: Settings, name: LockName) -> Path | None:
    """Return the lock file beside an embedded warehouse, None where a database server keeps the lock.

    >>> from flows.settings import read_settings
    >>> lock_file(read_settings(environment={"UNCAP_WAREHOUSE_URL": "/srv/w.duckdb"}), "write").as_posix()
    '/srv/w.duckdb.write-lock'
    """
    database = database_of(settings.warehouse.url)
    return database.with_name(f"{database.name}.{name}-lock") if database else None


def _acquire(settings: Settings, holding: ExitStack, name: LockName, run: str, say: Say, minutes: float) -> HeldLock | None:
    last_try = time.monotonic() + 60 * minutes
    told = False
    while True:
        try:
            return _take(settings, holding, name, run)
        except BlockingIOError as held:
            holder = str(held)
        if time.monotonic() >= last_try:
            raise WarehouseError(
                f"{shown(settings.warehouse.url)}: {holder} {DOING[name]}" + (f", and did for {minutes:g} minutes" if minutes else ""),
                hint="run this again when that one is over, end it if it hangs, or wait for longer (concurrency.wait_minutes)",
            )
        if not told:
            say(f"{run}: waiting for {holder}, which {DOING[name]}; {minutes:g} minutes at most")
            told = True
        time.sleep(SECONDS_BETWEEN_TRIES)


def _take(settings: Settings, holding: ExitStack, name: LockName, run: str) -> HeldLock | None:
    """Take the lock for as long as ``holding`` lasts, or raise a BlockingIOError that says who holds it."""
    file = lock_file(settings, name)
    if file is None:
        return holding.enter_context(server_lock(settings.warehouse.url, name, own_session()))
    try:
        # without its folder nothing can be written there: opening the warehouse tells so
        if file.parent.is_dir():
            holding.enter_context(only_one_process(file, wait=False))
            # for those who wait; emptied at the end, and without meaning where a process died
            file.write_text(holder_of(run), encoding="utf-8")
            holding.callback(file.write_text, "", encoding="utf-8")
    except BlockingIOError as held:
        raise BlockingIOError(file.read_text(encoding="utf-8") or "another run") from held
    except OSError as failure:
        raise WarehouseError(
            f"{file}: the lock of the warehouse cannot be taken: {failure}",
            hint="check the free space and the rights on the file and its folder; all runs need those of one user",
        ) from failure
    return None


def holder_of(run: str) -> str:
    """Say which process it is, of which machine, and since when."""
    return f"{run} (process {os.getpid()} on {socket.gethostname()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC)"
