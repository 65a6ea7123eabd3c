"""How does a run hold a lock of a warehouse on a server, and which processes have a session there?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from adbc_driver_manager import dbapi

from warehouse.addresses import checked_server
from warehouse.failures import explained
from warehouse.held_locks import HeldLock, holders, lock_key, own_lock
from warehouse.postgres_session import PostgresWarehouse
from warehouse.session import Warehouse

_SESSION = re.compile(r"^uncap (?P<process_id>\d+)@(?P<host>.*)$")
_LONGEST_NAME = 63


def session_name(process_id: int, host: str) -> str:
    """Return what a server shows of a session of uncap, by which others find the process that a run was started by.

    >>> session_name(1234, "batch-7")
    'uncap 1234@batch-7'
    """
    return f"uncap {process_id}@{host}"[:_LONGEST_NAME]


@contextmanager
def server_lock(url: str, name: str, holder: str) -> Iterator[HeldLock]:
    """Hold a lock of a warehouse on a server inside the block, in a session of its own; it is lost when the process dies.

    Parameters
    ----------
    url
        The warehouse.
    name
        Of the lock, such as ``write``.
    holder
        `session_name` of this process: shown to others, who also take the runs of this process for alive while the lock is held.

    Yields
    ------
    HeldLock
        To be handed to `warehouse.connection.connect` for what must not be written without it.

    Raises
    ------
    BlockingIOError
        If another session holds it; says which.
    WarehouseError
        If the server cannot be reached.
    """
    try:
        session = PostgresWarehouse(checked_server(url), threads=1, memory_limit="64MB", name=holder)
    except dbapi.Error as failure:
        raise explained(failure, f"taking the {name} lock") from failure
    with closing(session):
        held = _take(session, name)
        try:
            yield held
        finally:
            # a server may need a moment to notice that a session was closed: the next in line is to find the lock free at once
            with suppress(dbapi.Error):
                session.execute("SELECT pg_advisory_unlock(?)", [lock_key(name)])


def open_processes(con: Warehouse) -> set[tuple[int, str]]:
    """Return process id and host of every process of uncap that has a session on the server of a warehouse; none for a file."""
    if con.dialect != "postgres":
        return set()
    names = con.execute("SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
    sessions = (_SESSION.match(name or "") for (name,) in names)
    return {(int(session["process_id"]), session["host"]) for session in sessions if session}


def _take(session: PostgresWarehouse, name: str) -> HeldLock:
    try:
        if session.execute("SELECT pg_try_advisory_lock(?)", [lock_key(name)])[0][0]:
            return own_lock(session, name)
        found = holders(session, name)
    except dbapi.Error as failure:
        raise explained(failure, f"taking the {name} lock") from failure
    shown = ", ".join(f"{application or 'a session'} (session {pid} of the server)" for application, pid, _ in found)
    raise BlockingIOError(shown or "another session")
