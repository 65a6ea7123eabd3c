"""How is a fault in an input table worded: where, what, how many, the first one, and what was expected?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from warehouse import csv_files
from warehouse.duckdb_session import DuckDBWarehouse
from warehouse.sql import listed
from warehouse.staging import StagedTable


@dataclass(frozen=True)
class Fault:
    """One kind of fault in one column.

    Attributes
    ----------
    staged
        The table it is in.
    where
        The column, or the columns, at fault.
    problem, expected
        What is wrong, and what should be there.
    count
        Rows at fault.
    first_row
        rowid of the first one.
    value
        The first value at fault as text, None where there is nothing to show.
    """

    staged: StagedTable
    where: str
    problem: str
    expected: str
    count: int
    first_row: int
    value: str | None = None


def rows(count: int) -> str:
    """Return a number of rows in words.

    >>> rows(1), rows(7008033)
    ('1 row', '7,008,033 rows')
    """
    return f"{count:,} row{'' if count == 1 else 's'}"


def worded(reader: DuckDBWarehouse, faults: list[Fault]) -> list[str]:
    """Return each fault as one line; of CSV files with the line of the first row.

    Each staged table is asked once for the keys and each CSV read once for the lines, however many faults there are.
    """
    lines: dict[str, Mapping[int, int]] = {}
    texts = []
    for staged in {fault.staged.table.name: fault.staged for fault in faults}.values():
        first_rows = [fault.first_row for fault in faults if fault.staged is staged]
        if staged.csv_path is not None:
            lines[staged.table.name] = csv_files.line_numbers(staged.csv_path, staged.delimiter, first_rows)
    for fault in faults:
        line = lines.get(fault.staged.table.name, {}).get(fault.first_row)
        texts.append(_sentence(fault, line, _key(reader, fault)))
    return texts


def _sentence(fault: Fault, line: int | None, key: str) -> str:
    first = ", ".join(part for part in (f"line {line}" if line else "", key) if part) or f"row {fault.first_row + 1}"
    value = "" if fault.value is None else f" value {fault.value!r}"
    return f"{fault.staged.table.name}.{fault.where}: {fault.problem}, {rows(fault.count)}, first {first}{value}; expected {fault.expected}"


def _key(reader: DuckDBWarehouse, fault: Fault) -> str:
    key = fault.staged.table.key
    row = reader.execute(f"SELECT {listed(key)} FROM {fault.staged.relation} WHERE rowid = ?", [fault.first_row])[0]
    return ", ".join(f"{name}={value}" for name, value in zip(key, row, strict=True) if value is not None)
