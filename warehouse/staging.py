"""How does a file become a temporary table in the contract's types, without losing what could not be read?

The rows are streamed into a temporary table of DuckDB, which spills to disk beyond its memory limit. A value that cannot be
cast is null there, and its text is kept in the map ``unreadable``, so that one later query finds all faults of all columns.
``rowid`` counts the rows from 0 in the order of the file.
"""

from __future__ import annotations

import glob
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import duckdb

from contracts.errors import InputDataError
from contracts.tables import Column, Table
from warehouse import csv_files
from warehouse.casts import cast, lost_text
from warehouse.duckdb_session import DuckDBWarehouse
from warehouse.files import TableFiles
from warehouse.sql import DUCKDB_TYPES, quoted


@dataclass(frozen=True)
class StagedTable:
    """An input table in temporary storage.

    Attributes
    ----------
    table
        Which one.
    columns
        The contract's columns that the file has.
    rows_read
        Rows of the file.
    ignored_columns
        Columns of the file that the contract does not know.
    has_unreadable
        Whether any value could not be cast.
    csv_path, delimiter
        The file, where a row number can be turned into a line of it.
    faults
        Missing columns, and rows that could not be split into fields.
    """

    table: Table
    columns: tuple[str, ...]
    rows_read: int
    ignored_columns: tuple[str, ...]
    has_unreadable: bool
    csv_path: Path | None = None
    delimiter: str = ","
    faults: tuple[str, ...] = ()

    @property
    def relation(self) -> str:
        """Name of the temporary table, as SQL."""
        return quoted(f"staged_{self.table.name}")

    @property
    def readable(self) -> str:
        """Condition of the rows all of whose values could be cast, as SQL."""
        return "unreadable IS NULL" if self.has_unreadable else "true"


@dataclass(frozen=True)
class _Source:
    """A file as a relation of SQL; ``columns`` gives the SQL name and the SQL type of each of its columns."""

    relation: str
    paths: list[str]
    columns: Mapping[str, tuple[str, str]]
    delimiter: str = ","


def stage(reader: DuckDBWarehouse, files: TableFiles) -> StagedTable:
    """Read the file of a table into a temporary table of all its contract columns.

    Raises
    ------
    InputDataError
        If the file cannot be read at all.
    """
    table = files.table
    try:
        source = _csv_source(files) if files.is_csv else _parquet_source(reader, files)
        given = [column for column in table.columns if column.name in source.columns]
        rows_read, unreadable = _copy(reader, table, source, given)
    except (duckdb.OutOfMemoryException, duckdb.InterruptException):
        raise
    except duckdb.Error as failure:
        raise _unreadable_file(files, failure) from failure
    broken = csv_files.broken_rows(reader, files.paths[0], table.name) if files.is_csv else []
    return StagedTable(
        table,
        tuple(column.name for column in given),
        rows_read,
        tuple(name for name in source.columns if name not in table.column_names),
        unreadable > 0,
        # Broken rows are not staged, so the rows behind them cannot be counted to a line.
        csv_path=files.paths[0] if files.is_csv and not broken else None,
        delimiter=source.delimiter,
        faults=(*_missing_columns(table, source.columns), *broken),
    )


def _copy(reader: DuckDBWarehouse, table: Table, source: _Source, given: list[Column]) -> tuple[int, int]:
    sources = {column.name: source.columns[column.name] for column in given}
    selected = [
        f"{cast(column.kind, *sources[column.name])} AS {quoted(column.name)}"
        if column.name in sources
        else f"CAST(NULL AS {DUCKDB_TYPES[column.kind]}) AS {quoted(column.name)}"
        for column in table.columns
    ]
    uncast = {column.name: lost_text(column.kind, *sources[column.name]) for column in given}
    castable = {name: text for name, text in uncast.items() if text is not None}
    entries = ", ".join(f"'{name}': {text}" for name, text in castable.items())
    found_any = " OR ".join(f"{text} IS NOT NULL" for text in castable.values())
    unreadable = f"CASE WHEN {found_any} THEN MAP {{{entries}}} END" if castable else "CAST(NULL AS MAP(VARCHAR, VARCHAR))"
    # In a CSV of one column an empty line reads as a null; it is no row.
    where = " WHERE c0 IS NOT NULL" if [name for name, _ in source.columns.values()] == ["c0"] else ""
    staged = quoted(f"staged_{table.name}")
    reader.execute(
        f"CREATE OR REPLACE TEMP TABLE {staged} AS SELECT {', '.join(selected)}, {unreadable} AS unreadable FROM {source.relation}{where}",
        {"paths": source.paths},
    )
    rows_read, n_unreadable = reader.execute(f"SELECT count(*), count(unreadable) FROM {staged}")[0]
    return int(rows_read), int(n_unreadable)


def _csv_source(files: TableFiles) -> _Source:
    path = files.paths[0]
    delimiter, names = csv_files.header(path, files.table.name)
    columns = {name or f"column {position + 1}": (f"c{position}", "VARCHAR") for position, name in enumerate(names)}
    return _Source(csv_files.relation(delimiter, len(names)), [glob.escape(str(path))], columns, delimiter)


def _parquet_source(reader: DuckDBWarehouse, files: TableFiles) -> _Source:
    relation = "read_parquet($paths, binary_as_string=true, union_by_name=true, hive_partitioning=false)"
    paths = [glob.escape(str(path)) for path in files.paths]
    described = reader.execute(f"DESCRIBE SELECT * FROM {relation}", {"paths": paths})
    return _Source(relation, paths, {row[0]: (quoted(row[0]), row[1]) for row in described})


def _missing_columns(table: Table, names: Mapping[str, object]) -> list[str]:
    faults = []
    unknown = {name.lower(): name for name in names if name not in table.column_names}
    for missing in (name for name in table.required if name not in names):
        nearest = get_close_matches(missing, unknown, n=1, cutoff=0.7)
        meant = f" ({unknown[nearest[0]]!r} is there)" if nearest else ""
        faults.append(f"{table.name}.{missing}: the column is missing{meant}; expected {', '.join(table.required)}")
    return faults


def _unreadable_file(files: TableFiles, failure: duckdb.Error) -> duckdb.Error | InputDataError:
    message = str(failure).strip().split("\n")[0]
    if "No space left" in message or "max_temp_directory_size" in message:
        return failure
    form = "CSV" if files.is_csv else "Parquet"
    places = ", ".join(path.name for path in files.paths[:3])
    return InputDataError(
        [f"{files.table.name}: {places} cannot be read ({message}); expected a whole {form} file"],
        hint="write the file again and load again; nothing was kept",
    )
