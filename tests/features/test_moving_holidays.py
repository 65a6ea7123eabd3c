"""The same week of last year, on the Spring Festivals of 2017 to 2020 and on Thanksgivings."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from contracts.weeks import HORIZONS, last_week, target_week
from features.holiday_names import NamedHoliday, main_holidays
from features.moving_holidays import (
    FEWEST_WEEKS_BACK,
    MOST_WEEKS_BACK,
    phase_weeks,
    same_week_last_year,
    weeks_of_same_holiday,
)

CHINA, AMERICA, INDONESIA, BRITAIN = (main_holidays(country) for country in ("CN", "US", "ID", "GB"))
FESTIVAL = CHINA[0]


def weeks_back(week: date, main: tuple[NamedHoliday, ...]) -> int:
    return (week - same_week_last_year(week, main)).days // 7


def every_week(first: date, last: date) -> list[date]:
    return [first + timedelta(weeks=n) for n in range((last - first).days // 7 + 1)]


@pytest.mark.parametrize(
    ("week", "year_before"),
    [
        (date(2018, 2, 12), date(2017, 1, 23)),  # festivals on Friday 16 Feb 2018 and Saturday 28 Jan 2017, 384 days apart
        (date(2019, 2, 4), date(2018, 2, 12)),  # Tuesday 5 Feb 2019 and Friday 16 Feb 2018, 354 days
        (date(2020, 1, 20), date(2019, 1, 28)),  # Saturday 25 Jan 2020: its week is the one before it, as to a Tuesday
        (date(2020, 1, 27), date(2019, 2, 4)),
    ],
)
def test_the_week_of_the_spring_festival_is_compared_with_that_of_last_year(week: date, year_before: date) -> None:
    assert same_week_last_year(week, CHINA) == year_before


def test_the_weeks_around_the_spring_festival_keep_their_phase() -> None:
    for week in every_week(date(2019, 12, 23), date(2020, 2, 10)):
        assert weeks_back(week, CHINA) == 51
        assert abs(phase_weeks(week, FESTIVAL) - phase_weeks(same_week_last_year(week, CHINA), FESTIVAL)) < 0.5
    assert {weeks_back(week, CHINA) for week in every_week(date(2018, 1, 15), date(2018, 3, 5))} == {55}


def test_away_from_holidays_it_is_52_weeks_before() -> None:
    for week in (date(2019, 3, 25), date(2019, 11, 11), date(2019, 7, 15)):
        assert weeks_back(week, CHINA) == 52


def test_a_week_that_no_holiday_reaches_is_not_compared_with_one_that_the_festival_reached() -> None:
    week = date(2020, 2, 24)
    assert round(phase_weeks(week - timedelta(weeks=52), FESTIVAL)) == 3
    assert round(phase_weeks(same_week_last_year(week, CHINA), FESTIVAL)) == 4


def test_the_week_of_a_long_holiday_that_stays_is_not_taken_for_a_short_moving_one() -> None:
    golden, before = date(2020, 9, 28), date(2020, 9, 21)  # the Mid-Autumn Festival of 2020 was on 1 October, that of 2019 on 13 September
    assert (weeks_back(golden, CHINA), weeks_back(golden + timedelta(weeks=1), CHINA)) == (52, 52)
    assert same_week_last_year(before, CHINA) == date(2019, 9, 2)


def test_thanksgiving_is_53_weeks_after_thanksgiving_in_some_years() -> None:
    assert same_week_last_year(date(2019, 11, 25), AMERICA) == date(2018, 11, 19)
    assert same_week_last_year(date(2018, 11, 19), AMERICA) == date(2017, 11, 20)


def test_an_islamic_holiday_moves_by_51_weeks_through_the_year() -> None:
    fast_broken = INDONESIA[0].first_days
    weeks = [day - timedelta(days=day.weekday()) for day in fast_broken if 2015 <= day.year <= 2025]
    assert {weeks_back(week, INDONESIA) for week in weeks} <= {50, 51}


@pytest.mark.parametrize("main", [CHINA, AMERICA, INDONESIA, BRITAIN, ()])
def test_it_is_always_a_monday_about_a_year_before(main: tuple[NamedHoliday, ...]) -> None:
    for week in every_week(date(2004, 1, 5), date(2040, 12, 31)):
        assert same_week_last_year(week, main).weekday() == 0
        assert FEWEST_WEEKS_BACK <= weeks_back(week, main) <= MOST_WEEKS_BACK


def test_weeks_ago_are_those_of_the_same_week_and_never_lie_after_the_cut_off() -> None:
    for week in every_week(date(2017, 1, 2), date(2020, 12, 28)):
        as_of = week + timedelta(days=6)
        then = {horizon: same_week_last_year(target_week(as_of, horizon), CHINA) for horizon in HORIZONS}
        ago = [(last_week(as_of) - same_week).days // 7 for same_week in then.values()]
        assert FEWEST_WEEKS_BACK - HORIZONS[-1] <= min(ago)
        assert max(ago) <= MOST_WEEKS_BACK - HORIZONS[0]
        assert weeks_of_same_holiday(as_of, CHINA).items() <= then.items()


def test_without_holidays_weeks_ago_are_52_less_the_horizon() -> None:
    last, ahead = last_week(date(2019, 9, 29)), {horizon: target_week(date(2019, 9, 29), horizon) for horizon in HORIZONS}
    assert {horizon: (last - same_week_last_year(week, ())).days // 7 for horizon, week in ahead.items()} == {h: 52 - h for h in HORIZONS}


def test_later_festivals_change_nothing_that_is_nearer_to_an_earlier_one() -> None:
    known = NamedHoliday(FESTIVAL.name, tuple(day for day in FESTIVAL.first_days if day.year <= 2020), FESTIVAL.days, FESTIVAL.spread_days)
    weeks = every_week(date(2018, 1, 1), date(2020, 6, 1))
    assert [same_week_last_year(week, [known]) for week in weeks] == [same_week_last_year(week, [FESTIVAL]) for week in weeks]


def test_the_phase_counts_from_the_first_day_and_changes_sides_half_a_year_away() -> None:
    phases = [phase_weeks(week, FESTIVAL) for week in every_week(date(2019, 1, 7), date(2020, 3, 2))]
    steps = [round(after - before, 6) for before, after in pairwise(phases)]
    assert [round(phase) for phase in phases[:6]] == [-4, -3, -2, -1, 0, 1]
    assert [step for step in steps if step != 1.0] == [pytest.approx(-354 / 7 + 1, abs=1e-5)]


def test_a_holiday_of_unknown_dates_is_far_and_reaches_nothing() -> None:
    nothing = NamedHoliday("Nothing", (), 3, 28)
    assert phase_weeks(date(2019, 1, 7), nothing) == float("inf")
    assert same_week_last_year(date(2019, 1, 7), [nothing]) == date(2018, 1, 8)


def test_only_weeks_that_a_moving_holiday_reaches_have_the_same_week_last_year() -> None:
    as_of = date(2019, 12, 29)  # the festival of 2020 is in week 4; that of 2019 was 51 weeks before
    assert weeks_of_same_holiday(as_of, CHINA) == {horizon: target_week(as_of, horizon) - timedelta(weeks=51) for horizon in range(1, 8)}
    assert weeks_of_same_holiday(date(2019, 6, 30), CHINA).keys() <= set(range(8, 9))
    assert weeks_of_same_holiday(as_of, ()) == {}
