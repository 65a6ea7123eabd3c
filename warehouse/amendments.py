"""Which staged rows are new, which change a stored row, and how are they stored?"""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.faults import Fault
from warehouse.session import Warehouse
from warehouse.sql import listed, qualified, quoted, same_key
from warehouse.staging import StagedTable
from warehouse.tables import has_rows

STORED_OTHERWISE = "stored with other values"
"""The fault that `load_folder` tells how to get past."""


@dataclass(frozen=True)
class Amendment:
    """How many staged rows of a table are new or change a stored row; which ones is in a temporary table.

    Where nothing is stored yet, ``all_new`` is true and there is no such table.
    """

    staged: StagedTable
    rows_new: int
    rows_changed: int
    all_new: bool = False

    @property
    def relation(self) -> str:
        """Name of the temporary table of staged rowids and whether their key is stored, as SQL."""
        return quoted(f"amended_{self.staged.table.name}")


def compare(con: Warehouse, staged: StagedTable) -> Amendment:
    """Find the staged rows whose key is not stored, or is with other values in a column that the file has."""
    table = staged.table
    amendment = quoted(f"amended_{table.name}")
    if not has_rows(con, table):
        rows_new = con.execute(f"SELECT count(*) FROM {staged.relation}")[0][0]
        return Amendment(staged, rows_new, rows_changed=0, all_new=True)
    given = [quoted(name) for name in staged.columns if name not in table.key]
    other = " OR ".join(["false", *(f"staged.{name} IS DISTINCT FROM stored.{name}" for name in given)])
    # Every key has a required column, which is null only where nothing is stored.
    is_new = next(f"stored.{quoted(name)} IS NULL" for name in table.key if table.column(name).required)
    con.execute(
        f"CREATE TEMP TABLE {amendment} AS"
        f" SELECT staged.rowid AS staged_row, NOT ({is_new}) AS is_stored FROM {staged.relation} AS staged"
        f" LEFT JOIN {qualified(table)} AS stored ON {same_key(table, 'staged', 'stored')} WHERE {is_new} OR {other}"
    )
    con.gather_statistics(amendment)
    rows_new, rows_changed = con.execute(
        f"SELECT count(*) FILTER (WHERE NOT is_stored), count(*) FILTER (WHERE is_stored) FROM {amendment}"
    )[0]
    return Amendment(staged, rows_new, rows_changed)


def forbidden_change(con: Warehouse, amendment: Amendment) -> list[Fault]:
    """Return the fault that stored rows of a table that may not be amended have other values in the file."""
    staged = amendment.staged
    if staged.table.amendable or not amendment.rows_changed:
        return []
    first_row = con.execute(f"SELECT min(staged_row) FROM {amendment.relation} WHERE is_stored")[0][0]
    where = "+".join(staged.table.key)
    return [Fault(staged, where, STORED_OTHERWISE, "new keys, or the values that are stored", amendment.rows_changed, first_row)]


def apply(con: Warehouse, amendment: Amendment) -> None:
    """Store the new rows and the changed values; a column that the file lacks keeps what is stored."""
    staged, stored = amendment.staged, qualified(amendment.staged.table)
    names = listed(staged.table.column_names)
    if amendment.rows_changed:
        changing = [quoted(name) for name in staged.columns if name not in staged.table.key]
        con.execute(
            f"UPDATE {stored} AS stored SET {', '.join(f'{name} = staged.{name}' for name in changing)} FROM {staged.relation} AS staged"
            f" WHERE {same_key(staged.table, 'staged', 'stored')}"
            f" AND staged.rowid IN (SELECT staged_row FROM {amendment.relation} WHERE is_stored)"
        )
    if amendment.rows_new:
        where = "" if amendment.all_new else f" WHERE rowid IN (SELECT staged_row FROM {amendment.relation} WHERE NOT is_stored)"
        con.execute(f"INSERT INTO {stored} ({names}) SELECT {names} FROM {staged.relation}{where}")
