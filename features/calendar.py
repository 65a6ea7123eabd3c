"""The calendar of a week: public holidays, those that move with the moon included, and how far the big ones are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pyarrow as pa

from contracts.weeks import week_start_of
from features.catalogue import Feature
from features.holiday_names import MOVING_SLOTS, NamedHoliday, country_holidays, days_in_a_row
from features.moving_holidays import phase_weeks

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
    Feature("working_days", "working days of the target week, weekend days that make up for a holiday included, days", "calendar"),
    Feature("working_days_before", "working days of the week before the target week, days", "calendar"),
    *(
        Feature(
            f"moving_holiday_{slot}",
            f"weeks from moving holiday {slot} of the country to the target week, negative before it, -9 to 9",
            "calendar",
        )
        for slot in range(1, MOVING_SLOTS + 1)
    ),
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
    days = country_holidays(country, range(first.year, last.year + 1), subdivision)
    return frozenset(day for day in days if first <= day <= last)


def working_dates(country: str, first: date, last: date, subdivision: str | None = None) -> frozenset[date]:
    """Return the days between two days on which a country works: no weekend unless it makes up for a holiday, and no public holiday.

    Raises
    ------
    ConfigurationError
        If the ``holidays`` package does not know the country or its subdivision.

    Examples
    --------
    >>> sorted(day.day for day in working_dates("CN", date(2020, 1, 18), date(2020, 1, 31)))
    [19, 20, 21, 22, 23]
    """
    known = country_holidays(country, range(first.year, last.year + 1), subdivision)
    span = (first + timedelta(days=days) for days in range((last - first).days + 1))
    return frozenset(day for day in span if known.is_working_day(day))


def week_calendar(
    weeks: list[date],
    public: frozenset[date],
    events: frozenset[date] = frozenset(),
    *,
    moving: Sequence[NamedHoliday] = (),
    working: frozenset[date] | None = None,
) -> pa.Table:
    """Describe weeks by the holidays in and around them.

    Parameters
    ----------
    weeks
        Mondays; one row each.
    public
        Public holidays, at least ten weeks to both sides of ``weeks``.
    events
        Days of the wholesaler's own events.
    moving
        The moving holidays that have a column, at most ``MOVING_SLOTS``; a column without one is constant.
    working
        Working days, at least of ``weeks`` and the weeks before them; Monday to Friday without ``public`` where not given.

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
    long_weeks = sorted({week_start_of(day) for day in public if days_in_a_row(day, public) >= MAJOR_DAYS})
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
            "working_days": _working_days(week, public, working),
            "working_days_before": _working_days(week - timedelta(weeks=1), public, working),
            **{f"moving_holiday_{slot}": _phase(week, moving, slot) for slot in range(1, MOVING_SLOTS + 1)},
            "events": float(sum(week_start_of(day) == week for day in events)),
        }
        for week in weeks
    ]
    names = ["week_start", *(feature.name for feature in CALENDAR_FEATURES)]
    schema = pa.schema([(name, pa.date32() if name == "week_start" else pa.float64()) for name in names])
    return pa.Table.from_pylist(rows, schema=schema)


def _working_holidays(week: date, public: frozenset[date]) -> float:
    return float(sum(week + timedelta(days=day) in public for day in range(5)))


def _working_days(week: date, public: frozenset[date], working: frozenset[date] | None) -> float:
    if working is None:
        return 5.0 - _working_holidays(week, public)
    return float(sum(week + timedelta(days=day) in working for day in range(7)))


def _phase(week: date, moving: Sequence[NamedHoliday], slot: int) -> float:
    """Weeks from the holiday of a slot; far after it where there is none."""
    return max(-FAR_WEEKS, min(FAR_WEEKS, phase_weeks(week, moving[slot - 1]))) if slot <= len(moving) else float(FAR_WEEKS)


def _weeks_to(week: date, holiday_weeks: list[date]) -> float:
    return float(min([FAR_WEEKS, *((other - week).days // 7 for other in holiday_weeks if other >= week)]))


def _weeks_after(week: date, holiday_weeks: list[date]) -> float:
    return float(min([FAR_WEEKS, *((week - other).days // 7 for other in holiday_weeks if other <= week)]))
