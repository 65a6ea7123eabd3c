"""Which files of a folder hold which input tables, and which are left out?"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from contracts.errors import InputDataError, UsageError
from contracts.raw import RAW_TABLES
from contracts.tables import Table

EXPECTED_FILES = (
    f"order_lines.parquet or order_lines.csv, and any of {', '.join(t.name for t in RAW_TABLES if t.name != 'order_lines')} likewise"
)
_SUFFIXES = (".parquet", ".csv")


@dataclass(frozen=True)
class TableFiles:
    """The file, or the Parquet parts, of one input table."""

    table: Table
    paths: tuple[Path, ...]

    @property
    def is_csv(self) -> bool:
        """Whether it is one CSV file; everything else is Parquet."""
        return self.paths[0].suffix.lower() == ".csv"


def find_files(folder: Path) -> tuple[list[TableFiles], list[str]]:
    """Find ``<table>.parquet``, ``<table>.csv`` or a folder ``<table>/`` of Parquet parts for each input table.

    Parameters
    ----------
    folder
        What the user wants loaded.

    Returns
    -------
    list[TableFiles], list[str]
        The tables found, in the order of ``contracts.raw.RAW_TABLES``, and a warning for each file left out.

    Raises
    ------
    UsageError
        If there is no such folder.
    InputDataError
        If it holds no input table, or one twice.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; expected one with input tables", hint=f"expected files are {EXPECTED_FILES}")
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith((".", "_")))
    found: dict[str, list[tuple[Path, ...]]] = {}
    warnings = []
    for entry in entries:
        parts = _parts(entry)
        if parts:
            found.setdefault(entry.stem, []).append(parts)
        elif entry.suffix.lower() in _SUFFIXES or _nearest(entry.stem):
            warnings.append(_left_out(entry))
    twice = [f"{name}: {len(places)} files or folders for one table; expected one" for name, places in found.items() if len(places) > 1]
    if twice:
        raise InputDataError(twice, hint="keep the one that holds the table, move the others away")
    odd = [fault for name, places in found.items() for fault in _irregular(name, places[0])]
    if odd:
        raise InputDataError(odd, hint="put the file itself there; nothing was kept")
    if not found:
        raise InputDataError([f"{folder}: no input table in it", *warnings], hint=f"expected files are {EXPECTED_FILES}")
    return [TableFiles(table, found[table.name][0]) for table in RAW_TABLES if table.name in found], warnings


def _irregular(name: str, parts: tuple[Path, ...]) -> list[str]:
    """Faults of what is no file: a device or a pipe is read for ever, a folder of a table holds Parquet parts."""
    kinds = {part: "a folder without Parquet files" if part.is_dir() else "not a regular file" for part in parts if not part.is_file()}
    return [f"{name}: {part.name} is {kind}; expected a whole Parquet or CSV file" for part, kind in kinds.items()]


def _parts(entry: Path) -> tuple[Path, ...]:
    if entry.stem not in {table.name for table in RAW_TABLES}:
        return ()
    if entry.is_dir():
        return tuple(sorted(part for part in entry.iterdir() if part.suffix.lower() == ".parquet")) or (entry,)
    return (entry,) if entry.suffix.lower() in _SUFFIXES else ()


def _nearest(stem: str) -> str | None:
    nearest = get_close_matches(stem.lower().split(".")[0], [table.name for table in RAW_TABLES], n=1, cutoff=0.75)
    return nearest[0] if nearest else None


def _left_out(entry: Path) -> str:
    nearest = _nearest(entry.stem)
    meant = f"; did you mean {nearest}.parquet or {nearest}.csv?" if nearest else ""
    return f"warning: {entry.name} is not an input table and was left out{meant}"
