"""Which days are the last of a quarter, and which the last of another month?"""

from __future__ import annotations

from datetime import date, timedelta

LAST_DAYS = 14
"""So many days before the end, the last one included."""

QUARTER_MONTHS = 3


def in_last_days(day: date, *, of_quarter: bool) -> bool:
    """Return whether a day is among the last 14 of a quarter, or of any month.

    >>> in_last_days(date(2024, 6, 17), of_quarter=True), in_last_days(date(2024, 6, 16), of_quarter=True)
    (True, False)
    >>> in_last_days(date(2024, 5, 31), of_quarter=True), in_last_days(date(2024, 5, 31), of_quarter=False)
    (False, True)
    """
    is_last = (day + timedelta(days=LAST_DAYS)).month != day.month
    return is_last and (day.month % QUARTER_MONTHS == 0 or not of_quarter)


def quarter_share(first: date, last: date) -> float:
    """Return what share of the last days of months, within a span, are last days of quarters; a third over whole years.

    >>> quarter_share(date(2024, 1, 1), date(2024, 12, 31))
    0.3333333333333333
    """
    days = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    of_months = sum(in_last_days(day, of_quarter=False) for day in days)
    return sum(in_last_days(day, of_quarter=True) for day in days) / of_months if of_months else 1.0 / QUARTER_MONTHS
