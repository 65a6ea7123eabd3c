"""How are tables read, and derived ones written?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from contracts.errors import WarehouseError
from contracts.tables import Table
from warehouse.schema import empty
from warehouse.session import Warehouse
from warehouse.sql import Dialect, listed, qualified, quoted
from warehouse.statements import Days, Statement
from warehouse.transactions import failures_explained, transaction

_ROW_HASH: dict[Dialect, str] = {"duckdb": "hash(one)", "postgres": "hash_record_extended(one, 0)"}


def contract_table(described: Table) -> ir.Table:
    """Return a contract table as an expression that belongs to no warehouse yet.

    >>> from contracts.cells import CELLS
    >>> contract_table(CELLS).columns == CELLS.column_names
    True
    """
    return ibis.table(ibis.Schema.from_pyarrow(described.arrow_schema), name=described.name, database=described.schema)


def has_rows(con: Warehouse, described: Table) -> bool:
    """Return whether a table has any row."""
    with failures_explained(f"reading {described.full_name}"):
        return bool(con.execute(f"SELECT EXISTS (SELECT 1 FROM {qualified(described)})")[0][0])


def fetch(con: Warehouse, expression: ir.Table) -> pa.Table:
    """Compute an expression and return its rows; with `fetch_for` the only place of uncap that does.

    Raises
    ------
    WarehouseError
        If the database refuses it or runs out of memory or disk.
    """
    with failures_explained("reading"), con.rows_in_memory(expression):
        return con.query(con.compiled(expression), schema=_nullable(expression.schema().to_pyarrow()))


def fetch_for(con: Warehouse, statement: Statement, days: Days, **equal: str) -> pa.Table:
    """Run a statement for some days and return its rows.

    Parameters
    ----------
    con
        The warehouse.
    statement
        Compiled once for any days.
    days
        As ``Statement.sql`` takes them.
    equal
        Texts by column: only rows that have them are returned.

    Raises
    ------
    WarehouseError
        If the database refuses it or runs out of memory or disk.
    """
    query = statement.sql(days, con.dialect)
    if equal:
        query = f"SELECT * FROM ({query}) AS statement WHERE {' AND '.join(f'{quoted(column)} = ?' for column in equal)}"
    with failures_explained("reading"):
        return con.query(query, list(equal.values()), _nullable(statement.schema))


def materialise(con: Warehouse, described: Table, expression: ir.Table) -> ir.Table:
    """Replace a derived table with the rows of an expression, in one transaction, and return the stored table.

    Parameters
    ----------
    con
        The warehouse.
    described
        The derived table, such as ``contracts.cells.CELLS``; gives column order and types.
    expression
        Has at least its columns; others are left out. Must not read from the table itself.

    Raises
    ------
    WarehouseError
        If columns are missing, a required one is null, or a value does not fit its type; the old rows stay.
    """
    missing = [name for name in described.column_names if name not in expression.columns]
    if missing:
        raise WarehouseError(
            f"{described.full_name}: columns {', '.join(missing)} are missing; expected {', '.join(described.column_names)}",
            hint="the expression and the contract table must have the same columns",
        )
    typed = expression.select(*(expression[c.name].cast(_ibis_type(c.kind.arrow)).name(c.name) for c in described.columns))
    with transaction(con, f"writing {described.full_name}"), con.rows_in_memory(typed):
        empty(con, described)
        con.execute(f"INSERT INTO {qualified(described)} ({listed(described.column_names)}) {con.compiled(typed)}")
        con.gather_statistics(qualified(described))
    return contract_table(described)


def store(con: Warehouse, described: Table, rows: pa.Table) -> ir.Table:
    """Replace a derived table with Arrow rows, in one transaction, and return the stored table; see `materialise`."""
    return materialise(con, described, ibis.memtable(rows))


@dataclass(frozen=True)
class Fingerprint:
    """What tells one state of a table from another.

    Attributes
    ----------
    rows
        How many.
    first_day, last_day
        Span of a date column; None where none was named or no row is there.
    content_hash
        Sixteen hexadecimal digits; equal rows in another order have the same. Each kind of database
        has its own hash: compare it only with others of the same kind.
    """

    rows: int
    first_day: date | None
    last_day: date | None
    content_hash: str


def fingerprint(con: Warehouse, described: Table, date_column: str | None) -> Fingerprint:
    """Return rows, span and content hash of a table."""
    day = quoted(date_column) if date_column else "CAST(NULL AS DATE)"
    # keys are unique, so no two rows cancel each other out in the exclusive or
    query = f"SELECT count(*), min({day}), max({day}), coalesce(bit_xor({_ROW_HASH[con.dialect]}), 0) FROM {qualified(described)} AS one"
    with failures_explained(f"reading {described.full_name}"):
        rows, first, last, digest = con.execute(query)[0]
    return Fingerprint(rows, first, last, f"{digest % 2**64:016x}")


def _nullable(schema: pa.Schema) -> pa.Schema:
    """Let every column be null: the least or the sum of no rows is, whatever the column may be."""
    return pa.schema([field.with_nullable(nullable=True) for field in schema])


def _ibis_type(arrow_type: pa.DataType) -> ibis.expr.datatypes.DataType:
    return ibis.expr.datatypes.DataType.from_pyarrow(arrow_type)
