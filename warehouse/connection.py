"""How is the warehouse opened, and what is said when it cannot be?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import ibis
from ibis.backends.duckdb import Backend

from contracts.errors import ConfigurationError, WarehouseError
from warehouse.schema import create_missing_tables

# Two letters at least: a single one is the drive of a Windows path.
_SCHEME = re.compile(r"^(?P<name>[a-z][a-z0-9+]+):(?P<rest>.*)$")
_HOLDER = re.compile(r"Conflicting lock is held in (?P<program>.+?) \(PID (?P<process_id>\d+)\)")
_FOUR_SLASHES = "an absolute path has four slashes (duckdb:////srv/uncap/warehouse.duckdb), a relative one three"


def warehouse_path(url: str) -> Path:
    """Return the file a warehouse URL names.

    Parameters
    ----------
    url
        A path, ``duckdb:///relative/path`` or ``duckdb:////absolute/path``.

    Raises
    ------
    ConfigurationError
        If the URL names another kind of database, or no file.

    Examples
    --------
    >>> warehouse_path("duckdb:////srv/uncap/warehouse.duckdb").as_posix()
    '/srv/uncap/warehouse.duckdb'
    >>> warehouse_path("postgresql://planner@db/uncap")
    Traceback (most recent call last):
    contracts.errors.ConfigurationError: warehouse.url: 'postgresql' is not supported by this version; expected duckdb
    Hint: PostgreSQL comes with a later version; use a path or duckdb:///data/warehouse.duckdb
    """
    scheme = _SCHEME.match(url)
    if scheme is None:
        path = url
    elif scheme["name"] == "duckdb":
        path = scheme["rest"][3:] if scheme["rest"].startswith("///") else ""
    else:
        later = "PostgreSQL comes with a later version; " if scheme["name"].startswith("postgres") else ""
        raise ConfigurationError(
            f"warehouse.url: {scheme['name']!r} is not supported by this version; expected duckdb",
            hint=f"{later}use a path or duckdb:///data/warehouse.duckdb",
        )
    if not path or path.endswith("/"):
        raise ConfigurationError(f"warehouse.url: {url!r} names no file; expected the path of the warehouse file", hint=_FOUR_SLASHES)
    return Path(path)


@contextmanager
def connect(url: str, *, threads: int, memory_limit: str) -> Iterator[Backend]:
    """Open the warehouse, creating its file, schemas and tables where they are missing, and close it on exit.

    Parameters
    ----------
    url
        See `warehouse_path`; a relative path is relative to the working directory.
    threads
        How many threads DuckDB may use.
    memory_limit
        How much memory it may use before it spills to a folder beside the file, such as ``4GB``.

    Yields
    ------
    Backend
        The ibis backend; the time zone of the session is UTC.

    Raises
    ------
    ConfigurationError
        If the URL is not supported or its folder does not exist.
    WarehouseError
        If the file is locked by another process, is not a DuckDB database, or was made by an incompatible version.
    """
    path = warehouse_path(url)
    if not path.parent.is_dir():
        raise ConfigurationError(f"warehouse.url: there is no folder {path.parent}; expected one that exists", hint=_FOUR_SLASHES)
    try:
        # Nothing uncap needs is an extension, so none is fetched from the network.
        con = ibis.duckdb.connect(path, threads=threads, memory_limit=memory_limit, autoinstall_known_extensions=False)
    except duckdb.Error as failure:
        raise _cannot_open(path, failure) from failure
    try:
        create_missing_tables(con)
        yield con
    finally:
        con.disconnect()


def _cannot_open(path: Path, failure: duckdb.Error) -> WarehouseError:
    message = str(failure).strip().split("\n")[0]
    holder = _HOLDER.search(message)
    if holder:
        return WarehouseError(
            f"{path} is locked by process {holder['process_id']} ({holder['program']}); one process at a time can use it",
            hint="wait until it ends, or end it if it hangs; a notebook or a database viewer locks the file too",
        )
    if "not a valid DuckDB database" in message:
        return WarehouseError(
            f"{path} is not a DuckDB database", hint="move the file away, or set warehouse.url to the path of the warehouse"
        )
    return WarehouseError(f"{path} cannot be opened: {message}", hint="check warehouse.url, the rights on the file and its folder")
