"""Which sessions of a server hold a lock of uncap, and does the one that a run relies on still do?"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.errors import WarehouseError
from warehouse.session import Rows, Warehouse

# a process id alone is soon another session's where the server is started anew
_SESSION = "activity.pid::text || ' since ' || activity.backend_start::text"


@dataclass(frozen=True)
class HeldLock:
    """A lock of a warehouse on a server.

    Attributes
    ----------
    name
        Such as ``write``.
    session
        Of the server, which took it: its process id there and since when.
    """

    name: str
    session: str


def own_lock(con: Warehouse, name: str) -> HeldLock:
    """Return a lock as held by the session at hand."""
    return HeldLock(name, str(con.execute(f"SELECT {_SESSION} FROM pg_stat_activity AS activity WHERE pid = pg_backend_pid()")[0][0]))


def holders(con: Warehouse, name: str) -> Rows:
    """Return the sessions that hold a lock: the name each shows of itself, its process id, and which it is as `HeldLock` says it."""
    # a key of 64 bits is kept in two halves
    return con.execute(
        f"SELECT activity.application_name, activity.pid, {_SESSION} FROM pg_locks AS held"
        " JOIN pg_stat_activity AS activity ON activity.pid = held.pid"
        " WHERE held.locktype = 'advisory' AND held.objsubid = 1 AND held.granted AND activity.datname = current_database()"
        " AND (held.classid::bigint << 32) | held.objid::bigint = ?",
        [lock_key(name)],
    )


def require_held(con: Warehouse, locks: Sequence[HeldLock]) -> None:
    """Refuse to go on where a lock was lost.

    In a transaction that writes, this holds until its end: who took the lock meanwhile has not written yet, and waits.

    Raises
    ------
    WarehouseError
        If the session that took it is gone. To try again would not help: another run may have written since.
    """
    for lock in locks:
        if lock.session not in [session for _, _, session in holders(con, lock.name)]:
            raise WarehouseError(
                f"the {lock.name} lock of the warehouse is lost: the session of the server that held it ({lock.session}) has ended,"
                " and another run may have written since",
                hint="run it again; what was stored before is still there. If it happens again, look at the server's log, and at what"
                " ends idle connections between here and the server",
            )


def lock_key(name: str) -> int:
    """Return the number of a lock.

    >>> lock_key("write") == lock_key("write"), lock_key("write") == lock_key("train")
    (True, False)
    """
    return int.from_bytes(hashlib.sha256(f"uncap {name}".encode()).digest()[:8], "big") >> 1
