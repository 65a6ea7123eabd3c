"""How a test writes a few rows of any table into a warehouse: as a table aligned for the reader."""

from __future__ import annotations

from typing import Any

from contracts.tables import Kind
from warehouse.schema import DERIVED_TABLES, STORED_TABLES
from warehouse.session import Warehouse

FILLERS = {Kind.TEXT: "x", Kind.DATE: "2019-01-06", Kind.NUMBER: "0", Kind.INTEGER: "0", Kind.BOOLEAN: "true"}


def put(con: Warehouse, full_name: str, aligned: str) -> None:
    """Insert rows: the first line names columns, an empty place is null, and a required column that is not named gets a filler."""
    table = next(table for table in (*STORED_TABLES, *DERIVED_TABLES) if table.full_name == full_name)
    head, *lines = [[place.strip() for place in line.split(",")] for line in aligned.strip().splitlines()]
    fillers = {column.name: FILLERS[column.kind] for column in table.columns if column.required and column.name not in head}
    if full_name == "raw.order_lines" and "line_id" not in head:
        fillers.pop("line_id")
        head, lines = ["line_id", *head], [[f"L{number}", *line] for number, line in enumerate(lines)]
    names = [*head, *fillers]
    places = ", ".join("?" for _ in names)
    rows = [[place or None for place in line] + [*fillers.values()] for line in lines]
    for row in rows:
        con.execute(f"INSERT INTO {full_name} ({', '.join(names)}) VALUES ({places})", row)


def read(con: Warehouse, query: str) -> list[dict[str, Any]]:
    """Run a query and return its rows as mappings; days are texts."""
    rows = con.query(query)
    return [{name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()} for row in rows.to_pylist()]
