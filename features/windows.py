"""Windows that end at a cut-off: a number of weeks back from ``as_of``, as plain date comparisons that every engine knows."""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from contracts.weeks import last_week

WINDOWS = (4, 8, 13, 26, 52)
"""Lengths in weeks over which demand is summed."""


def week_of(day: ir.DateValue) -> ir.DateValue:
    """Return the Monday of the week of a day.

    By way of a timestamp: what PostgreSQL truncates is one, and ibis leaves out the cast of what it takes for a date already. Rows of
    PostgreSQL are matched by hashing only where both sides are dates.

    >>> orders = ibis.table({"ordered_on": "date"}, name="orders")
    >>> "AS DATE) AS" in ibis.to_sql(orders.select(week=week_of(orders.ordered_on)), dialect="postgres", pretty=False)
    True
    """
    return day.cast("timestamp").truncate("W").cast("date")


def days_later(day: ir.DateValue, days: int) -> ir.DateValue:
    """Return the day so many days later, as a date: PostgreSQL makes a timestamp of it."""
    return (day.cast("timestamp") + ibis.interval(days=days)).cast("date")


def between_weeks_ago(week_start: ir.DateColumn, as_of: date, newest: int, oldest: int) -> ir.BooleanValue:
    """Tell which rows lie ``newest`` to ``oldest`` weeks back, both inclusive; 0 is the last known week.

    >>> t = ibis.table({"week_start": "date"}, name="t")
    >>> "MAKE_DATE(2019, 9, 2)" in ibis.to_sql(t.filter(between_weeks_ago(t.week_start, date(2019, 9, 29), 0, 3)))
    True
    """
    first = last_week(as_of) - timedelta(weeks=oldest)
    last = last_week(as_of) - timedelta(weeks=newest)
    return (week_start >= ibis.literal(first)) & (week_start <= ibis.literal(last))


def in_last_weeks(week_start: ir.DateColumn, as_of: date, weeks: int) -> ir.BooleanValue:
    """Tell which rows lie in the last so many known weeks."""
    return between_weeks_ago(week_start, as_of, 0, weeks - 1)


def weeks_since(week_start: ir.DateValue, as_of: date) -> ir.FloatingValue:
    """Count the weeks from a week to the last known one, as a number; 0 is the last known week, null stays null."""
    return ibis.literal(last_week(as_of)).delta(week_start, unit="day").cast("float64") / 7.0
