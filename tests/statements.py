"""How a test runs a feature: the expression is compiled once, and run by DuckDB on the few rows that the test gives."""

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
        self._names = names
        expression = build(*(ibis.table(ibis.Schema.from_pyarrow(SCHEMAS[name]), name=name) for name in names))
        self._schema = expression.schema().to_pyarrow()
        self._sql = str(ibis.to_sql(expression, dialect="duckdb"))

    def table(self, **tables: Rows | pa.Table) -> pa.Table:
        """Run it; a table that is not given is empty, what a row does not say is null, and the rows come sorted."""
        with duckdb.connect(config={"threads": 1}) as connection:
            for name in self._names:
                rows = tables.get(name, [])
                given = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows, schema=SCHEMAS[name])
                connection.register(name, given)
            # The cast is what ibis does when it reads: a date that DuckDB truncated is a timestamp until then.
            return connection.execute(f"SELECT * FROM ({self._sql}) ORDER BY ALL").to_arrow_table().cast(self._schema)

    def rows(self, **tables: Rows | pa.Table) -> Rows:
        """Run it and return the rows as mappings."""
        found: Rows = self.table(**tables).to_pylist()
        return found
