"""Does every retailer and SKU that is named exist, where its register is loaded now or was before?"""

from __future__ import annotations

from collections.abc import Mapping

from contracts.raw import RAW_TABLES
from contracts.tables import Reference, Table
from warehouse.faults import Fault, rows
from warehouse.session import Warehouse
from warehouse.sql import qualified, quoted
from warehouse.staging import StagedTable
from warehouse.tables import has_rows


def reference_faults(con: Warehouse, staged_tables: Mapping[str, StagedTable]) -> list[Fault]:
    """Return a fault for each column of the staged tables that names what no register has.

    Parameters
    ----------
    con
        The warehouse.
    staged_tables
        All tables of this load, by name. A register that is neither here nor stored is not asked.
    """
    faults = []
    for staged in staged_tables.values():
        for reference in staged.table.references:
            known = _known(con, reference, staged_tables)
            if known and reference.column in staged.columns:
                faults += _unknown(con, staged, reference, known)
    return faults


def stored_reference_faults(con: Warehouse, staged_tables: Mapping[str, StagedTable]) -> list[str]:
    """Return, worded, what rows stored before name that is missing in a register that is loaded for the first time."""
    faults = []
    for table in RAW_TABLES:
        for reference in table.references:
            register = _register(reference)
            if reference.table in staged_tables and not has_rows(con, register) and has_rows(con, table):
                known = _known(con, reference, staged_tables)
                column = quoted(reference.column)
                unknown = f"FROM {qualified(table)} WHERE {column} NOT IN ({known})"
                count, first = con.execute(f"SELECT count(*), min({column}) {unknown}")[0]
                if count:
                    faults.append(
                        f"{table.name}.{reference.column}: stored earlier and not in the {reference.table} loaded now, {rows(count)},"
                        f" first {reference.column}={first}; expected {reference.table} with every one"
                    )
    return faults


def _register(reference: Reference) -> Table:
    return next(table for table in RAW_TABLES if table.name == reference.table)


def _known(con: Warehouse, reference: Reference, staged_tables: Mapping[str, StagedTable]) -> str | None:
    """Return the query of all known values, None where no register has rows."""
    register = _register(reference)
    places = [qualified(register)] if has_rows(con, register) else []
    staged = staged_tables.get(reference.table)
    if staged is not None and staged.rows_read:
        places.append(staged.relation)
    key = quoted(register.key[0])
    return " UNION ALL ".join(f"SELECT {key} FROM {place} WHERE {key} IS NOT NULL" for place in places) or None


def _unknown(con: Warehouse, staged: StagedTable, reference: Reference, known: str) -> list[Fault]:
    column = quoted(reference.column)
    count, first_row = con.execute(f"SELECT count(*), min(rowid) FROM {staged.relation} WHERE {column} NOT IN ({known})")[0]
    if not count:
        return []
    [(value,)] = con.execute(f"SELECT {column} FROM {staged.relation} WHERE rowid = ?", [first_row])
    expected = f"a {reference.column} of {reference.table}"
    return [Fault(staged, reference.column, f"not in {reference.table}", expected, count, first_row, value)]
