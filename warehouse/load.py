"""How does a folder of files become stored input tables: all of it checked, all of it or nothing kept?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import InputDataError
from contracts.raw import ORDER_LINES, RAW_TABLES
from contracts.steps import Step, in_parts
from warehouse.amendments import STORED_OTHERWISE, Amendment, apply, compare, forbidden_change
from warehouse.approvals import approval_faults
from warehouse.checks import colliding_limits, row_faults
from warehouse.date_range import date_faults
from warehouse.duckdb_session import DuckDBWarehouse
from warehouse.duplicates import settle_duplicates
from warehouse.failures import DATABASE_ERRORS
from warehouse.faults import Fault, rows, worded
from warehouse.files import EXPECTED_FILES, TableFiles, find_files
from warehouse.handover import file_reader, staged_where_stored
from warehouse.references import reference_faults, stored_reference_faults
from warehouse.session import Warehouse
from warehouse.staging import StagedTable, stage
from warehouse.tables import has_rows
from warehouse.transactions import failures_explained, transaction

_CORRECT = "correct the files and load again; nothing was kept"
_REPLACE = "order lines are not changed by accident: load with --replace if the new values are the right ones; nothing was kept"


@dataclass(frozen=True)
class TableLoad:
    """What a load did to one table.

    Attributes
    ----------
    table
        Name of the input table.
    rows_read
        Rows of the file.
    rows_new
        Stored with a key that was not there.
    rows_changed
        Stored in place of other values.
    rows_unchanged
        The rest: stored already, or the same as another row of the file.
    ignored_columns
        Columns of the file that the contract does not know; they were kept out.
    """

    table: str
    rows_read: int
    rows_new: int
    rows_changed: int
    rows_unchanged: int
    ignored_columns: tuple[str, ...]


def load_folder(con: Warehouse, folder: Path, *, replace: bool = False, on_step: Callable[[str], None]) -> list[TableLoad]:
    """Check the files of a folder against the contract and store them in one transaction.

    DuckDB reads the files and settles what shows in them alone; what they say beside the stored rows is settled in the warehouse.

    Parameters
    ----------
    con
        The warehouse.
    folder
        Has ``<table>.parquet``, ``<table>.csv`` or a folder ``<table>/`` of Parquet parts for each input table.
    replace
        Whether order lines that are stored may get other values.
    on_step
        Told each step in a line of text, a `contracts.steps.Step` where it has rows; warnings begin with ``warning:``.

    Returns
    -------
    list[TableLoad]
        One per table in the folder.

    Raises
    ------
    UsageError
        If there is no such folder.
    InputDataError
        If anything breaks the contract; names every fault of every table, and nothing is kept.
    WarehouseError
        If the database fails; nothing is kept.
    """
    files, warnings = find_files(folder)
    for warning in warnings:
        on_step(warning)
    with failures_explained("loading"), file_reader(con) as reader:
        try:
            _refuse_without_orders(con, files)
            staged_tables, faults = _stage_all(reader, files, on_step)
            with transaction(con, "loading"):
                amendments, more_faults = _check_all(reader, con, staged_tables, replace=replace)
                _refuse([*faults, *more_faults])
                on_step("every check passed")
                _warn_of_collisions(reader, staged_tables, on_step)
                loads = [_store(con, amendment, on_step) for amendment in in_parts(amendments, "storing tables", on_step)]
        finally:
            _drop_staged(con)
    return loads


def _refuse_without_orders(con: Warehouse, files: list[TableFiles]) -> None:
    if not any(found.table is ORDER_LINES for found in files) and not has_rows(con, ORDER_LINES):
        raise InputDataError(["order_lines: neither in the folder nor stored before"], hint=f"expected files are {EXPECTED_FILES}")


def _stage_all(
    reader: DuckDBWarehouse, files: list[TableFiles], on_step: Callable[[str], None]
) -> tuple[dict[str, StagedTable], list[str]]:
    staged_tables: dict[str, StagedTable] = {}
    faults: list[str] = []
    for found in in_parts(files, "reading files", on_step):
        try:
            staged = stage(reader, found)
        except InputDataError as failure:
            faults += failure.faults
            continue
        on_step(Step(f"{found.table.name}: read {rows(staged.rows_read)}", rows=staged.rows_read))
        if staged.ignored_columns:
            on_step(f"warning: {found.table.name}: columns not in the contract were kept out: {', '.join(staged.ignored_columns)}")
        staged_tables[found.table.name] = staged
        faults += staged.faults
    return staged_tables, faults


def _check_all(
    reader: DuckDBWarehouse, con: Warehouse, staged_tables: dict[str, StagedTable], *, replace: bool
) -> tuple[list[Amendment], list[str]]:
    """Return how the staged tables differ from the stored ones, and all faults, worded."""
    faults: list[Fault] = []
    for staged in staged_tables.values():
        faults += row_faults(reader, staged)
        faults += settle_duplicates(reader, staged)
    staged_where_stored(reader, con, staged_tables.values())
    for staged in staged_tables.values():
        faults += approval_faults(con, staged)
    faults += reference_faults(con, staged_tables)
    faults += date_faults(con, staged_tables)
    at_fault = {fault.staged.table.name for fault in faults}
    # The rows of a table with faults of its own are not worth comparing.
    amendments = [compare(con, staged) for name, staged in staged_tables.items() if name not in at_fault and not staged.faults]
    if not replace:
        for amendment in amendments:
            faults += forbidden_change(con, amendment)
    return amendments, [*worded(reader, faults), *stored_reference_faults(con, staged_tables)]


def _refuse(faults: list[str]) -> None:
    if faults:
        raise InputDataError(faults, hint=_REPLACE if any(STORED_OTHERWISE in fault for fault in faults) else _CORRECT)


def _warn_of_collisions(reader: DuckDBWarehouse, staged_tables: dict[str, StagedTable], on_step: Callable[[str], None]) -> None:
    for staged in staged_tables.values():
        for collision in worded(reader, colliding_limits(reader, staged)):
            on_step(f"warning: {collision}; loaded as it is")


def _store(con: Warehouse, amendment: Amendment, on_step: Callable[[str], None]) -> TableLoad:
    apply(con, amendment)
    staged, new, changed = amendment.staged, amendment.rows_new, amendment.rows_changed
    unchanged = staged.rows_read - new - changed
    on_step(Step(f"{staged.table.name}: {new:,} new, {changed:,} changed, {unchanged:,} unchanged", rows=new + changed))
    return TableLoad(staged.table.name, staged.rows_read, new, changed, unchanged, staged.ignored_columns)


def _drop_staged(con: Warehouse) -> None:
    names = [f"{kind}_{table.name}" for kind in ("staged", "amended") for table in RAW_TABLES]
    # After a full disk the connection may refuse everything; its temporary tables go with it.
    with suppress(*DATABASE_ERRORS):
        con.drop_temporary([*names, "repeated_keys", "reject_errors", "reject_scans"])
