"""How are names of tables and columns written in SQL? Values never are: they travel as parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from contracts.tables import Column, Kind, Table

Dialect = Literal["duckdb", "postgres"]
"""The SQL that a warehouse speaks, by the name that ibis has for it."""

DUCKDB_TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.DATE: "DATE",
    Kind.NUMBER: "DOUBLE",
    Kind.INTEGER: "BIGINT",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
}
"""DuckDB's word for each kind of column."""

SQL_TYPES: dict[Dialect, dict[Kind, str]] = {
    "duckdb": DUCKDB_TYPES,
    "postgres": {**DUCKDB_TYPES, Kind.TEXT: "TEXT", Kind.NUMBER: "DOUBLE PRECISION"},
}
"""Each database's word for each kind of column, as its catalogue has it."""


def quoted(name: str) -> str:
    """Return a name as an SQL identifier.

    >>> print(quoted('5" pack'))
    "5"" pack"
    """
    return '"' + name.replace('"', '""') + '"'


def qualified(table: Table) -> str:
    """Return schema and name of a contract table as SQL.

    >>> from contracts.raw import SUPPLY
    >>> qualified(SUPPLY)
    '"raw"."supply"'
    """
    return f"{quoted(table.schema)}.{quoted(table.name)}"


def listed(names: Iterable[str], prefix: str = "") -> str:
    """Return names as a comma-separated list of identifiers, each after ``prefix``.

    >>> listed(["week_start", "sku_id"], "stored.")
    'stored."week_start", stored."sku_id"'
    """
    return ", ".join(f"{prefix}{quoted(name)}" for name in names)


def same_key(table: Table, left: str, right: str) -> str:
    """Return the condition that two relations have the same key; nulls count as values where the key may have them.

    PostgreSQL can hash an equality, but not ``IS NOT DISTINCT FROM``. A text of the warehouse is never empty, so that empty is null.

    >>> from contracts.raw import SUPPLY
    >>> same_key(SUPPLY, "a", "b")
    'a."week_start" = b."week_start" AND a."sku_id" = b."sku_id"'
    """
    return " AND ".join(f"{_comparable(table.column(name), left)} = {_comparable(table.column(name), right)}" for name in table.key)


def _comparable(column: Column, relation: str) -> str:
    name = f"{relation}.{quoted(column.name)}"
    return name if column.required else f"coalesce({name}, '')"
