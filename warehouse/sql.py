"""How are names of tables and columns written in SQL? Values never are: they travel as parameters."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.tables import Kind, Table

SQL_TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.DATE: "DATE",
    Kind.NUMBER: "DOUBLE",
    Kind.INTEGER: "BIGINT",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
}
"""DuckDB's word for each kind of column."""


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

    >>> from contracts.raw import EVENTS
    >>> same_key(EVENTS, "a", "b")
    'a."event_date" = b."event_date" AND a."name" = b."name"'
    """
    return " AND ".join(
        f"{left}.{quoted(name)} {'=' if table.column(name).required else 'IS NOT DISTINCT FROM'} {right}.{quoted(name)}"
        for name in table.key
    )
