"""Volumes of days and weeks: what alarms, and what a holiday, a season or a shifted day explains."""

from __future__ import annotations

from datetime import date, timedelta

from contracts.data_checks import Finding
from models.volume_checks import DayLines, daily_volume, late_and_missing_days, week_level, weekly_volume

AS_OF = date(2024, 9, 29)
FRIDAY, SATURDAY = date(2024, 9, 27), date(2024, 9, 28)
LINES = {0: 100, 1: 110, 2: 90, 3: 105, 4: 95}


def working_days(weeks: int = 20, *, wiggle: int = 3) -> dict[date, int]:
    """Lines on Mondays to Fridays up to AS_OF, a little different every week."""
    days = (AS_OF - timedelta(days=back) for back in range(7 * weeks))
    return {day: LINES[day.weekday()] + (day.toordinal() // 7) % wiggle for day in days if day.weekday() in LINES}


def judged(days: DayLines) -> dict[str, Finding]:
    level = week_level(days)
    findings = [weekly_volume(days, level), daily_volume(days, level), *late_and_missing_days(days, level)]
    return {found.check: found for found in findings}


def severities(days: DayLines) -> dict[str, str]:
    return {check: found.severity for check, found in judged(days).items() if found.severity != "ok"}


def test_an_ordinary_week_passes_every_check() -> None:
    assert severities(DayLines(working_days(), AS_OF)) == {}


def test_a_week_of_which_half_is_loaded_is_an_error_that_says_what_to_do() -> None:
    lines = {day: count if day < date(2024, 9, 23) else count // 3 for day, count in working_days().items()}
    found = judged(DayLines(lines, AS_OF))["weekly_volume"]
    assert found.severity == "error"
    assert "see which days and districts are missing" in found.message


def test_a_week_that_was_loaded_twice_is_an_error() -> None:
    lines = {day: count if day < date(2024, 9, 23) else 2 * count + 20 for day, count in working_days().items()}
    assert severities(DayLines(lines, AS_OF))["weekly_volume"] == "error"


def test_the_same_low_week_of_last_year_explains_a_low_week() -> None:
    low_weeks = (AS_OF - timedelta(weeks=52), AS_OF)
    lines = working_days(weeks=80)
    for end in low_weeks:
        lines |= {day: count // 3 for day, count in lines.items() if end - timedelta(days=7) < day <= end}
    explained = DayLines(lines, AS_OF, year_before=AS_OF - timedelta(weeks=52))
    assert "weekly_volume" not in severities(explained)
    assert severities(DayLines(lines, AS_OF))["weekly_volume"] == "error"


def test_a_public_holiday_without_orders_does_not_alarm() -> None:
    lines = working_days()
    del lines[FRIDAY]
    assert severities(DayLines(lines, AS_OF, days_off=frozenset({FRIDAY}))) == {}


def test_a_week_of_public_holidays_without_an_order_does_not_alarm() -> None:
    week = frozenset(AS_OF - timedelta(days=back) for back in range(7))
    lines = {day: count for day, count in working_days().items() if day not in week}
    assert severities(DayLines(lines, AS_OF, days_off=week)) == {}


def test_a_missing_working_day_is_an_error_before_the_newest_order_and_behind_it() -> None:
    wednesday = date(2024, 9, 25)
    lacking_wednesday = {day: count for day, count in working_days().items() if day != wednesday}
    lacking_friday = {day: count for day, count in working_days().items() if day != FRIDAY}
    assert severities(DayLines(lacking_wednesday, AS_OF))["missing_days"] == "error"
    late = judged(DayLines(lacking_friday, AS_OF))["late_days"]
    assert (late.severity, late.observed) == ("error", 1)
    assert "Friday 2024-09-27" in late.message


def test_in_the_middle_of_a_week_one_late_day_is_a_warning_and_two_are_an_error() -> None:
    lines = working_days()
    one, two = ({day: count for day, count in lines.items() if day < FRIDAY - timedelta(days=back)} for back in (0, 1))
    assert severities(DayLines(one, FRIDAY))["late_days"] == "warning"
    assert severities(DayLines(two, FRIDAY))["late_days"] == "error"


def test_a_day_that_was_delivered_on_another_is_only_worth_knowing() -> None:
    lines = working_days()
    lines[SATURDAY] = lines.pop(FRIDAY)
    assert severities(DayLines(lines, AS_OF)) == {"missing_days": "info"}


def test_half_of_the_newest_day_is_a_warning() -> None:
    lines = {day: count for day, count in working_days().items() if day <= FRIDAY}
    lines[FRIDAY] = 30
    assert severities(DayLines(lines, FRIDAY)) == {"daily_volume": "warning"}


def test_too_short_or_too_thin_a_history_judges_nothing() -> None:
    assert severities(DayLines(working_days(weeks=3), AS_OF)) == {"weekly_volume": "info"}
    thin = dict.fromkeys(working_days(), 2)
    del thin[FRIDAY]
    assert severities(DayLines(thin, AS_OF)) == {"weekly_volume": "info", "late_days": "warning"}


def test_weeks_before_the_first_order_are_no_weeks_without_orders() -> None:
    level = week_level(DayLines(working_days(weeks=6), AS_OF))
    assert level is not None
    assert 490 < level.usual < 520
