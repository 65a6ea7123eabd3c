"""Are the orders of the newest days all there, given what the same weekdays, the weeks before and the same week of last year brought?

Medians and median absolute deviations, so that a strange week in the history hardly moves what is expected (Hampel 1974, the influence
curve). Short weeks do not alarm: public holidays and the days beside them are no days on which orders are expected, and a week may be as
low as the same week of last year was against its own weeks before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp, log, sqrt
from statistics import median

from contracts.data_checks import Finding

HISTORY_WEEKS, FEWEST_WEEKS = 13, 4
"""Weeks before that say what is usual, and the fewest that can: a quarter of a year is one season."""

FEWEST_LINES = 30
"""A week or weekday of fewer lines says little: below it nothing is judged that could stop a run."""

FEWEST_SAME_WEEKDAYS, USUAL_SHARE = 6, 0.9
"""A day is expected to bring orders when so many of the same weekdays before are known and this share of them did."""

LEAST_SPREAD, SPREADS = 0.05, 4.0
"""Spread of the logarithm of a week's lines at least, and how many of them a week may be off before it is a warning: 6 in 100,000 weeks."""

WARN_BELOW, WARN_ABOVE = 0.75, 1.35
"""A week within these multiples of what is expected is never a warning, however calm the weeks before were."""

STOP_BELOW, STOP_ABOVE = 0.5, 2.0
"""Half a week, as when files are missing, and twice a week, as when all was loaded twice: no real or simulated week is there."""

MISSING_SHARE = 0.1
"""From this share of a usual week on, days without a line are an error: models would take them for days without demand."""

HALF, DOUBLE = 0.5, 2.0
"""A day below or above these multiples of its weekday's median, and clearly outside its range, is a warning."""

_DAY = timedelta(days=1)
_LOAD = "load what is missing, or accept it if nothing was ordered"


@dataclass(frozen=True)
class DayLines:
    """The order lines of each day, and the days that are not like others.

    Attributes
    ----------
    lines
        Order lines by day, no day after ``as_of``; a day that is not there had none.
    as_of
        Last day that is known; the seven days that end with it are judged.
    days_off
        Public holidays: their lines are not expected.
    bridges
        Days beside public holidays, and the wholesaler's own events: nobody knows what they bring.
    year_before
        Last of the seven days of last year that these are compared with; None where there is no such year.
    """

    lines: Mapping[date, int]
    as_of: date
    days_off: frozenset[date] = frozenset()
    bridges: frozenset[date] = frozenset()
    year_before: date | None = None

    @property
    def week(self) -> list[date]:
        """The seven days that are judged."""
        return [self.as_of - back * _DAY for back in range(6, -1, -1)]

    def sum_to(self, last: date) -> int:
        """Return the lines of the seven days that end with one."""
        return sum(self.lines.get(last - back * _DAY, 0) for back in range(7))

    def weeks_before(self, last: date) -> list[int]:
        """Return the lines of the seven-day weeks before one, back to the first order."""
        ends = [last - timedelta(weeks=ago) for ago in range(1, HISTORY_WEEKS + 1)]
        first = min(self.lines, default=last)
        return [self.sum_to(end) for end in ends if end - 6 * _DAY >= first]

    def same_weekdays(self, day: date) -> list[int]:
        """Return the lines of the same weekday in the weeks before, days off left out."""
        past = [day - timedelta(weeks=ago) for ago in range(1, HISTORY_WEEKS + 1)]
        first = min(self.lines, default=day)
        return [self.lines.get(other, 0) for other in past if other >= first and not self.is_off(other)]

    def is_off(self, day: date) -> bool:
        """Tell whether a day is no ordinary one."""
        return day in self.days_off or day in self.bridges


@dataclass(frozen=True)
class WeekLevel:
    """What is expected of a week: ``usual`` lines, from ``low`` to ``high`` by season and holidays, with a ``spread`` of logarithms."""

    usual: float
    low: float
    high: float
    spread: float


def week_level(days: DayLines) -> WeekLevel | None:
    """Return what is expected of the seven days; None where too little is known.

    Examples
    --------
    >>> lines = {date(2024, 1, 1) + timedelta(days=day): 100 for day in range(70)}
    >>> week_level(DayLines(lines, date(2024, 3, 10)))
    WeekLevel(usual=700, low=700.0, high=700.0, spread=0.05)
    """
    past = days.weeks_before(days.as_of)
    if len(past) < FEWEST_WEEKS or median(past) < FEWEST_LINES:
        return None
    usual = median(past)
    deviations = [abs(log(max(lines, 1) / usual)) for lines in past]
    spread = max(1.4826 * median(deviations), LEAST_SPREAD, 1.0 / sqrt(usual))
    season = _season(days)
    off = sum(_usual_day(days, day) for day in days.week if day in days.days_off)
    open_share = max(0.0, 1.0 - off / usual)
    return WeekLevel(usual, usual * min(1.0, season, open_share), usual * max(1.0, season), spread)


def weekly_volume(days: DayLines, level: WeekLevel | None) -> Finding:
    """Judge the lines of the seven days."""
    observed = days.sum_to(days.as_of)
    span = f"in the seven days to {days.as_of}"
    if level is None:
        message = f"{observed:,} order lines {span}; too few weeks or lines before to say what is usual"
        return Finding("weekly_volume", "info", "raw.order_lines", "ordered_on", message, observed, observed)
    least = level.low * min(WARN_BELOW, exp(-SPREADS * level.spread))
    most = level.high * max(WARN_ABOVE, exp(SPREADS * level.spread))
    severity = "ok" if least <= observed <= most else "warning"
    if severity != "ok" and (observed <= STOP_BELOW * level.low or observed >= STOP_ABOVE * level.high):
        severity = "error"
    message = f"{observed:,} order lines {span}; expected {least:,.0f} to {most:,.0f}, usual are {level.usual:,.0f}"
    if severity != "ok":
        doubtful = "see which days and districts are missing and load them" if observed < least else "see whether a file was loaded twice"
        message += f": {doubtful}, or accept it if it is so"
    return Finding("weekly_volume", severity, "raw.order_lines", "ordered_on", message, observed, observed, least, most)


def late_and_missing_days(days: DayLines, level: WeekLevel | None) -> list[Finding]:
    """Judge the days without a line on which orders are usual: ``late_days`` behind the newest order, ``missing_days`` before it.

    Days whose lines other days of the week made up for are no more than worth knowing.
    """
    absent = [day for day in days.week if not days.lines.get(day) and not days.is_off(day) and _is_order_day(days, day)]
    newest = max(days.lines, default=days.as_of)
    late, missing = [day for day in absent if day > newest], [day for day in absent if day < newest]
    made_up = _made_up(days, level, sum(_usual_day(days, day) for day in absent))
    return [_absent("late_days", days, late, made_up=made_up), _absent("missing_days", days, missing, made_up=made_up)]


def daily_volume(days: DayLines, level: WeekLevel | None) -> Finding:
    """Judge the lines of each of the seven days that has any against the same weekday before."""
    strange, made_up = [], True
    for day in days.week:
        lines, past = days.lines.get(day, 0), [past for past in days.same_weekdays(day) if past]
        if not lines or days.is_off(day) or len(past) < FEWEST_SAME_WEEKDAYS or median(past) < FEWEST_LINES:
            continue
        low = lines < HALF * median(past) and lines < 0.8 * min(past)
        high = lines > DOUBLE * median(past) and lines > 1.25 * max(past)
        if low or high:
            strange.append(f"{day:%A} {day} has {lines:,} lines, usual are {median(past):,.0f}")
            made_up = made_up and _made_up(days, level, median(past) - lines)
    severity = "ok" if not strange else "info" if made_up else "warning"
    message = "; ".join(strange) or "every day has about the lines of its weekday"
    if strange:
        message += "; the week as a whole is as usual" if made_up else ": see whether the day is loaded whole, and once"
    return Finding("daily_volume", severity, "raw.order_lines", "ordered_on", message, len(strange), len(strange), None, 0)


def _season(days: DayLines) -> float:
    """The same week of last year against its own weeks before; 1 where that is unknown."""
    if days.year_before is None:
        return 1.0
    past = days.weeks_before(days.year_before)
    if len(past) < FEWEST_WEEKS or median(past) < FEWEST_LINES:
        return 1.0
    return days.sum_to(days.year_before) / median(past)


def _usual_day(days: DayLines, day: date) -> float:
    past = days.same_weekdays(day)
    return float(median(past)) if past else 0.0


def _is_order_day(days: DayLines, day: date) -> bool:
    past = days.same_weekdays(day)
    return len(past) >= FEWEST_SAME_WEEKDAYS and sum(lines > 0 for lines in past) >= USUAL_SHARE * len(past)


def _made_up(days: DayLines, level: WeekLevel | None, lacking: float) -> bool:
    """Whether the week shows less than half of what a day lacks (or, where negative, of what it has too much)."""
    if level is None:
        return False
    observed = days.sum_to(days.as_of)
    return observed >= level.low - 0.5 * lacking if lacking > 0 else observed <= level.high - 0.5 * lacking


def _absent(check: str, days: DayLines, absent: Sequence[date], *, made_up: bool) -> Finding:
    table, column = "raw.order_lines", "ordered_on"
    if not absent:
        return Finding(check, "ok", table, column, "no day is lacking on which orders are usual", observed=0, expected_high=0)
    named = ", ".join(f"{day:%A} {day}" for day in absent)
    if made_up:
        return Finding(
            check, "info", table, column, f"no order on {named}, but the week has as many lines as usual", 0, len(absent), None, 0
        )
    usual = sum(_usual_day(days, day) for day in days.week)
    lacking = sum(_usual_day(days, day) for day in absent)
    stops = lacking >= MISSING_SHARE * usual and usual >= FEWEST_LINES
    # in the middle of a week the newest day may just not be there yet
    unfinished = check == "late_days" and len(absent) == 1 and days.as_of.weekday() != 6
    message = f"no order on {named}, where about {lacking:,.0f} lines are usual, {lacking / usual:.0%} of a week: {_LOAD}"
    return Finding(check, "error" if stops and not unfinished else "warning", table, column, message, 0, len(absent), None, 0)
