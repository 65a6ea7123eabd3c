"""How is the warehouse opened, and what is said when it cannot be?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
from adbc_driver_manager import dbapi

from contracts.errors import ConfigurationError, WarehouseAwayError, WarehouseError
from warehouse.addresses import FOUR_SLASHES, checked_server, is_server, shown, warehouse_path
from warehouse.backups import CopyBeside
from warehouse.duckdb_session import DuckDBWarehouse
from warehouse.failures import server_said
from warehouse.held_locks import HeldLock
from warehouse.migrations import KeepsCopy, backed_up, bring_up_to_date
from warehouse.postgres_session import PostgresWarehouse
from warehouse.schema import create_missing_tables
from warehouse.session import Warehouse

_HOLDER = re.compile(r"Conflicting lock is held in (?P<program>.+?) \(PID (?P<process_id>\d+)\)")
_OLDEST_POSTGRES = 14

# What libpq says, and what helps; of the first words found. Those of the second table may be over in a minute.
_REFUSED = {
    "password authentication failed": "give the password in PGPASSWORD, a password file (~/.pgpass) or UNCAP_WAREHOUSE_URL",
    "no password supplied": "give the password in PGPASSWORD, a password file (~/.pgpass) or UNCAP_WAREHOUSE_URL",
    "no pg_hba.conf entry": "let the server's pg_hba.conf admit this host, user and database, or add ?sslmode=require to warehouse.url",
    "permission denied for database": "let the owner run GRANT CONNECT ON DATABASE … TO the role",
    'database "': "create the database (CREATE DATABASE … ENCODING 'UTF8'), or correct its name in warehouse.url",
    'role "': "create the role (CREATE ROLE … LOGIN), or correct its name in warehouse.url",
    "could not translate host name": "correct the host in warehouse.url, or look at the name service",
    "unrecognized configuration parameter": f"use PostgreSQL {_OLDEST_POSTGRES} or later",
    "invalid": "correct warehouse.url; expected postgresql://user@host:5432/database",
}
_AWAY = {
    "starting up": "wait until the server has started",
    "shutting down": "wait until the server is back",
    "too many": "wait until sessions end, or raise max_connections of the server",
    "remaining connection slots": "wait until sessions end, or raise max_connections of the server",
    "Connection refused": "start the server, or correct host and port in warehouse.url",
    "timeout": "look at the network between here and the server, and at host and port in warehouse.url",
    "": "look at the server's own log; warehouse.url is where it was looked for",
}


@contextmanager
def connect(
    url: str,
    *,
    threads: int,
    memory_limit: str,
    session: str = "uncap",
    locks: Sequence[HeldLock] = (),
    server_backed_up: bool = False,
    on_migration: Callable[[str], None] | None = None,
) -> Iterator[Warehouse]:
    """Open the warehouse, bringing its schema up to this version and creating what is missing, and close it on exit.

    Parameters
    ----------
    url
        A path or a URL, see ``warehouse.addresses``; a relative path is relative to the working directory.
    threads
        How many threads DuckDB may use.
    memory_limit
        How much memory it may use before it spills to a folder beside the file, such as ``4GB``.
    session
        What a database server shows of this session, see ``warehouse.server_locks.session_name``.
    locks
        Of a server, held by other sessions of this run: nothing is written once one is lost.
    server_backed_up
        Whether a server's schema may be brought up, because there is a backup; of a file a copy is kept anyway.
    on_migration
        Told each step of that.

    Yields
    ------
    Warehouse
        The session; its time zone is UTC.

    Raises
    ------
    ConfigurationError
        If the URL is not supported or its folder does not exist.
    WarehouseError
        If the file is no DuckDB database or of an incompatible version, the server refuses the session, or the schema is newer than
        this code; a WarehouseAwayError if another process holds the file, or the server cannot be reached.
    """
    if is_server(url):
        con: Warehouse = _open_server(url, threads, memory_limit, session, locks)
        keep_copy: KeepsCopy | None = backed_up if server_backed_up else None
    else:
        con = _open_file(warehouse_path(url), threads, memory_limit)
        keep_copy = CopyBeside(warehouse_path(url))
    try:
        for step in bring_up_to_date(con, keep_copy):
            (on_migration or _tell_nobody)(step)
        create_missing_tables(con)
        yield con
    finally:
        con.close()


def _tell_nobody(_step: str) -> None:
    """Take a step that nobody asked to be told."""


def _open_file(path: Path, threads: int, memory_limit: str) -> DuckDBWarehouse:
    if not path.parent.is_dir():
        raise ConfigurationError(f"warehouse.url: there is no folder {path.parent}; expected one that exists", hint=FOUR_SLASHES)
    try:
        return DuckDBWarehouse(str(path.absolute()), threads=threads, memory_limit=memory_limit)
    except duckdb.Error as failure:
        raise _cannot_open(path, failure) from failure


def _cannot_open(path: Path, failure: duckdb.Error) -> WarehouseError:
    message = str(failure).strip().split("\n")[0]
    holder = _HOLDER.search(message)
    if holder:
        return WarehouseAwayError(
            f"{path} is locked by process {holder['process_id']} ({holder['program']}); one process at a time can use it",
            hint="wait until it ends, or end it if it hangs; a notebook or a database viewer locks the file too",
        )
    if "not a valid DuckDB database" in message:
        return WarehouseError(
            f"{path} is not a DuckDB database", hint="move the file away, or set warehouse.url to the path of the warehouse"
        )
    return WarehouseError(f"{path} cannot be opened: {message}", hint="check warehouse.url, the rights on the file and its folder")


def _open_server(url: str, threads: int, memory_limit: str, session: str, locks: Sequence[HeldLock]) -> PostgresWarehouse:
    try:
        con = PostgresWarehouse(checked_server(url), threads=threads, memory_limit=memory_limit, name=session, locks=locks)
    except dbapi.Error as failure:
        # the cause is left out: a message of libpq may quote parts of the URL
        raise _cannot_connect(url, failure) from None
    version, encoding = con.execute("SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding')")[0]
    if version >= _OLDEST_POSTGRES and encoding == "UTF8":
        return con
    con.close()
    raise WarehouseError(
        f"{shown(url)}: PostgreSQL {version} with encoding {encoding}; expected {_OLDEST_POSTGRES} or later with UTF8",
        hint="create a database with ENCODING 'UTF8' on a newer server",
    )


def _cannot_connect(url: str, failure: dbapi.Error) -> WarehouseError:
    said = server_said(failure).removeprefix("Failed to connect: ")
    for words, hint in _REFUSED.items():
        if words in said and not any(away in said for away in _AWAY if away):
            return WarehouseError(f"{shown(url)} refuses: {said}", hint=hint)
    hint = next(hint for words, hint in _AWAY.items() if words in said)
    return WarehouseAwayError(f"{shown(url)} cannot be reached: {said}", hint=hint)
