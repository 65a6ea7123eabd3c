"""Which columns do the tables and views of a warehouse have, whether this session may read them or not?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from warehouse.session import Warehouse

Stored = Mapping[str, Mapping[str, str]]
"""SQL type, in capitals, by column by full name of the table."""

# the information_schema of PostgreSQL hides what a role may not read: to a planner half of the warehouse would be missing
_QUERIES = {
    "duckdb": "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns"
    " WHERE table_catalog = current_database() AND table_schema IN ({places})",
    "postgres": "SELECT n.nspname::text, c.relname::text, a.attname::text, format_type(a.atttypid, NULL) FROM pg_attribute AS a"
    " JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace"
    " WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v') AND n.nspname IN ({places})",
}


def stored_columns(con: Warehouse, schemas: Sequence[str]) -> Stored:
    """Return the columns of all tables and views of some schemas."""
    found: dict[str, dict[str, str]] = {}
    places = ", ".join("?" for _ in schemas)
    for schema, table, column, kind in con.execute(_QUERIES[con.dialect].format(places=places), list(schemas)):
        found.setdefault(f"{schema}.{table}", {})[column] = kind.upper()
    return found
