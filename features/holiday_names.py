"""Which public holidays does a country have by name, when did each fall, and which ones move against the calendar?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

import holidays

from contracts.errors import ConfigurationError

RULE_YEARS = range(2011, 2031)
"""Years by which a holiday is judged. Fixed, so that the first moving holiday is the same one at every cut-off."""

NAMED_YEARS = range(2001, 2036)
"""Years whose occurrences are known: the package has the lunar calendars of China and India for no others."""

USUAL_SHARE = 2 / 3
"""A holiday counts that has its name in this share of the years: one-offs and substitute days do not."""

MOVES_DAYS = 6
"""From this spread over the year on a holiday moves: the fourth Thursday of a month spreads by 6 days, the moon by 28."""

LONG_DAYS = 3
"""A holiday of so many days in a row is a long one: trade stops, and shops stock up for weeks before."""

MOVING_SLOTS = 3
"""Moving holidays that have a feature of their own, at most."""


@dataclass(frozen=True)
class NamedHoliday:
    """One holiday through the years.

    Attributes
    ----------
    name
        As the package ``holidays`` has it in English.
    first_days
        First day of each occurrence, rising.
    days
        Public holidays in a row around the first day, the median over ``RULE_YEARS``.
    spread_days
        Days between its earliest and its latest date in the year over ``RULE_YEARS``.
    """

    name: str
    first_days: tuple[date, ...]
    days: int
    spread_days: int

    @property
    def moves(self) -> bool:
        """Whether its date differs enough for 52 weeks before to be another week of its season."""
        return self.spread_days >= MOVES_DAYS

    @property
    def is_long(self) -> bool:
        """Whether it is of three days in a row or more."""
        return self.days >= LONG_DAYS


def country_holidays(country: str, years: Iterable[int], subdivision: str | None = None, *, observed: bool = True) -> holidays.HolidayBase:
    """Return the public holidays of a country, by their English names where the package has them, in those of the years that it knows.

    Raises
    ------
    ConfigurationError
        If the ``holidays`` package does not know the country or its subdivision.
    """
    try:
        known = holidays.country_holidays(country, subdiv=subdivision)
        english = "en_US" if "en_US" in known.supported_languages else None
        held = [year for year in years if known.start_year <= year <= known.end_year]
        return holidays.country_holidays(country, subdiv=subdivision, years=held, language=english, observed=observed)
    except NotImplementedError as error:  # what the holidays package raises for a country or subdivision it does not know
        raise ConfigurationError(
            f"calendar.country: {error}", hint="give a two-letter country code that the holidays package knows, such as US or CN"
        ) from error


def named_holidays(country: str, subdivision: str | None = None) -> list[NamedHoliday]:
    """Return the holidays that a country has in most years, with all their occurrences.

    Raises
    ------
    ConfigurationError
        If the ``holidays`` package does not know the country or its subdivision.

    Examples
    --------
    >>> [(holiday.name, holiday.spread_days) for holiday in named_holidays("CN") if holiday.moves][:2]
    [('Chinese New Year (Spring Festival)', 28), ('Dragon Boat Festival', 28)]
    """
    public = frozenset(country_holidays(country, RULE_YEARS, subdivision))
    days_of: dict[str, list[date]] = {}
    for day, names in sorted(country_holidays(country, NAMED_YEARS, subdivision, observed=False).items()):
        for name in str(names).split(holidays.constants.HOLIDAY_NAME_DELIMITER):
            days_of.setdefault(name.removesuffix(" (estimated)"), []).append(day)
    described = (_describe(name, days, public) for name, days in sorted(days_of.items()))
    return [holiday for holiday in described if holiday is not None]


def main_holidays(country: str, subdivision: str | None = None, names: Sequence[str] = ()) -> tuple[NamedHoliday, ...]:
    """Choose the holidays that move demand against the calendar, and the long ones that do not move.

    Of the moving holidays the longest come first, among equals those that move furthest, then those late in the year, when trade is at
    its height. Of those within a week of each other in most years (the eve, the second day) only the first day counts.

    Parameters
    ----------
    country, subdivision
        ISO codes.
    names
        The moving holidays to take instead, most important first.

    Returns
    -------
    tuple of NamedHoliday
        At most ``MOVING_SLOTS`` that move, then the long ones that stay.

    Raises
    ------
    ConfigurationError
        If the country is unknown, or has no moving holiday of a name.

    Examples
    --------
    >>> [holiday.name for holiday in main_holidays("US") if holiday.moves]
    ['Thanksgiving Day', 'Columbus Day', 'Labor Day']
    >>> [holiday.name for holiday in main_holidays("US", names=["Memorial Day"])]
    ['Memorial Day']
    """
    named = named_holidays(country, subdivision)
    moving = {holiday.name: holiday for holiday in named if holiday.moves}
    unknown = sorted(set(names) - set(moving))
    if unknown:
        raise ConfigurationError(
            f"calendar.moving_holidays: {country} has no moving holiday {unknown[0]!r}; expected some of {', '.join(sorted(moving))}",
            hint="leave the list empty to have them chosen",
        )
    chosen = [moving[name] for name in names] or _longest(list(moving.values()))
    return (*chosen[:MOVING_SLOTS], *(holiday for holiday in named if holiday.is_long and not holiday.moves))


def days_in_a_row(day: date, public: frozenset[date]) -> int:
    """Count the public holidays in a row that a day is one of.

    >>> days_in_a_row(date(2019, 10, 2), frozenset({date(2019, 10, 1), date(2019, 10, 2), date(2019, 10, 4)}))
    2
    """
    one = timedelta(days=1)
    before, after = day, day
    while before - one in public:
        before -= one
    while after + one in public:
        after += one
    return (after - before).days + 1


SAME_DAYS = 7
"""Holidays that are usually within so many days of each other are parts of one."""

SEPARATE_DAYS = 30
"""Days of one name that lie further apart are two occurrences: an Islamic holiday comes twice in some years."""


def _describe(name: str, days: list[date], public: frozenset[date]) -> NamedHoliday | None:
    first_days = [day for before, day in zip([date.min, *days], days, strict=False) if (day - before).days > SEPARATE_DAYS]
    judged = [day for day in first_days if day.year in RULE_YEARS]
    if len({day.year for day in judged}) < USUAL_SHARE * len(RULE_YEARS):
        return None
    places = [_day_of_year(day) for day in judged]
    length = int(median(days_in_a_row(day, public) for day in judged))
    return NamedHoliday(name, tuple(first_days), length, max(places) - min(places))


def _longest(moving: list[NamedHoliday]) -> list[NamedHoliday]:
    ranked = sorted(moving, key=lambda holiday: (-holiday.days, -holiday.spread_days, -_day_of_year(holiday.first_days[0]), holiday.name))
    chosen: list[NamedHoliday] = []
    for holiday in ranked:
        if not any(_same(holiday, other) for other in chosen):
            block = [other for other in ranked if other.days == holiday.days and _same(other, holiday)]
            chosen.append(min(block, key=lambda other: (_days_after(other, holiday), other.name)))
    return chosen


def _same(holiday: NamedHoliday, other: NamedHoliday) -> bool:
    return abs(_days_after(holiday, other)) <= SAME_DAYS


def _days_after(holiday: NamedHoliday, other: NamedHoliday) -> float:
    """Days by which a holiday usually follows the nearest occurrence of another."""
    return median(min(((day - its).days for its in other.first_days), key=abs) for day in holiday.first_days)


def _day_of_year(day: date) -> int:
    return day.replace(year=2000).timetuple().tm_yday
