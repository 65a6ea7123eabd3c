"""What failed in a database, in words that say what uncap was doing and what helps?"""

from __future__ import annotations

import re

import duckdb
from adbc_driver_manager import dbapi

from contracts.errors import WarehouseAwayError, WarehouseError

DATABASE_ERRORS: tuple[type[Exception], ...] = (duckdb.Error, dbapi.Error)
"""What the databases raise."""

_KEPT = "what was stored before is still there"
_NO_SPACE = re.compile(r"no space left|could not write|file too large|max_temp_directory_size|disk quota", re.IGNORECASE)
_SERVER_SAID = re.compile(r"(?:ERROR|FATAL|PANIC):\s+(?P<said>[^\n]+)")
_LOST = re.compile(r"no connection to the server|server closed the connection|terminating connection|could not receive data|SSL SYSCALL")

# By SQLSTATE, its class (two characters) or the whole: https://www.postgresql.org/docs/current/errcodes-appendix.html
_HINTS = {
    "53100": "free space on the disk of the database server and run it again",
    "53200": "give the database server more memory, or lower warehouse.memory_limit, of which a sixteenth is work_mem",
    "42501": "the role of warehouse.url lacks a right: connect as the owner of the schemas, or let the owner run `uncap grants`",
    "25006": "the server or the role is read-only: connect to the primary, as the owner of the schemas",
    "57014": "the server has a statement_timeout for this role: lift it for uncap (ALTER ROLE … SET statement_timeout = 0)",
}
_AWAY = ("08", "57P01", "57P02", "57P03", "53300")
_LOCKED = ("55P03", "40P01", "40001")


def explained(failure: Exception, doing: str) -> WarehouseError:
    """Return a database's failure as an error that says what uncap was doing and what helps.

    Parameters
    ----------
    failure
        One of `DATABASE_ERRORS`.
    doing
        What failed, as a noun: ``loading``, ``publishing``.

    Returns
    -------
    WarehouseError
        A WarehouseAwayError where the same may succeed in a minute.

    Examples
    --------
    >>> print(explained(duckdb.OutOfMemoryException("failed to allocate 1 GB"), "loading"))
    loading failed: failed to allocate 1 GB
    Hint: give the warehouse more memory (warehouse.memory_limit) or the machine fewer jobs; what was stored before is still there
    """
    if isinstance(failure, dbapi.Error):
        return _explained_by_server(failure, doing)
    message = str(failure).strip().split("\n")[0]
    if _NO_SPACE.search(message):
        hint = "free space on the disk that holds the warehouse file and run it again"
    elif isinstance(failure, duckdb.OutOfMemoryException):
        hint = "give the warehouse more memory (warehouse.memory_limit) or the machine fewer jobs"
    else:
        hint = "run it again; if it stays, the message above is DuckDB's own"
    return WarehouseError(f"{doing} failed: {message}", hint=f"{hint}; {_KEPT}")


def server_said(failure: dbapi.Error) -> str:
    """Return what a PostgreSQL server said, in one line; never the statement.

    >>> server_said(dbapi.DataError("[libpq] Execution error: ERROR:  division by zero", status_code=1))
    'division by zero'
    """
    message = str(failure)
    said = _SERVER_SAID.search(message)
    if said:
        return said["said"].strip()
    return message.split("\n", maxsplit=1)[0].rpartition("[libpq] ")[2].removeprefix("Failed to prepare query: ")


def _explained_by_server(failure: dbapi.Error, doing: str) -> WarehouseError:
    state, said = failure.sqlstate or "", server_said(failure)
    if state.startswith(_LOCKED):
        return WarehouseAwayError(
            f"{doing} failed: the warehouse is locked by another session ({said})",
            hint=f"wait until it is over, or end it (pg_stat_activity shows it); {_KEPT}",
        )
    if state.startswith(_AWAY) or _LOST.search(str(failure)):
        return WarehouseAwayError(
            f"{doing} failed: the database server is away ({said})", hint=f"run it again once the server is back; {_KEPT}"
        )
    hint = _HINTS.get(state, "run it again; if it stays, the message above is PostgreSQL's own")
    return WarehouseError(f"{doing} failed: {said}", hint=f"{hint}; {_KEPT}")
