"""How is one SQL statement made for many cut-offs: building and compiling an expression takes longer than running it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from contracts.errors import WarehouseError
from contracts.tables import Table
from contracts.weeks import last_sunday
from warehouse.sql import quoted

Days = Mapping[str, date | None]
"""Days by the name that a statement has for them."""

_DAY = re.compile(r"MAKE_DATE\((\d+), (\d+), (\d+)\)")
_FIRST_YEAR, _YEARS_APART = 3000, 100
_FARTHEST = timedelta(days=40 * 365)


def contract_table(described: Table) -> ir.Table:
    """Return a contract table as an expression that belongs to no warehouse yet.

    >>> from contracts.cells import CELLS
    >>> contract_table(CELLS).columns == CELLS.column_names
    True
    """
    return ibis.table(ibis.Schema.from_pyarrow(described.arrow_schema), name=described.name, database=described.schema)


@dataclass(frozen=True, eq=False)
class Statement:
    """SQL with days left open.

    Attributes
    ----------
    schema
        Of its rows.
    texts
        The SQL before, between and after the days.
    days
        What stands between the texts: the name of an open day, and the distance from it.
    parts
        Statements that it selects from, by name.
    """

    schema: pa.Schema
    texts: tuple[str, ...]
    days: tuple[tuple[str, timedelta], ...]
    parts: Mapping[str, Statement] = field(default_factory=dict)

    def as_table(self, name: str) -> ir.Table:
        """Return its rows as a table for a statement that is given this one, or one with the same columns, by that name."""
        return ibis.table(ibis.Schema.from_pyarrow(self.schema), name=name)

    def given(self, **parts: Statement) -> Statement:
        """Return this statement with those that it selects from, by name; each may also select from those before it."""
        return replace(self, parts=parts)

    def sql(self, days: Days) -> str:
        """Return the SQL for some days, those of its parts too.

        A day that is None is unknown, and so is whatever follows from it: a comparison with it holds for no row.
        """
        written = (_written(days[name], distance) for name, distance in self.days)
        own = self.texts[0] + "".join(day + text for day, text in zip(written, self.texts[1:], strict=True))
        if not self.parts:
            return own
        parts = ", ".join(f"{quoted(name)} AS ({part.sql(days)})" for name, part in self.parts.items())
        return f"WITH {parts}, {own.removeprefix('WITH ')}" if own.startswith("WITH ") else f"WITH {parts} {own}"


def compiled(build: Callable[..., ir.Table], *days: str) -> Statement:
    """Compile an expression over contract tables once for any days.

    It is built with days of distant centuries, one century for each day that is left open; in the SQL, a day of that century is the
    open day and so many days before or after it. So every day in the expression must be an open day plus or minus a fixed number of days,
    and nothing else may depend on an open day: ask a calendar before, and leave the day that it gives open too.

    Parameters
    ----------
    build
        Makes the expression of the open days, which are Sundays then, out of ``contract_table``s and ``Statement.as_table``.
    days
        Names of the open days.

    Raises
    ------
    WarehouseError
        If a day in the expression does not follow from an open one.

    Examples
    --------
    >>> from contracts.raw import EVENTS
    >>> events = contract_table(EVENTS)
    >>> lately = compiled(lambda day: events.filter(events.event_date > day - timedelta(weeks=1)).select("event_date"), "day")
    >>> "MAKE_DATE(2019, 9, 22)" in lately.sql({"day": date(2019, 9, 29)}), "CAST(NULL AS DATE)" in lately.sql({"day": None})
    (True, True)
    >>> counted = compiled(lambda: lately.as_table("lately").count().as_table()).given(lately=lately)
    >>> counted.sql({"day": None}).startswith('WITH "lately" AS (SELECT')
    True
    """
    open_days = {name: last_sunday(date(_FIRST_YEAR + _YEARS_APART * place, 7, 1)) for place, name in enumerate(days)}
    expression = build(*open_days.values())
    words = _DAY.split(str(ibis.to_sql(expression, dialect="duckdb", pretty=False)))
    # the text before the first day, then year, month, day and the text that follows, over and over
    numbers = zip(words[1::4], words[2::4], words[3::4], strict=True)
    found = (_from_open_day(date(int(year), int(month), int(day)), open_days) for year, month, day in numbers)
    return Statement(expression.schema().to_pyarrow(), tuple(words[::4]), tuple(found))


def _from_open_day(day: date, open_days: Mapping[str, date]) -> tuple[str, timedelta]:
    """Which open day a day follows from, and at what distance."""
    for name, open_day in open_days.items():
        if abs(day - open_day) <= _FARTHEST:
            return name, day - open_day
    raise WarehouseError(
        f"a statement for any day has the fixed day {day}; expected days that follow from {', '.join(open_days) or 'open ones'}",
        hint="leave that day open as well",
    )


def _written(day: date | None, distance: timedelta) -> str:
    if day is None:
        return "CAST(NULL AS DATE)"
    moved = day + distance
    return f"MAKE_DATE({moved.year}, {moved.month}, {moved.day})"
