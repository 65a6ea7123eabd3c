"""Which week of last year is the same week as a target week, where holidays such as lunar new year move against the calendar?"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from contracts.weeks import HORIZONS, PAIR_WEEKS, target_week
from features.holiday_names import NamedHoliday

LONG_REACH = (-5, 3)
"""Weeks before and after a long moving holiday in which demand follows it rather than the time of the year."""

SHORT_REACH = (-2, 1)
"""The same for a short one."""

FIXED_REACH = (0, 1)
"""The weeks of a long holiday that does not move: it ends in the week after the one in which it begins."""

FEWEST_WEEKS_BACK, MOST_WEEKS_BACK = 48, 57
"""The same week of last year lies within these many weeks before: lunar holidays move by 50, 51, 54 or 55 weeks, Easter by 50 to 55."""

MIDDLE = timedelta(days=3)
"""A week stands where its Thursday is."""


def phase_weeks(week_start: date, holiday: NamedHoliday) -> float:
    """Return how far a week is from the nearest occurrence of a holiday.

    Returns
    -------
    float
        Weeks from the holiday's first day to the Thursday of the week: negative before it, within -3/7 and 3/7 in its own week.
        Infinite where no occurrence is known.

    Examples
    --------
    >>> festival = NamedHoliday("Spring Festival", (date(2019, 2, 5), date(2020, 1, 25)), 7, 29)
    >>> [round(phase_weeks(week_start, festival), 2) for week_start in (date(2020, 1, 6), date(2019, 2, 4))]
    [-2.29, 0.29]
    """
    occurrence = _nearest(week_start, holiday)
    return float("inf") if occurrence is None else (week_start + MIDDLE - holiday.first_days[occurrence]).days / 7


def same_week_last_year(week_start: date, main: Sequence[NamedHoliday]) -> date:
    """Return the week of last year that a week is to be compared with.

    A week within the reach of a moving holiday is compared with the week as far from that holiday last year, of several with the nearest.
    In the week of a long holiday that stays, and where no holiday reaches, it is the week 52 weeks before; if a moving holiday reached
    that one last year, the nearest week that none reached.

    Parameters
    ----------
    week_start
        Monday of the week.
    main
        As ``features.holiday_names.main_holidays`` gives them.

    Returns
    -------
    date
        A Monday, 48 to 57 weeks before ``week_start``.

    Examples
    --------
    >>> festival = NamedHoliday("Spring Festival", (date(2018, 2, 16), date(2019, 2, 5), date(2020, 1, 25)), 7, 29)
    >>> same_week_last_year(date(2020, 1, 20), [festival])
    datetime.date(2019, 1, 28)
    """
    plain = week_start - timedelta(weeks=PAIR_WEEKS)
    pulls = [_pull(week_start, holiday) for holiday in main]
    found = [pull for pull in pulls if pull is not None]
    if found:
        _, _, weeks_back = min(found)
        return week_start - timedelta(weeks=weeks_back)
    moving = [holiday for holiday in main if holiday.moves]
    near = sorted(range(PAIR_WEEKS - MOST_WEEKS_BACK, PAIR_WEEKS - FEWEST_WEEKS_BACK + 1), key=lambda shift: (abs(shift), shift))
    free = (plain + timedelta(weeks=shift) for shift in near)
    return next((week for week in free if not any(_reaches(week, holiday) for holiday in moving)), plain)


def weeks_of_same_holiday(as_of: date, main: Sequence[NamedHoliday]) -> dict[int, date]:
    """Return the same week of last year, its Monday, only for the horizons whose target week a moving holiday reaches.

    Examples
    --------
    >>> festival = NamedHoliday("Spring Festival", (date(2018, 2, 16), date(2019, 2, 5), date(2020, 1, 25)), 7, 29)
    >>> weeks_of_same_holiday(date(2019, 10, 27), [festival])
    {8: datetime.date(2018, 12, 24)}
    """
    moving = [holiday for holiday in main if holiday.moves]
    weeks = {horizon: target_week(as_of, horizon) for horizon in HORIZONS}
    return {h: same_week_last_year(week, main) for h, week in weeks.items() if any(_reaches(week, holiday) for holiday in moving)}


def _pull(week_start: date, holiday: NamedHoliday) -> tuple[float, int, int] | None:
    """How far the holiday is, minus its length, and the weeks from its last occurrence to this one; None where it does not reach."""
    occurrence = _nearest(week_start, holiday)
    if occurrence is None or not _reaches(week_start, holiday):
        return None
    distance = abs(phase_weeks(week_start, holiday))
    if not holiday.moves:
        return distance, -holiday.days, PAIR_WEEKS
    apart = [round((holiday.first_days[occurrence] - day).days / 7) for day in holiday.first_days[:occurrence]]
    within = [weeks for weeks in apart if FEWEST_WEEKS_BACK <= weeks <= MOST_WEEKS_BACK]
    return (distance, -holiday.days, within[-1]) if within else None


def _reaches(week_start: date, holiday: NamedHoliday) -> bool:
    first, last = FIXED_REACH if not holiday.moves else LONG_REACH if holiday.is_long else SHORT_REACH
    return first - 0.5 <= phase_weeks(week_start, holiday) <= last + 0.5


def _nearest(week_start: date, holiday: NamedHoliday) -> int | None:
    """Position of the occurrence that is nearest to the middle of the week, the earlier of two."""
    middle = week_start + MIDDLE
    after = bisect_right(holiday.first_days, middle)
    around: Iterable[int] = (place for place in (after - 1, after) if 0 <= place < len(holiday.first_days))
    return min(around, key=lambda place: abs((holiday.first_days[place] - middle).days), default=None)
