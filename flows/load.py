"""How a folder of input tables gets into the warehouse: one Prefect flow around the checks and the load."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from flows.console import narrated
from flows.environment import prepare
from flows.opening import open_warehouse
from flows.orchestration import in_flow, named_flow, named_task, show_key_figures, with_retries
from flows.recording import RunRecord, recorded_run
from flows.settings import Settings, read_settings
from warehouse.load import TableLoad, load_folder


def load(settings: Settings, folder: Path, *, replace: bool = False) -> list[TableLoad]:
    """Check the input tables of a folder and load them.

    Parameters
    ----------
    settings
        Where the warehouse is.
    folder
        Holds one Parquet or CSV file per input table.
    replace
        Whether order lines that are stored may get other values.

    Returns
    -------
    list[TableLoad]
        What became of each table.

    Raises
    ------
    InputDataError
        With all faults of the files; nothing of them is kept.
    WarehouseError
        If the warehouse cannot be opened or written.
    """
    return in_flow("load", load_steps, settings, folder, replace=replace)


@named_flow("load")
def load_flow(folder: str, config: str | None = None, *, replace: bool = False) -> None:
    """Load a folder as a deployment does: with the path of a configuration file, or none."""
    settings = read_settings(Path(config) if config else None)
    prepare(settings)
    load_steps(settings, Path(folder), replace=replace)


def load_steps(settings: Settings, folder: Path, *, replace: bool) -> list[TableLoad]:
    """Load a folder inside a Prefect flow, and record it."""
    with recorded_run(settings, flow="load", started_at=datetime.now(UTC)) as run:
        loads = with_retries(load_files, settings)(settings, folder, run, replace=replace)
        run.rows_written = {f"raw.{table.table}": table.rows_new + table.rows_changed for table in loads}
    show_key_figures("uncap-load", [row_of(table) for table in loads], f"Rows loaded from {folder}, by table.")
    return loads


@named_task("check and load the files of the folder")
def load_files(settings: Settings, folder: Path, run: RunRecord, *, replace: bool) -> list[TableLoad]:
    """Check and load the files in one transaction."""
    with narrated("load", run) as say, open_warehouse(settings) as con:
        return load_folder(con, folder, replace=replace, on_step=say)


def row_of(loaded: TableLoad) -> dict[str, object]:
    """Return what became of a table as a row for people to read."""
    return {
        "table": loaded.table,
        "rows read": loaded.rows_read,
        "new": loaded.rows_new,
        "changed": loaded.rows_changed,
        "unchanged": loaded.rows_unchanged,
    }
