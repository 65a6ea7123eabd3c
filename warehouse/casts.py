"""How is a column of a file read as a kind of the contract, and which of its texts could not be?"""

from __future__ import annotations

from contracts.tables import Kind
from warehouse.sql import DUCKDB_TYPES

_INTEGERS = frozenset(
    ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "UUID")
)


def cast(kind: Kind, source: str, source_type: str) -> str:
    """Return the SQL that reads a column as a kind, null where that cannot be done without loss.

    Text is trimmed, and null where empty. A timestamp is a date only at midnight. A float is no identifier: 2113.0 is not 2113.

    Parameters
    ----------
    kind
        What the contract says.
    source, source_type
        Name and type of the column in the file, as SQL.

    Examples
    --------
    >>> cast(Kind.NUMBER, "c4", "INTEGER")
    'CAST(c4 AS DOUBLE)'
    >>> cast(Kind.TEXT, "c1", "DOUBLE")
    'CAST(NULL AS VARCHAR)'
    """
    ways = {
        (Kind.TEXT, "text"): f"nullif(trim({source}), '')",
        (Kind.TEXT, "integer"): f"CAST({source} AS VARCHAR)",
        (Kind.NUMBER, "text"): f"TRY_CAST({source} AS DOUBLE)",
        (Kind.NUMBER, "integer"): f"CAST({source} AS DOUBLE)",
        (Kind.NUMBER, "fraction"): f"CAST({source} AS DOUBLE)",
        (Kind.DATE, "text"): _midnight(f"trim({source})"),
        (Kind.DATE, "moment"): _midnight(source),
        (Kind.DATE, "date"): f"CASE WHEN {source} BETWEEN DATE '0001-01-01' AND DATE '9999-12-31' THEN {source} END",
    }
    return ways.get((kind, _form(source_type)), f"CAST(NULL AS {DUCKDB_TYPES[kind]})")


def lost_text(kind: Kind, source: str, source_type: str) -> str | None:
    """Return the SQL of the text that `cast` could not read, null where it could; None where every value can be read.

    >>> lost_text(Kind.NUMBER, "c4", "INTEGER") is None
    True
    """
    read = cast(kind, source, source_type)
    if read in (f"nullif(trim({source}), '')", f"CAST({source} AS {DUCKDB_TYPES[kind]})"):
        return None
    return f"CASE WHEN {read} IS NULL THEN left(nullif(trim(CAST({source} AS VARCHAR)), ''), 80) END"


def _form(source_type: str) -> str:
    if source_type in _INTEGERS:
        return "integer"
    if source_type.startswith("DECIMAL"):
        return "fraction"
    if source_type.startswith("TIMESTAMP"):
        return "moment"
    return {"VARCHAR": "text", "DATE": "date", "FLOAT": "fraction", "DOUBLE": "fraction"}.get(source_type, "other")


def _midnight(source: str) -> str:
    # TRY_CAST to DATE would take '2019-10-01 10:00' and '2019-10-01x'; a Python date ends with the year 9999.
    moment = f"TRY_CAST({source} AS TIMESTAMP)"
    return (
        f"CASE WHEN {moment} BETWEEN TIMESTAMP '0001-01-01' AND TIMESTAMP '9999-12-31' AND {moment} = date_trunc('day', {moment})"
        f" THEN CAST({moment} AS DATE) END"
    )
