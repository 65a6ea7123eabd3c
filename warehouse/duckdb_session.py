"""How does DuckDB, in the process of uncap and in one file, serve as the warehouse?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal

import duckdb
import pyarrow as pa

from warehouse.session import Parameters, Rows, Warehouse
from warehouse.sql import quoted

Named = Mapping[str, object]


class DuckDBWarehouse(Warehouse):
    """A DuckDB connection as a warehouse.

    Parameters
    ----------
    database
        A file, or ``:memory:``.
    threads
        How many threads it may use.
    memory_limit
        How much memory it may use before it spills, such as ``4GB``.
    temporary_folder
        Where it spills to; beside the file if None.

    Raises
    ------
    duckdb.Error
        If the file cannot be opened.
    """

    dialect: Literal["duckdb"] = "duckdb"

    def __init__(self, database: str, *, threads: int, memory_limit: str, temporary_folder: str | None = None) -> None:
        places = {} if temporary_folder is None else {"temp_directory": temporary_folder}
        # Nothing uncap needs is an extension, so none is fetched from the network; a name in SQL is never a Python variable.
        # Joins stay in the order they are written in: reordered, the features of 450,000 pairs waited for one another for ever
        # (DuckDB 1.5.6, 7 million cells, all threads asleep, with 4 to 16 GB of memory); as written they take 12 s.
        self._con = duckdb.connect(
            database,
            config={
                "threads": threads,
                "memory_limit": memory_limit,
                "autoinstall_known_extensions": False,
                "python_enable_replacements": False,
                "disabled_optimizers": "join_order",
                **places,
            },
        )
        self._con.execute("SET TimeZone = 'UTC'")
        # DuckDB draws one into the log where Python was started with -c, as `uncap serve` starts commands
        self._con.execute("SET enable_progress_bar = false")

    def execute(self, sql: str, parameters: Parameters | Named = ()) -> Rows:
        """Run statements and return the rows of the last one; parameters may also have names, ``$name`` in the SQL."""
        return self._con.execute(sql, parameters or None).fetchall()

    def query(self, sql: str, parameters: Parameters | Named = (), schema: pa.Schema | None = None) -> pa.Table:
        """Run a query and return its rows."""
        rows = self._con.execute(sql, parameters or None).to_arrow_table()
        # the cast is what ibis does when it reads: a date that DuckDB truncated is a timestamp until then
        return rows if schema is None else rows.cast(schema)

    def batches(self, sql: str, rows_per_batch: int) -> pa.RecordBatchReader:
        """Run a query and return its rows as a stream."""
        return self._con.execute(sql).to_arrow_reader(rows_per_batch)

    def changed(self, sql: str, parameters: Parameters = ()) -> int:
        """Run an INSERT, UPDATE or DELETE and return how many rows it touched."""
        return int(self.execute(sql, parameters)[0][0])

    def ingest(self, name: str, rows: pa.Table | pa.RecordBatchReader) -> None:
        """Copy Arrow rows into a temporary table."""
        with self.ingested(f"incoming_{name}", rows):
            self._con.execute(f"CREATE TEMP TABLE {quoted(name)} AS SELECT * FROM {quoted(f'incoming_{name}')}")

    @contextmanager
    def ingested(self, name: str, rows: pa.Table | pa.RecordBatchReader) -> Iterator[None]:
        """Let DuckDB read Arrow rows where they are."""
        self._con.register(name, rows)
        try:
            yield
        finally:
            self._con.unregister(name)

    def begin(self) -> None:
        """Begin a transaction; no other process has the file."""
        self._con.execute("BEGIN TRANSACTION")

    def drop_temporary(self, names: Sequence[str]) -> None:
        """Drop those of some temporary tables that are there."""
        for name in names:
            self._con.execute(f"DROP TABLE IF EXISTS temp.{quoted(name)}")

    def gather_statistics(self, relation: str) -> None:
        """Do nothing: DuckDB keeps statistics itself."""

    def view_comments(self, schema: str) -> Mapping[str, str | None]:
        """Return the comment of each view of a schema."""
        return dict(
            self.execute(
                "SELECT view_name, comment FROM duckdb_views() WHERE database_name = current_database() AND schema_name = ?", [schema]
            )
        )

    def close(self) -> None:
        """Close the file."""
        self._con.close()
