"""What a week is: Monday to Sunday, named by its Monday; ``as_of`` is the Sunday that ends the last known one."""

from __future__ import annotations

from datetime import date, timedelta

from contracts.errors import UsageError

HORIZONS = tuple(range(1, 9))
"""Weeks ahead that are forecast: the week that starts the day after ``as_of`` is 1."""

CHURN_HORIZONS = (4, 8, 13, 26)
"""Weeks ahead for which the probability of no order is given."""

ACTIVE_WEEKS = 8
"""A retailer is active when it ordered in the last so many weeks."""

PAIR_WEEKS = 52
"""A retailer-SKU pair is forecast when it was ordered in the last so many weeks."""

RATIONED_WEEKS = 26
"""A SKU is rationed when it had a cap in at least one of the last so many weeks."""


def week_start_of(day: date) -> date:
    """Return the Monday of the week a day is in.

    >>> week_start_of(date(2019, 9, 29))
    datetime.date(2019, 9, 23)
    """
    return day - timedelta(days=day.weekday())


def last_sunday(day: date) -> date:
    """Return the last Sunday on or before a day: the end of the last whole week.

    >>> last_sunday(date(2019, 10, 2)), last_sunday(date(2019, 9, 29))
    (datetime.date(2019, 9, 29), datetime.date(2019, 9, 29))
    """
    return day - timedelta(days=(day.weekday() + 1) % 7)


def last_week(as_of: date) -> date:
    """Return the ``week_start`` of the last whole week known as of a Sunday.

    >>> last_week(date(2019, 9, 29))
    datetime.date(2019, 9, 23)
    """
    return as_of - timedelta(days=6)


def target_week(as_of: date, horizon_weeks: int) -> date:
    """Return the ``week_start`` that lies ``horizon_weeks`` after ``as_of``.

    >>> target_week(date(2019, 9, 29), 1)
    datetime.date(2019, 9, 30)
    """
    return as_of + timedelta(days=1 + 7 * (horizon_weeks - 1))


def require_sunday(as_of: date) -> date:
    """Return ``as_of`` if it ends a week.

    Raises
    ------
    UsageError
        If it is not a Sunday: half a week would be taken for a whole one.

    Examples
    --------
    >>> require_sunday(date(2019, 10, 2))
    Traceback (most recent call last):
    contracts.errors.UsageError: as_of 2019-10-02 is a Wednesday; a week ends on Sunday
    Hint: the last whole week before it ends on 2019-09-29
    """
    if as_of.weekday() != 6:
        raise UsageError(
            f"as_of {as_of} is a {as_of:%A}; a week ends on Sunday",
            hint=f"the last whole week before it ends on {last_sunday(as_of)}",
        )
    return as_of


def parse_as_of(text: str | None, today: date) -> date | None:
    """Return the Sunday that a word names: a date, ``today`` for the last Sunday up to today, None for none.

    Raises
    ------
    UsageError
        If it is neither, or the date is no Sunday.

    Examples
    --------
    >>> parse_as_of("2019-09-29", date(2019, 10, 8)), parse_as_of("today", date(2019, 10, 8))
    (datetime.date(2019, 9, 29), datetime.date(2019, 10, 6))
    """
    if text is None:
        return None
    if text == "today":
        return last_sunday(today)
    return require_sunday(_day(text, "as_of", "write it as year-month-day, for instance 2019-09-29, or today"))


def parse_last_day(text: str | None, today: date) -> date | None:
    """Return the last day that is known, of any weekday: a date, ``today`` for the last day that is over, None for none.

    Raises
    ------
    UsageError
        If it is neither.

    Examples
    --------
    >>> parse_last_day("2019-10-02", date(2019, 10, 8)), parse_last_day("today", date(2019, 10, 8))
    (datetime.date(2019, 10, 2), datetime.date(2019, 10, 7))
    """
    if text == "today":
        return today - timedelta(days=1)
    return None if text is None else _day(text, "as_of", "write it as year-month-day, for instance 2019-10-02, or today")


def parse_day(text: str | None, option: str) -> date | None:
    """Return the day that an option names, None for none.

    Raises
    ------
    UsageError
        If it is no date.

    Examples
    --------
    >>> parse_day("2019-10-02", "--from")
    datetime.date(2019, 10, 2)
    """
    return None if text is None else _day(text, option, "write it as year-month-day, for instance 2019-09-29")


def parse_week(text: str | None) -> date | None:
    """Return the Monday that a word names, None for none.

    Raises
    ------
    UsageError
        If it is no date, or no Monday.

    Examples
    --------
    >>> parse_week("2019-10-01")
    Traceback (most recent call last):
    contracts.errors.UsageError: week 2019-10-01 is a Tuesday; a week is named by its Monday
    Hint: the Monday of that week is 2019-09-30
    """
    if text is None:
        return None
    day = _day(text, "week", "write its Monday as year-month-day, for instance 2019-09-30")
    if day != week_start_of(day):
        raise UsageError(
            f"week {day} is a {day:%A}; a week is named by its Monday", hint=f"the Monday of that week is {week_start_of(day)}"
        )
    return day


def _day(text: str, what: str, how: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{what} {text}: not a date", hint=how) from error
