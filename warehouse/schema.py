"""Which schemas, tables and views does a warehouse have, and how are they made from the contract?"""

from __future__ import annotations

import hashlib

from ibis.backends.duckdb import Backend

from contracts.cells import CELLS, RECOVERED
from contracts.customers import CUSTOMER_TABLES
from contracts.errors import WarehouseError
from contracts.raw import RAW_TABLES
from contracts.scored import DEMAND_FORECAST, SCORED_TABLES, TRUE_DEMAND
from contracts.tables import Table
from warehouse.analyses.catalogue import ANALYSIS_SCHEMA, analysis_views
from warehouse.sql import SQL_TYPES, qualified, quoted
from warehouse.transactions import transaction

SCHEMAS = ("raw", "derived", "scored", ANALYSIS_SCHEMA)

STORED_TABLES = (*RAW_TABLES, *SCORED_TABLES, *CUSTOMER_TABLES)
"""Tables whose rows cannot be computed again; the derived ones can."""

DERIVED_TABLES = (CELLS, RECOVERED)

# Weeks after the newest scored as_of wait for their score: of them only the uncensored ones are known, which are those of low demand.
# A week that an older estimate took for censored stays as estimated, so that no retailer-SKU-week is here twice.
TRUE_DEMAND_WEEKLY = f"""
CREATE OR REPLACE VIEW "scored"."true_demand_weekly" AS
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


def create_table(table: Table, *, replace: bool = False) -> str:
    """Return the statement that creates a contract table where it is missing, or anew.

    There is no primary key: its index would cost more memory than the rows, and load and publish check keys themselves.

    >>> from contracts.raw import EVENTS
    >>> print(create_table(EVENTS))
    CREATE TABLE IF NOT EXISTS "raw"."events" ("event_date" DATE NOT NULL, "name" VARCHAR NOT NULL, "district" VARCHAR)
    """
    columns = ", ".join(
        f"{quoted(column.name)} {SQL_TYPES[column.kind]}{' NOT NULL' if column.required else ''}" for column in table.columns
    )
    return f"CREATE {'OR REPLACE TABLE' if replace else 'TABLE IF NOT EXISTS'} {qualified(table)} ({columns})"


def create_missing_tables(con: Backend) -> None:
    """Create what the contract names and the warehouse lacks; add columns that came with a newer contract.

    Raises
    ------
    WarehouseError
        If a stored table lacks a required column, or a column has another type than the contract says.
    """
    with transaction(con, "creating the tables of the warehouse"):
        for schema in SCHEMAS:
            con.con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
        for table in (*STORED_TABLES, *DERIVED_TABLES):
            con.con.execute(create_table(table))
            _bring_up_to_date(con, table)
        con.con.execute(TRUE_DEMAND_WEEKLY)
        _create_analysis_views(con)


def _create_analysis_views(con: Backend) -> None:
    """Make all views of ``analysis`` where one is missing or of another version; each bears the version of all as its comment."""
    views = analysis_views()
    tables = [create_table(table) for table in (*STORED_TABLES, *DERIVED_TABLES)]
    version = hashlib.sha256("\n".join([*tables, *views, *views.values()]).encode()).hexdigest()[:16]
    stored = con.con.execute(
        "SELECT view_name, comment FROM duckdb_views() WHERE database_name = current_database() AND schema_name = ?", [ANALYSIS_SCHEMA]
    ).fetchall()
    if dict(stored).items() >= dict.fromkeys(views, version).items():
        return
    for name, query in views.items():
        view = f"{quoted(ANALYSIS_SCHEMA)}.{quoted(name)}"
        con.con.execute(f"CREATE OR REPLACE VIEW {view} AS {query}")
        con.con.execute(f"COMMENT ON VIEW {view} IS '{version}'")


def _bring_up_to_date(con: Backend, table: Table) -> None:
    stored = dict(
        con.con.execute(
            "SELECT column_name, data_type FROM duckdb_columns()"
            " WHERE database_name = current_database() AND schema_name = ? AND table_name = ?",
            [table.schema, table.name],
        ).fetchall()
    )
    lacking = [column for column in table.columns if column.name not in stored]
    retyped = [column for column in table.columns if stored.get(column.name, SQL_TYPES[column.kind]) != SQL_TYPES[column.kind]]
    if not lacking and not retyped:
        return
    if table in DERIVED_TABLES:
        con.con.execute(create_table(table, replace=True))
        return
    broken = [column for column in (*retyped, *lacking) if column in retyped or column.required]
    if broken:
        names = ", ".join(f"{column.name} ({column.kind.value})" for column in broken)
        raise WarehouseError(
            f"{table.full_name}: stored without or with other types than this version expects: {names}",
            hint="the file was made by another version of uncap: use that one, or load the input tables into a new file",
        )
    for column in lacking:
        con.con.execute(f"ALTER TABLE {qualified(table)} ADD COLUMN {quoted(column.name)} {SQL_TYPES[column.kind]}")
