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
from contracts.weeks import last_sunday
from warehouse.sql import Dialect, quoted

Days = Mapping[str, date | None]
"""Days by the name that a statement has for them."""

# DuckDB's SQL has MAKE_DATE(2019, 9, 29), PostgreSQL's MAKE_DATE(CAST(2019 AS INT), …)
_NUMBER = r"(?:CAST\()?(\d+)(?: AS INT\))?"
_DAY = re.compile(rf"MAKE_DATE\({_NUMBER}, {_NUMBER}, {_NUMBER}\)")
_FIRST_YEAR, _YEARS_APART = 3000, 100
_FARTHEST = timedelta(days=40 * 365)


@dataclass(frozen=True)
class OpenText:
    """SQL of one kind of warehouse with days left open.

    Attributes
    ----------
    texts
        The SQL before, between and after the days.
    days
        What stands between the texts: the name of an open day, and the distance from it.
    """

    texts: tuple[str, ...]
    days: tuple[tuple[str, timedelta], ...]

    def on(self, days: Days) -> str:
        """Return the SQL for some days."""
        written = (_written(days[name], distance) for name, distance in self.days)
        return self.texts[0] + "".join(day + text for day, text in zip(written, self.texts[1:], strict=True))


@dataclass(frozen=True, eq=False)
class Statement:
    """SQL with days left open.

    Attributes
    ----------
    expression
        Built with days of distant centuries, see `compiled`.
    open_days
        Those days by name.
    parts
        Statements that it selects from, by name.
    """

    expression: ir.Table
    open_days: Mapping[str, date]
    parts: Mapping[str, Statement] = field(default_factory=dict)
    _texts: dict[Dialect, OpenText] = field(default_factory=dict)

    @property
    def schema(self) -> pa.Schema:
        """Of its rows."""
        return self.expression.schema().to_pyarrow()

    def as_table(self, name: str) -> ir.Table:
        """Return its rows as a table for a statement that is given this one, or one with the same columns, by that name."""
        return ibis.table(ibis.Schema.from_pyarrow(self.schema), name=name)

    def given(self, **parts: Statement) -> Statement:
        """Return this statement with those that it selects from, by name; each may also select from those before it."""
        return replace(self, parts=parts)

    def sql(self, days: Days, dialect: Dialect = "duckdb") -> str:
        """Return the SQL for some days, those of its parts too; it is compiled the first time for each kind of warehouse.

        A day that is None is unknown, and so is whatever follows from it: a comparison with it holds for no row.
        """
        if dialect not in self._texts:
            self._texts[dialect] = _with_open_days(str(ibis.to_sql(self.expression, dialect=dialect, pretty=False)), self.open_days)
        own = self._texts[dialect].on(days)
        if not self.parts:
            return own
        parts = ", ".join(f"{quoted(name)} AS ({part.sql(days, dialect)})" for name, part in self.parts.items())
        return f"WITH {parts}, {own.removeprefix('WITH ')}" if own.startswith("WITH ") else f"WITH {parts} {own}"


def compiled(build: Callable[..., ir.Table], *days: str) -> Statement:
    """Compile an expression over contract tables once for any days.

    It is built with days of distant centuries, one century for each day that is left open; in the SQL, a day of that century is the
    open day and so many days before or after it. So every day in the expression must be an open day plus or minus a fixed number of days,
    and nothing else may depend on an open day: ask a calendar before, and leave the day that it gives open too.

    Parameters
    ----------
    build
        Makes the expression of the open days, which are Sundays then, out of
        ``warehouse.tables.contract_table``s and ``Statement.as_table``.
    days
        Names of the open days.

    Raises
    ------
    WarehouseError
        If a day in the expression does not follow from an open one.

    Examples
    --------
    >>> from contracts.raw import EVENTS
    >>> from warehouse.tables import contract_table
    >>> events = contract_table(EVENTS)
    >>> lately = compiled(lambda day: events.filter(events.event_date > day - timedelta(weeks=1)).select("event_date"), "day")
    >>> "MAKE_DATE(2019, 9, 22)" in lately.sql({"day": date(2019, 9, 29)}), "CAST(NULL AS DATE)" in lately.sql({"day": None})
    (True, True)
    >>> counted = compiled(lambda: lately.as_table("lately").count().as_table()).given(lately=lately)
    >>> counted.sql({"day": None}).startswith('WITH "lately" AS (SELECT')
    True
    """
    open_days = {name: last_sunday(date(_FIRST_YEAR + _YEARS_APART * place, 7, 1)) for place, name in enumerate(days)}
    statement = Statement(build(*open_days.values()), open_days)
    statement.sql(open_days)
    return statement


def _with_open_days(sql: str, open_days: Mapping[str, date]) -> OpenText:
    """Find the days of an SQL text that follow from open ones."""
    words = _DAY.split(sql)
    # the text before the first day, then year, month, day and the text that follows, over and over
    numbers = zip(words[1::4], words[2::4], words[3::4], strict=True)
    found = (_from_open_day(date(int(year), int(month), int(day)), open_days) for year, month, day in numbers)
    return OpenText(tuple(words[::4]), tuple(found))


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
