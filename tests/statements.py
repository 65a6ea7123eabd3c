"""How a test runs a feature: the expression is compiled and planned once, and run by DuckDB on the few rows that the test gives.

To plan the SQL of a feature takes DuckDB five times as long as to run it on a few rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from contracts.cells import CELLS, RECOVERED
from contracts.raw import RAW_TABLES

Rows = list[dict[str, Any]]

SCHEMAS = {table.name: table.arrow_schema for table in (*RAW_TABLES, CELLS, RECOVERED)}
SCHEMAS["demand_cells"] = CELLS.arrow_schema.append(pa.field("true_units", pa.float64()))


class Statement:
    """An expression over contract tables.

    Parameters
    ----------
    build
        Makes the expression of the tables, in their order.
    names
        Names of the tables: those of the contract, or ``demand_cells``.
    """

    def __init__(self, build: Callable[..., ir.Table], *names: str) -> None:
        expression = build(*(ibis.table(ibis.Schema.from_pyarrow(SCHEMAS[name]), name=name) for name in names))
        self._schema = expression.schema().to_pyarrow()
        self._connection = duckdb.connect(config={"threads": 1})
        # the plan is made for empty tables, and must not rest on what is in them
        self._connection.execute("SET disabled_optimizers = 'statistics_propagation,compressed_materialization'")
        for name in names:
            self._connection.register("given", SCHEMAS[name].empty_table())
            self._connection.execute(f"CREATE TABLE {name} AS FROM given")
        self._connection.execute(f"PREPARE asked AS SELECT * FROM ({ibis.to_sql(expression, dialect='duckdb')}) ORDER BY ALL")

    def table(self, **tables: Rows | pa.Table) -> pa.Table:
        """Run it; a table that is not given is empty, what a row does not say is null, and the rows come sorted."""
        self._connection.begin()
        try:
            for name, rows in tables.items():
                given = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows, schema=SCHEMAS[name])
                self._connection.register("given", given)
                self._connection.execute(f"INSERT INTO {name} BY NAME FROM given")
            # The cast is what ibis does when it reads: a date that DuckDB truncated is a timestamp until then.
            return self._connection.execute("EXECUTE asked").to_arrow_table().cast(self._schema)
        finally:
            self._connection.rollback()

    def rows(self, **tables: Rows | pa.Table) -> Rows:
        """Run it and return the rows as mappings."""
        found: Rows = self.table(**tables).to_pylist()
        return found
