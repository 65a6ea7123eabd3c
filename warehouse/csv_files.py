"""How is a CSV file read as it stands: its header, its rows as text, its broken rows, its line numbers?

Everything is read as text and cast later, so that a wrong type in row 1,000,000 is a fault like any other,
with its line and value, and what DuckDB would guess from the first rows does not matter.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from contracts.errors import InputDataError
from warehouse.duckdb_session import DuckDBWarehouse

DELIMITERS = (",", ";", "\t")
_SAVE_AS_UTF8 = "save the file as CSV in UTF-8, with a header of column names, and load again; nothing was kept"
_BROKEN = {
    "TOO MANY COLUMNS": ("more fields than the header", "as many as the header"),
    "MISSING COLUMNS": ("fewer fields than the header", "as many as the header"),
    "UNQUOTED VALUE": ("a quote that is not closed or has text behind it", 'quotes around the whole field, "" for a quote inside'),
    "INVALID ENCODING": ("not UTF-8", "text in UTF-8"),
    "LINE SIZE OVER MAXIMUM": ("a line longer than 2 MB", "shorter lines; a quote may not be closed"),
}
_MOST_BROKEN_ROWS = 100_000
_BLOCK = 1 << 24
_MOST_HEADER_BYTES = 1_000_000
MOST_LINE_BYTES = 256 * 1024
MOST_COLUMNS = 10_000
"""More columns are not those of a table: reading them takes memory that grows with their square."""


def header(path: Path, table_name: str) -> tuple[str, list[str]]:
    """Return the delimiter and the column names of a CSV file.

    The delimiter is the one of comma, semicolon and tab that splits the first line into most fields.

    Raises
    ------
    InputDataError
        If the file is empty, a line is too long, the first line is not UTF-8, or a column is there twice.
    """
    with path.open("rb") as content:
        start = content.readline(_MOST_HEADER_BYTES)
    if len(start) == _MOST_HEADER_BYTES or b"\0" in start:
        wrong = "has null bytes" if b"\0" in start else "is longer than 1 MB"
        raise InputDataError([f"{table_name}: the first line of {path.name} {wrong}; expected a header"], hint=_SAVE_AS_UTF8)
    _require_lines(path, table_name)
    try:
        first_line = start.decode("utf-8-sig").strip("\r\n").split("\r")[0]
    except UnicodeDecodeError as failure:
        raise InputDataError([f"{table_name}: {path.name} is not UTF-8; expected UTF-8"], hint=_SAVE_AS_UTF8) from failure
    if not first_line.strip():
        raise InputDataError([f"{table_name}: {path.name} is empty or begins with an empty line; expected a header"], hint=_SAVE_AS_UTF8)
    try:
        splits = {delimiter: next(csv.reader([first_line], delimiter=delimiter)) for delimiter in DELIMITERS}
    except csv.Error as failure:
        raise InputDataError([f"{table_name}: the first line of {path.name} is no header: {failure}"], hint=_SAVE_AS_UTF8) from failure
    delimiter = max(DELIMITERS, key=lambda candidate: len(splits[candidate]))
    names = [name.strip() for name in splits[delimiter]]
    if len(names) > MOST_COLUMNS:
        raise InputDataError(
            [f"{table_name}: {path.name} has {len(names):,} columns; expected at most {MOST_COLUMNS:,}"], hint=_SAVE_AS_UTF8
        )
    twice = sorted(name for name, times in Counter(names).items() if name and times > 1)
    if twice:
        raise InputDataError([f"{table_name}.{name}: twice in the header; expected once" for name in twice], hint="drop one of the two")
    return delimiter, names


def relation(delimiter: str, n_columns: int) -> str:
    """Return the table function that reads the file ``$paths`` as text columns c0, c1, …; broken rows go to ``reject_errors``.

    >>> relation(",", 2)[:44]
    'read_csv($paths, auto_detect=false, header=t'
    """
    columns = ", ".join(f"'c{position}': 'VARCHAR'" for position in range(n_columns))
    return (
        f"read_csv($paths, auto_detect=false, header=true, delim='{delimiter}', quote='\"', escape='\"', columns={{{columns}}},"
        f" store_rejects=true, rejects_limit={_MOST_BROKEN_ROWS})"
    )


def broken_rows(reader: DuckDBWarehouse, path: Path, table_name: str) -> list[str]:
    """Return a fault for each way in which rows of the CSV just read could not be split into fields, and forget them."""
    found = reader.execute(
        "SELECT CAST(error_type AS VARCHAR), count(DISTINCT line), min(line_byte_position) FROM reject_errors GROUP BY 1 ORDER BY 3"
    )
    reader.execute("DROP TABLE reject_errors")
    reader.execute("DROP TABLE reject_scans")
    faults = []
    for error_type, count, first_byte in found:
        problem, expected = _BROKEN.get(error_type, (error_type.lower(), "rows like the header"))
        many = f"{count:,} row{'s' if count != 1 else ''}{' or more' if count >= _MOST_BROKEN_ROWS else ''}"
        faults.append(f"{table_name}: {problem}, {many}, first line {_line_at(path, first_byte)}; expected {expected}")
    return faults


def line_numbers(path: Path, delimiter: str, rows: Iterable[int]) -> dict[int, int]:
    """Return the line in the file, from 1, at which each of some data rows, counted from 0, begins.

    A quoted field may hold line breaks, and empty lines are no rows, so the lines have to be counted.
    """
    wanted = set(rows)
    found: dict[int, int] = {}
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        reader = csv.reader(lines, delimiter=delimiter)
        row, ended = -2, 0
        # a field beyond Python's limit ends the count: rows behind it are told without their line
        with suppress(csv.Error):
            for fields in reader:
                row += bool(fields)
                if fields and row in wanted:
                    found[row] = ended + 1
                    if len(found) == len(wanted):
                        break
                ended = reader.line_num
    return found


def _require_lines(path: Path, table_name: str) -> None:
    """Refuse a file with a line beyond all measure before DuckDB takes minutes over its fields; only ends of lines are looked for."""
    begin, size = 0, path.stat().st_size
    with path.open("rb") as content:
        while size - begin > MOST_LINE_BYTES:
            content.seek(begin)
            window = content.read(MOST_LINE_BYTES)
            end = max(window.rfind(b"\n"), window.rfind(b"\r"))
            if end < 0:
                where = f"line {_line_at(path, begin)} of {path.name}"
                fault = f"{table_name}: {where} is longer than {MOST_LINE_BYTES // 1024} kB; expected shorter lines"
                raise InputDataError([fault], hint=_SAVE_AS_UTF8)
            begin += end + 1


def _line_at(path: Path, byte: int) -> int:
    """Return the line, from 1, that begins at or just before a byte; DuckDB points at the break before some lines."""
    breaks = 0
    with path.open("rb") as content:
        for block in iter(lambda: content.read(min(_BLOCK, byte + 1 - content.tell())), b""):
            breaks += block.count(b"\n")
    return breaks + 1
