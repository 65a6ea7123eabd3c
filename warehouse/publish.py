"""How do scored rows replace those of the same as_of, all of them or none?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from contracts.errors import WarehouseError
from contracts.tables import Column, Kind, Table
from warehouse.session import Warehouse
from warehouse.sql import listed, qualified, quoted, same_key
from warehouse.transactions import transaction

_INCOMING = quoted("incoming_rows")
_MODEL_AT_FAULT = "nothing was written; this is a defect of the run, not of the warehouse"


def publish(con: Warehouse, rows: Mapping[Table, pa.Table], *, as_of: date, keep_weeks: Mapping[str, int | None]) -> dict[str, int]:
    """Write the scored rows of one ``as_of`` in one transaction; a crash before its end leaves the old rows.

    A table with ``as_of`` in its key loses its rows of that ``as_of`` and gets the new ones; then rows older than
    its newest ``as_of`` minus ``keep_weeks`` go, but never those just written. In a table without (``true_demand``) the new rows
    take the place of all rows of the same and earlier ``as_of``; rows of a later one stay.

    Parameters
    ----------
    con
        The warehouse.
    rows
        For each scored table, its rows with the columns of the contract in any order.
    as_of
        The last day that was known; every row has it.
    keep_weeks
        Weeks of past ``as_of`` to keep, by table name; None or no entry keeps all.

    Returns
    -------
    dict[str, int]
        Rows written by full table name.

    Raises
    ------
    WarehouseError
        If rows break the contract (columns, nulls, NaN, another ``as_of``, a key twice) or the database fails; nothing is kept.
    """
    checked = {table: _checked(table, table_rows, as_of) for table, table_rows in rows.items()}
    written = {}
    with transaction(con, "publishing"):
        for table, table_rows in checked.items():
            with con.ingested("incoming_rows", table_rows):
                _refuse_repeated_keys(con, table)
                written[table.full_name] = _replace(con, table, as_of) if "as_of" in table.key else _upsert(con, table, as_of)
            weeks = keep_weeks.get(table.name)
            if weeks is not None and "as_of" in table.key:
                _drop_old(con, table, as_of, weeks)
            con.gather_statistics(qualified(table))
    return written


def _replace(con: Warehouse, table: Table, as_of: date) -> int:
    con.execute(f"DELETE FROM {qualified(table)} WHERE as_of = ?", [as_of])
    return con.changed(
        f"INSERT INTO {qualified(table)} ({listed(table.column_names)}) SELECT {listed(table.column_names)} FROM {_INCOMING}"
    )


def _upsert(con: Warehouse, table: Table, as_of: date) -> int:
    stored = qualified(table)
    # what is published holds every row known by now, so that earlier estimates of weeks no longer among them are void
    con.execute(f"DELETE FROM {stored} WHERE as_of <= ?", [as_of])
    return con.changed(
        f"INSERT INTO {stored} ({listed(table.column_names)}) SELECT {listed(table.column_names)} FROM {_INCOMING} AS incoming "
        f"WHERE NOT EXISTS (SELECT 1 FROM {stored} AS stored WHERE {same_key(table, 'stored', 'incoming')})",
    )


def _drop_old(con: Warehouse, table: Table, as_of: date, weeks: int) -> None:
    con.execute(
        f"DELETE FROM {qualified(table)} WHERE as_of <> ? AND as_of < (SELECT max(as_of) FROM {qualified(table)}) - CAST(? AS INTEGER)",
        [as_of, 7 * weeks],
    )


def _checked(table: Table, rows: pa.Table, as_of: date) -> pa.Table:
    """Return the rows in the contract's columns and types."""
    if set(rows.column_names) != set(table.column_names):
        differing = sorted(set(rows.column_names) ^ set(table.column_names))
        raise _refused(f"{table.full_name}: columns {', '.join(differing)} are missing or unknown")
    # The cast would only say that there are nulls; the check behind it says where and how many.
    nullable = pa.schema([field.with_nullable(nullable=True) for field in table.arrow_schema])
    try:
        typed = rows.select(table.column_names).cast(nullable)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as failure:
        raise _refused(f"{table.full_name}: {failure}") from failure
    for column in table.columns:
        _refuse_gaps(table, column, typed.column(column.name))
    if pc.any(pc.not_equal(typed.column("as_of"), pa.scalar(as_of))).as_py():
        raise _refused(f"{table.full_name}.as_of: rows of another day; expected {as_of}")
    return typed


def _refuse_gaps(table: Table, column: Column, values: pa.ChunkedArray) -> None:
    if column.required and values.null_count:
        raise _refused(f"{table.full_name}.{column.name}: null, {values.null_count} rows; expected a value")
    if column.kind is Kind.NUMBER:
        n_infinite = pc.sum(pc.invert(pc.is_finite(values))).as_py()
        if n_infinite:
            raise _refused(f"{table.full_name}.{column.name}: not finite, {n_infinite} rows; expected a number")


def _refuse_repeated_keys(con: Warehouse, table: Table) -> None:
    key = listed(table.key)
    repeated = con.execute(f"SELECT {key}, count(*) FROM {_INCOMING} GROUP BY {key} HAVING count(*) > 1 LIMIT 1")
    if repeated:
        named = ", ".join(f"{name}={value}" for name, value in zip(table.key, repeated[0], strict=False))
        raise _refused(f"{table.full_name}: a key is there {repeated[0][-1]} times, {named}; expected once")


def _refused(fault: str) -> WarehouseError:
    return WarehouseError(fault, hint=_MODEL_AT_FAULT)
