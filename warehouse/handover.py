"""How do staged rows get from the DuckDB that read them to the database that stores them?"""

from __future__ import annotations

from collections.abc import Iterable

from contracts.tables import Column, Kind
from warehouse.duckdb_session import DuckDBWarehouse
from warehouse.session import Warehouse
from warehouse.sql import quoted
from warehouse.staging import StagedTable

ROWS_PER_BATCH = 100_000


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
