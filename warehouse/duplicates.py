"""What happens to rows of one file that have the same key: collapse, complete each other, or are a fault?"""

from __future__ import annotations

from warehouse.duckdb_session import DuckDBWarehouse
from warehouse.faults import Fault
from warehouse.sql import listed, quoted, same_key
from warehouse.staging import StagedTable


def settle_duplicates(reader: DuckDBWarehouse, staged: StagedTable) -> list[Fault]:
    """Leave one row per key in a staged table, or return the fault that keys have several values.

    Identical rows collapse into the first. In the table's mergeable columns null gives way to a value, so that the cap and the
    floor of one key may come in two rows. Anything else is a key with other values.

    Parameters
    ----------
    reader
        The DuckDB that staged it.
    staged
        The staged table; loses rows.

    Returns
    -------
    list[Fault]
        Empty, or one fault.
    """
    table, key = staged.table, listed(staged.table.key)
    given_key = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in table.key if table.column(name).required)
    reader.execute(
        f"CREATE OR REPLACE TEMP TABLE repeated_keys AS SELECT {key}, min(rowid) AS first_row FROM {staged.relation}"
        f" WHERE {staged.readable} AND {given_key} GROUP BY {key} HAVING count(*) > 1"
    )
    n_keys = reader.execute("SELECT count(*) FROM repeated_keys")[0][0]
    if not n_keys:
        return []
    faults = _differing(reader, staged)
    if not faults:
        _collapse(reader, staged)
    return faults


def _differing(reader: DuckDBWarehouse, staged: StagedTable) -> list[Fault]:
    table = staged.table
    differ = {
        name: f"min({quoted(name)}) IS DISTINCT FROM max({quoted(name)})"
        + ("" if name in table.mergeable else f" OR count({quoted(name)}) NOT IN (0, count(*))")
        for name in staged.columns
        if name not in table.key
    }
    if not differ:
        return []
    names = ", ".join(f"CASE WHEN {condition} THEN '{name}' END" for name, condition in differ.items())
    per_key = (
        f"SELECT first_row, count(*) AS n, concat_ws(', ', {names}) AS columns FROM {staged.relation} AS staged"
        f" JOIN repeated_keys ON {same_key(table, 'staged', 'repeated_keys')} WHERE {staged.readable} GROUP BY first_row"
    )
    count, first_row, columns = reader.execute(
        f"SELECT sum(n), min(first_row), arg_min(columns, first_row) FROM ({per_key}) WHERE columns <> ''"
    )[0]
    if not count:
        return []
    other = "a duplicate key with other values"
    return [Fault(staged, "+".join(table.key), other, f"one row per key (the first differ in {columns})", int(count), first_row)]


def _collapse(reader: DuckDBWarehouse, staged: StagedTable) -> None:
    matching = same_key(staged.table, "staged", "repeated_keys")
    merged = [name for name in staged.table.mergeable if name in staged.columns]
    if merged:
        values = ", ".join(f"max(staged.{quoted(name)}) AS {quoted(name)}" for name in merged)
        completed = f"SELECT first_row, {values} FROM {staged.relation} AS staged JOIN repeated_keys ON {matching} GROUP BY first_row"
        assignments = ", ".join(f"{quoted(name)} = completed.{quoted(name)}" for name in merged)
        reader.execute(
            f"UPDATE {staged.relation} AS staged SET {assignments} FROM ({completed}) AS completed WHERE staged.rowid = first_row"
        )
    reader.execute(f"DELETE FROM {staged.relation} AS staged USING repeated_keys WHERE {matching} AND staged.rowid <> first_row")
