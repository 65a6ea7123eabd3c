"""How does a PostgreSQL database serve as the warehouse?

Everything goes through one ADBC connection, so that definitions, deletes and bulk writes (COPY) share a transaction. Found by trying,
with ADBC 1.13: it stays in autocommit mode and is given BEGIN and COMMIT as statements, because after a failure its own mode does not
begin again; NUMERIC arrives as text; rows touched are counted only where there are no parameters; ``SHOW`` and ``EXPLAIN`` fail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Literal

import adbc_driver_postgresql.dbapi  # type: ignore[import-untyped]  # it has types, but no marker that says so
import pyarrow as pa
from adbc_driver_manager import dbapi

from warehouse.held_locks import HeldLock, require_held
from warehouse.session import Parameters, Rows, Warehouse
from warehouse.sql import quoted

WRITE_TRANSACTION_LOCK = 7_531_202_601
"""Advisory lock that a transaction that writes holds until its end, so that two never interleave; the number only has to be ours."""

_TEXTS_AND_PLACES = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|(?P<place>\?)""")
_MEMORY_UNITS = {"KB": 1, "MB": 10**3, "GB": 10**6, "TB": 10**9, "KIB": 1, "MIB": 2**10, "GIB": 2**20, "TIB": 2**30}
# Joins are of whole tables on texts, and there is no index to look rows up in. Hashed, the weeks of 1.9 million order lines take 22 s
# of the server's processor, sorted and merged 46 s; a nested loop that the planner took for small is quadratic.
_PLANS = {"jit": "off", "enable_mergejoin": "off", "enable_nestloop": "off"}
# The session that holds a lock is idle for hours. The server neither ends it, nor keeps it when the machine of the run is gone.
_KEPT = {"idle_session_timeout": "0", "tcp_keepalives_idle": "60", "tcp_keepalives_interval": "15", "tcp_keepalives_count": "4"}
_SESSION = {**_PLANS, **_KEPT, "TimeZone": "UTC", "lock_timeout": "5min", "client_min_messages": "error"}


class PostgresWarehouse(Warehouse):
    """A session of a PostgreSQL server as a warehouse.

    Parameters
    ----------
    url
        As libpq takes it; see ``warehouse.addresses.checked_server``.
    threads, memory_limit
        Means of the DuckDB that reads files beside it; a sixteenth of the memory limit also becomes ``work_mem`` of the session.
    name
        What others are shown of this session (``application_name``).
    locks
        Held by other sessions of this run; without them it must not write.

    Raises
    ------
    dbapi.Error
        If the server cannot be reached or refuses the session.
    """

    dialect: Literal["postgres"] = "postgres"

    def __init__(self, url: str, *, threads: int, memory_limit: str, name: str, locks: Sequence[HeldLock] = ()) -> None:
        self.threads, self.memory_limit, self._locks = threads, memory_limit, locks
        self._con: dbapi.Connection = adbc_driver_postgresql.dbapi.connect(url, autocommit=True)
        settings = {**_SESSION, "work_mem": f"{work_mem_kilobytes(memory_limit)}kB", "application_name": name}
        places = ", ".join("set_config(?, ?, false)" for _ in settings)
        self.execute(f"SELECT {places}", [text for setting in settings.items() for text in setting])

    def execute(self, sql: str, parameters: Parameters = ()) -> Rows:
        """Run one statement and return its rows, none where it has none."""
        columns = [column.to_pylist() for column in self.query(sql, parameters).columns]
        return list(zip(*columns, strict=True))

    def query(self, sql: str, parameters: Parameters = (), schema: pa.Schema | None = None) -> pa.Table:
        """Run a query and return its rows; without a schema NUMERIC becomes a double."""
        with self._con.cursor() as cursor:
            cursor.execute(numbered(sql) if parameters else sql, list(parameters) or None)
            rows = cursor.fetch_arrow_table() if cursor.description else pa.table({})
        return _without_text_numbers(rows, schema)

    def changed(self, sql: str, parameters: Parameters = ()) -> int:
        """Run an INSERT, UPDATE or DELETE and return how many rows it touched."""
        if parameters:
            return int(self.execute(f"WITH touched AS ({sql} RETURNING 1) SELECT count(*) FROM touched", parameters)[0][0])
        with self._con.cursor() as cursor:
            cursor.execute(sql)
            return int(cursor.rowcount)

    def ingest(self, name: str, rows: pa.Table | pa.RecordBatchReader) -> None:
        """Copy Arrow rows into a temporary table (COPY in binary form), and analyse it."""
        with self._con.cursor() as cursor:
            cursor.adbc_ingest(name, rows, mode="create", temporary=True)
        self.gather_statistics(quoted(name))

    @contextmanager
    def ingested(self, name: str, rows: pa.Table | pa.RecordBatchReader) -> Iterator[None]:
        """Have Arrow rows in a temporary table; it is dropped at the end of the block, or goes with a transaction that fails."""
        self.ingest(name, rows)
        try:
            yield
        except BaseException:
            # in a transaction that failed it is gone already, or goes with the ROLLBACK
            with suppress(dbapi.Error):
                self.drop_temporary([name])
            raise
        self.drop_temporary([name])

    def begin(self) -> None:
        """Begin a transaction once no other session is in one that writes, if the locks of this run are held still."""
        self.execute("BEGIN")
        try:
            self.execute("SELECT pg_advisory_xact_lock(?)", [WRITE_TRANSACTION_LOCK])
            require_held(self, self._locks)
        except BaseException:
            with suppress(dbapi.Error):
                self.execute("ROLLBACK")
            raise

    def drop_temporary(self, names: Sequence[str]) -> None:
        """Drop those of some temporary tables that are there."""
        for name in names:
            self.execute(f"DROP TABLE IF EXISTS pg_temp.{quoted(name)}")

    def gather_statistics(self, relation: str) -> None:
        """Analyse a table at once: autovacuum would come after the queries that need it."""
        self.execute(f"ANALYZE {relation}")

    def view_comments(self, schema: str) -> Mapping[str, str | None]:
        """Return the comment of each view of a schema."""
        return dict(
            self.execute(
                "SELECT c.relname::text, obj_description(c.oid, 'pg_class') FROM pg_class AS c"
                " JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind = 'v' AND n.nspname = ?",
                [schema],
            )
        )

    def close(self) -> None:
        """End the session."""
        self._con.close()


def numbered(sql: str) -> str:
    """Return SQL with ``$1``, ``$2``, … for its places ``?``.

    >>> numbered("SELECT 'why?' WHERE a = ? AND b = ?")
    "SELECT 'why?' WHERE a = $1 AND b = $2"
    """
    count = 0

    def number(found: re.Match[str]) -> str:
        nonlocal count
        count += found["place"] is not None
        return f"${count}" if found["place"] else found[0]

    return _TEXTS_AND_PLACES.sub(number, sql)


def work_mem_kilobytes(memory_limit: str) -> int:
    """Return how much memory one sort or hash of the server may use: a sixteenth of the limit, at least 4 MB; 256 MB for a share.

    >>> work_mem_kilobytes("4GB"), work_mem_kilobytes("2 GiB"), work_mem_kilobytes("70%")
    (250000, 131072, 256000)
    """
    amount = re.fullmatch(r"\s*(?P<number>[\d.]+)\s*(?P<unit>[KMGT]i?B)\s*", memory_limit, re.IGNORECASE)
    if amount is None:
        return 256_000
    return max(4_096, min(2_000_000, int(float(amount["number"]) * _MEMORY_UNITS[amount["unit"].upper()] / 16)))


def _without_text_numbers(rows: pa.Table, schema: pa.Schema | None) -> pa.Table:
    """Turn NUMERIC, which arrives as text, into the numbers of a schema, or doubles, and cast the rest."""
    for place, column in enumerate(rows.schema):
        if isinstance(column.type, pa.OpaqueType):
            stored = rows.column(place).cast(column.type.storage_type)
            wanted = schema.field(place).type if schema is not None else pa.float64()
            if column.type.type_name == "numeric":
                # a sum of integers has no decimals
                stored = stored.cast(wanted if pa.types.is_integer(wanted) else pa.float64())
            rows = rows.set_column(place, column.name, stored)
    return rows if schema is None else rows.cast(schema)
