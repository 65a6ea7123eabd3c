"""How a person reads the newest work lists: as a table, or as a file for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
from rich.console import Console

from contracts.customers import WORK_LIST, WORK_LISTS
from contracts.errors import UsageError
from contracts.raw import RETAILERS
from flows.console import table_of
from flows.locations import database_of
from flows.opening import open_warehouse
from flows.settings import Settings
from warehouse.tables import contract_table, fetch

COLUMNS = (
    "rank",
    "retailer_id",
    "name",
    "account_manager",
    "p_churn_13w",
    "lifetime_value",
    "expected_margin_saved",
    "stopped_on",
    "reason",
)
NUMBERS = ("rank", "p_churn_13w", "lifetime_value", "expected_margin_saved")
DECIMALS = {"p_churn_13w": 3, "lifetime_value": None, "expected_margin_saved": None}
"""Of numbers as people read them; None is whole money."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A text that begins with one of these is a formula to a spreadsheet, the full-width ones too, and can send away what it stands beside."""


@dataclass(frozen=True)
class WorkList:
    """One list as of a Sunday: the rows to contact, and how many retailers are left alone."""

    name: str
    as_of: date
    contacts: pd.DataFrame
    held_out: int


def read_work_lists(settings: Settings, as_of: date | None, name: str | None, capacity: int | None) -> list[WorkList]:
    """Return the stored lists as of a Sunday.

    Parameters
    ----------
    settings
        Where the warehouse is; it is not made.
    as_of
        A Sunday that was scored; None for the newest with any list.
    name
        One list; None for all four.
    capacity
        Most retailers of each list; None for all that are stored.

    Raises
    ------
    UsageError
        If there is no such list, or nothing was scored as of that Sunday.
    """
    if name is not None and name not in WORK_LISTS:
        raise UsageError(f"list {name}: unknown", hint=f"give one of {', '.join(WORK_LISTS)}, or leave --list out for all of them")
    file = database_of(settings.warehouse.url)
    if file is not None and not file.exists():
        raise _nothing_listed(as_of, [])
    with open_warehouse(settings) as con:
        stored = contract_table(WORK_LIST)
        days: list[date] = sorted(fetch(con, stored.select("as_of").distinct())["as_of"].to_pylist(), reverse=True)
        if not days or (as_of is not None and as_of not in days):
            raise _nothing_listed(as_of, days)
        day = as_of or days[0]
        named = stored.filter(stored.as_of == day).left_join(contract_table(RETAILERS).select("retailer_id", "name"), "retailer_id")
        rows = fetch(con, named.order_by("list", "rank")).to_pandas()
    return [_one_list(rows, work_list, day, capacity) for work_list in ([name] if name else WORK_LISTS)]


def print_work_lists(lists: Sequence[WorkList], console: Console) -> None:
    """Print the retailers to contact; those left alone are counted and not named."""
    for work_list in lists:
        rows = [_shown(row) for row in work_list.contacts[list(COLUMNS)].astype(object).itertuples(index=False, name=None)]
        title = f"{work_list.name} as of {work_list.as_of}: {len(rows)} to contact"
        console.print(table_of(title, COLUMNS, rows, numbers=NUMBERS))
        if work_list.held_out:
            console.print(f"{work_list.held_out} more are left alone for 13 weeks, so that the effect of contacts can be measured")
        console.print("")


def write_csv(lists: Sequence[WorkList], path: Path) -> int:
    """Write the retailers to contact to a CSV file, and return how many; texts that a spreadsheet would run as formulas begin with '.

    Raises
    ------
    UsageError
        If the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["as_of", "list", *COLUMNS])
    rows = 0
    for work_list in lists:
        for row in work_list.contacts[list(COLUMNS)].astype(object).itertuples(index=False, name=None):
            writer.writerow([work_list.as_of, work_list.name, *(_cell(value) for value in _shown(row))])
            rows += 1
    try:
        path.write_text(text.getvalue(), encoding="utf-8-sig", newline="")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}", hint="give --csv a file in a folder that exists") from error
    return rows


def _one_list(rows: pd.DataFrame, name: str, as_of: date, capacity: int | None) -> WorkList:
    own = rows[rows.list == name]
    contacts = own[own.assignment == "contact"].head(capacity if capacity is not None else len(own))
    # who is left alone behind the last retailer shown would not have been contacted either
    last = int(contacts["rank"].max()) if len(contacts) else 0
    shown = own if capacity is None else own[own["rank"] <= last]
    return WorkList(name, as_of, contacts, int((shown.assignment == "hold_out").sum()))


def _shown(row: Sequence[object]) -> list[object]:
    """Values of a row for people: nothing for null, few decimals or none."""
    return [
        None if pd.isna(value) else round(value, DECIMALS[name]) if isinstance(value, float) and name in DECIMALS else value  # type: ignore[call-overload]
        for name, value in zip(COLUMNS, row, strict=True)
    ]


def _cell(value: object) -> object:
    """A value of a CSV file; only texts can be formulas.

    >>> _cell("=HYPERLINK(1)"), _cell(-3.5), _cell("R1"), _cell(None)
    ("'=HYPERLINK(1)", -3.5, 'R1', '')
    """
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def _nothing_listed(as_of: date | None, days: Sequence[date]) -> UsageError:
    if not days:
        return UsageError(f"{WORK_LIST.full_name}: no list was made yet", hint="make them with `uncap score` first")
    return UsageError(
        f"{WORK_LIST.full_name}: no list as of {as_of}",
        hint=f"make it with `uncap score --as-of {as_of}`, or give one of {', '.join(str(day) for day in days[:12])}",
    )
