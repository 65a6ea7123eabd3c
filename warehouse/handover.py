"""Which DuckDB reads the files, and how do its staged rows get to the database that stores them?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from contracts.tables import Column, Kind
from warehouse.duckdb_session import DuckDBWarehouse
from warehouse.postgres_session import PostgresWarehouse
from warehouse.session import Warehouse
from warehouse.sql import quoted
from warehouse.staging import StagedTable

ROWS_PER_BATCH = 100_000


@contextmanager
def file_reader(con: Warehouse) -> Iterator[DuckDBWarehouse]:
    """Have the DuckDB that reads files: the warehouse itself, or an embedded one beside a server, which spills to a temporary folder."""
    if isinstance(con, DuckDBWarehouse):
        yield con
    elif isinstance(con, PostgresWarehouse):
        with tempfile.TemporaryDirectory(prefix="uncap-") as folder:
            reader = DuckDBWarehouse(":memory:", threads=con.threads, memory_limit=con.memory_limit, temporary_folder=folder)
            try:
                yield reader
            finally:
                reader.close()
    else:
        raise TypeError(f"{type(con).__name__} has no reader of files")


def staged_where_stored(reader: DuckDBWarehouse, con: Warehouse, staged_tables: Iterable[StagedTable]) -> None:
    """Have each staged table in the warehouse under the same name, with the number of each row in the file as ``rowid``.

    They are streamed, so that no table has to fit in memory. Where DuckDB is the warehouse, they are there already.

    Parameters
    ----------
    reader
        The DuckDB that staged them.
    con
        The warehouse, in a transaction.
    staged_tables
        After duplicates have been settled.
    """
    if con is reader:
        return
    for staged in staged_tables:
        columns = ", ".join(_sendable(column) for column in staged.table.columns)
        rows = reader.batches(f"SELECT {columns}, rowid FROM {staged.relation}", ROWS_PER_BATCH)
        con.ingest(f"staged_{staged.table.name}", rows)


def _sendable(column: Column) -> str:
    """Return a column as SQL; no text of PostgreSQL has a null byte, which is a fault that has been found by now."""
    name = quoted(column.name)
    return f"replace({name}, chr(0), '') AS {name}" if column.kind is Kind.TEXT else name
