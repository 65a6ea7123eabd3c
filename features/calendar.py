"""The calendar of a week: public holidays, those that move with the moon included, and how far the big ones are."""

from __future__ import annotations

from datetime import date, timedelta

import holidays
import pyarrow as pa

from contracts.errors import ConfigurationError
from contracts.weeks import week_start_of
from features.catalogue import Feature

FAR_WEEKS = 9
"""Distances beyond this say nothing more than that the holiday is far."""

MAJOR_DAYS = 2
"""A holiday of at least so many days in a row moves demand for weeks: lunar new year, Golden Week, Christmas."""

CALENDAR_FEATURES = (
    Feature("week_of_year", "week of the year of the target week, 1 to 53", "calendar"),
    Feature("week_of_month", "week of the month of the target week, 1 to 5", "calendar"),
    Feature("holiday_days", "public holidays on a working day of the target week, days", "calendar"),
    Feature("next_week_holiday_days", "public holidays on a working day of the week after the target week, days", "calendar"),
    Feature("weeks_to_holiday", "weeks from the target week to the next public holiday, at most 9", "calendar"),
    Feature("weeks_after_holiday", "weeks from the last public holiday to the target week, at most 9", "calendar"),
    Feature("weeks_to_long_holiday", "weeks from the target week to the next holiday of two days or more, at most 9", "calendar"),
    Feature("weeks_after_long_holiday", "weeks from the last holiday of two days or more to the target week, at most 9", "calendar"),
    Feature("events", "days of the wholesaler's own events in the target week", "calendar"),
)


def holiday_dates(country: str, first: date, last: date, subdivision: str | None = None) -> frozenset[date]:
    """Return the public holidays of a country between two days.

    Raises
    ------
    ConfigurationError
        If the ``holidays`` package does not know the country or its subdivision.

    Examples
    --------
    >>> date(2024, 2, 10) in holiday_dates("CN", date(2024, 1, 1), date(2024, 12, 31))
    True
    """
    years = range(first.year, last.year + 1)
    try:
        days = holidays.country_holidays(country, subdiv=subdivision, years=years)
    except NotImplementedError as error:  # what the holidays package raises for a country or subdivision it does not know
        raise ConfigurationError(
            f"calendar.country: {error}", hint="give a two-letter country code that the holidays package knows, such as US or CN"
        ) from error
    return frozenset(day for day in days if first <= day <= last)


def week_calendar(weeks: list[date], public: frozenset[date], events: frozenset[date] = frozenset()) -> pa.Table:
    """Describe weeks by the holidays in and around them.

    Parameters
    ----------
    weeks
        Mondays; one row each.
    public
        Public holidays, at least ten weeks to both sides of ``weeks``.
    events
        Days of the wholesaler's own events.

    Returns
    -------
    pyarrow.Table
        ``week_start`` and one column per entry of ``CALENDAR_FEATURES``.

    Examples
    --------
    >>> week_calendar([date(2024, 2, 5)], frozenset({date(2024, 2, 12)})).to_pylist()[0]["weeks_to_holiday"]
    1.0
    """
    all_weeks = sorted(week_start_of(day) for day in public)
    long_weeks = sorted({week_start_of(day) for day in public if _run_length(day, public) >= MAJOR_DAYS})
    rows = [
        {
            "week_start": week,
            "week_of_year": float(week.isocalendar().week),
            "week_of_month": float((week.day - 1) // 7 + 1),
            "holiday_days": _working_holidays(week, public),
            "next_week_holiday_days": _working_holidays(week + timedelta(weeks=1), public),
            "weeks_to_holiday": _weeks_to(week, all_weeks),
            "weeks_after_holiday": _weeks_after(week, all_weeks),
            "weeks_to_long_holiday": _weeks_to(week, long_weeks),
            "weeks_after_long_holiday": _weeks_after(week, long_weeks),
            "events": float(sum(week_start_of(day) == week for day in events)),
        }
        for week in weeks
    ]
    names = ["week_start", *(feature.name for feature in CALENDAR_FEATURES)]
    schema = pa.schema([(name, pa.date32() if name == "week_start" else pa.float64()) for name in names])
    return pa.Table.from_pylist(rows, schema=schema)


def _working_holidays(week: date, public: frozenset[date]) -> float:
    return float(sum(week + timedelta(days=day) in public for day in range(5)))


def _run_length(day: date, public: frozenset[date]) -> int:
    one = timedelta(days=1)
    before, after = day, day
    while before - one in public:
        before -= one
    while after + one in public:
        after += one
    return (after - before).days + 1


def _weeks_to(week: date, holiday_weeks: list[date]) -> float:
    return float(min([FAR_WEEKS, *((other - week).days // 7 for other in holiday_weeks if other >= week)]))


def _weeks_after(week: date, holiday_weeks: list[date]) -> float:
    return float(min([FAR_WEEKS, *((week - other).days // 7 for other in holiday_weeks if other <= week)]))
