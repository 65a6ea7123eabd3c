"""Which schemas, tables and views does a warehouse have, and how are they made from the contract?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from contracts.cells import CELLS, RECOVERED
from contracts.customers import CUSTOMER_TABLES
from contracts.data_checks import DATA_CHECK, QUARANTINED_LINE
from contracts.errors import WarehouseError
from contracts.monitoring import MONITORING_TABLES
from contracts.raw import RAW_TABLES
from contracts.scored import DEMAND_FORECAST, SCORED_TABLES, TRUE_DEMAND
from contracts.tables import Column, Kind, Table
from warehouse.analyses.catalogue import ANALYSIS_SCHEMA, analysis_views
from warehouse.session import Warehouse
from warehouse.sql import SQL_TYPES, Dialect, qualified, quoted
from warehouse.stored_columns import Stored, stored_columns
from warehouse.transactions import failures_explained, transaction

SCHEMAS = ("raw", "derived", "scored", ANALYSIS_SCHEMA)

STORED_TABLES = (*RAW_TABLES, *SCORED_TABLES, *CUSTOMER_TABLES, *MONITORING_TABLES, DATA_CHECK)
"""Tables whose rows cannot be computed again; the derived ones can."""

DERIVED_TABLES = (CELLS, RECOVERED, QUARANTINED_LINE)

ALL_TABLES = (*STORED_TABLES, *DERIVED_TABLES)

# Weeks after the newest scored as_of wait for their score: of them only the uncensored ones are known, which are those of low demand.
# A week that an older estimate took for censored stays as estimated, so that no retailer-SKU-week is here twice.
TRUE_DEMAND_WEEKLY = f"""
SELECT retailer_id, sku_id, week_start, delivered_units, censoring, true_units, true_units_p10, true_units_p90, identified
FROM {qualified(TRUE_DEMAND)}
UNION ALL
SELECT retailer_id, sku_id, week_start, delivered_units, censoring, delivered_units, delivered_units, delivered_units, true
FROM {qualified(CELLS)} AS cell
WHERE censoring = 'none'
  AND week_start <= coalesce((SELECT max(as_of) FROM {qualified(DEMAND_FORECAST)}), DATE '9999-12-31')
  AND NOT EXISTS (
    SELECT 1 FROM {qualified(TRUE_DEMAND)} AS estimated
    WHERE estimated.retailer_id = cell.retailer_id AND estimated.sku_id = cell.sku_id AND estimated.week_start = cell.week_start
)
"""


def create_table(table: Table, dialect: Dialect = "duckdb") -> str:
    """Return the statement that creates a contract table.

    There is no primary key: its index would cost more memory than the rows, and load and publish check keys themselves. In PostgreSQL,
    texts sort by their bytes as they do in DuckDB, and derived tables are not logged: after a crash of the server they are empty until
    they are computed again.

    >>> from contracts.raw import EVENTS
    >>> print(create_table(EVENTS))
    CREATE TABLE "raw"."events" ("event_date" DATE NOT NULL, "name" VARCHAR NOT NULL, "district" VARCHAR)
    """
    columns = ", ".join(_column(column, dialect) + (" NOT NULL" if column.required else "") for column in table.columns)
    unlogged = "UNLOGGED " if dialect == "postgres" and table in DERIVED_TABLES else ""
    return f"CREATE {unlogged}TABLE {qualified(table)} ({columns})"


def create_missing_tables(con: Warehouse) -> None:
    """Create what the contract names and the warehouse lacks; add columns that came with a newer contract.

    Where nothing lacks, nothing is written, so that a role that may only read can open the warehouse.

    Raises
    ------
    WarehouseError
        If a stored table lacks a required column, or a column has another type than the contract says.
    """
    with failures_explained("looking at the tables of the warehouse"):
        stored = stored_columns(con, SCHEMAS)
        changes = list(_changes(con.dialect, stored))
        if not changes and _views_are_current(con):
            return
    with transaction(con, "creating the tables of the warehouse"):
        # another process may have made them in the meantime
        for change in _changes(con.dialect, stored_columns(con, SCHEMAS)):
            con.execute(change)
        if not _views_are_current(con):
            _create_views(con)


def empty(con: Warehouse, derived: Table) -> None:
    """Empty a derived table in the transaction at hand; views of PostgreSQL depend on the table itself, so that it stays."""
    if con.dialect == "duckdb":
        con.execute(create_table(derived).replace("CREATE TABLE", "CREATE OR REPLACE TABLE", 1))
    else:
        con.execute(f"TRUNCATE {qualified(derived)}")


def _changes(dialect: Dialect, stored: Stored) -> Iterator[str]:
    """Yield the statements that bring the tables up to the contract."""
    if any(table.full_name not in stored for table in ALL_TABLES):
        yield from (f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}" for schema in SCHEMAS)
    for table in ALL_TABLES:
        if table.full_name not in stored:
            yield from _created(table, dialect)
        else:
            yield from _brought_up_to_date(table, stored[table.full_name], dialect)


def _created(table: Table, dialect: Dialect) -> Iterator[str]:
    yield create_table(table, dialect)
    if dialect == "postgres" and table.schema == "scored" and "as_of" in table.column_names:
        # rows of an as_of are written together, so that a few pages of block ranges find them
        yield f"CREATE INDEX ON {qualified(table)} USING brin (as_of)"


def _brought_up_to_date(table: Table, stored: Mapping[str, str], dialect: Dialect) -> Iterator[str]:
    types = SQL_TYPES[dialect]
    lacking = [column for column in table.columns if column.name not in stored]
    retyped = [column for column in table.columns if stored.get(column.name, types[column.kind]) != types[column.kind]]
    if not lacking and not retyped:
        return
    if table in DERIVED_TABLES:
        if dialect == "postgres":
            yield _drop_views()
        yield f"DROP TABLE {qualified(table)}"
        yield from _created(table, dialect)
        return
    broken = [column for column in (*retyped, *lacking) if column in retyped or column.required]
    if broken:
        names = ", ".join(f"{column.name} ({column.kind.value})" for column in broken)
        raise WarehouseError(
            f"{table.full_name}: stored without or with other types than this version expects: {names}",
            hint="the warehouse was made by another version of uncap: use that one, or load the input tables into a new one",
        )
    for column in lacking:
        yield f"ALTER TABLE {qualified(table)} ADD COLUMN {_column(column, dialect)}"


def _column(column: Column, dialect: Dialect) -> str:
    collation = ' COLLATE "C"' if dialect == "postgres" and column.kind is Kind.TEXT else ""
    return f"{quoted(column.name)} {SQL_TYPES[dialect][column.kind]}{collation}"


def _views() -> dict[str, dict[str, str]]:
    """Return the query of each view by schema and name; those that others read come first."""
    return {"scored": {"true_demand_weekly": TRUE_DEMAND_WEEKLY}, ANALYSIS_SCHEMA: dict(analysis_views())}


def _named_views() -> dict[str, str]:
    """Return the query of each view by its name as SQL."""
    return {f"{quoted(schema)}.{quoted(name)}": query for schema, views in _views().items() for name, query in views.items()}


def _drop_views() -> str:
    return f"DROP VIEW IF EXISTS {', '.join(_named_views())}"


def _views_version(dialect: Dialect) -> str:
    """Return what each view bears as its comment: a digest of all views and of the tables they read."""
    tables = [create_table(table, dialect) for table in ALL_TABLES]
    queries = [text for view in _named_views().items() for text in view]
    return hashlib.sha256("\n".join([*tables, *queries]).encode()).hexdigest()[:16]


def _views_are_current(con: Warehouse) -> bool:
    version = _views_version(con.dialect)
    return all(con.view_comments(schema).items() >= dict.fromkeys(views, version).items() for schema, views in _views().items())


def _create_views(con: Warehouse) -> None:
    """Make all views anew; PostgreSQL replaces none whose columns are others, and drops none that a view of somebody else reads."""
    version = _views_version(con.dialect)
    if con.dialect == "postgres" and any(con.view_comments(schema) for schema in _views()):
        con.execute(_drop_views())
    for view, query in _named_views().items():
        con.execute(f"CREATE OR REPLACE VIEW {view} AS {query}")
        con.execute(f"COMMENT ON VIEW {view} IS '{version}'")
