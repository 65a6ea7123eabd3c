"""The calendar of target weeks, on dates that can be looked up."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from contracts.errors import ConfigurationError
from features.calendar import CALENDAR_FEATURES, holiday_dates, week_calendar, working_dates
from features.holiday_names import main_holidays

MONDAY = date(2019, 9, 23)


def one_week(week: date, *public: date, events: tuple[date, ...] = ()) -> dict[str, float]:
    """The calendar of a single week."""
    row: dict[str, float] = week_calendar([week], frozenset(public), frozenset(events)).to_pylist()[0]
    return row


def test_a_row_per_week_with_the_columns_of_the_catalogue() -> None:
    weeks = [MONDAY + timedelta(weeks=n) for n in (2, 0, 1)]
    calendar = week_calendar(weeks, frozenset())
    assert calendar.column_names == ["week_start", *(feature.name for feature in CALENDAR_FEATURES)]
    assert calendar["week_start"].to_pylist() == weeks
    assert [column.null_count for column in calendar.columns] == [0] * calendar.num_columns


def test_holidays_count_on_working_days_of_the_week_and_of_the_next() -> None:
    public = [MONDAY, MONDAY + timedelta(days=4), MONDAY + timedelta(days=5), MONDAY + timedelta(days=9)]
    week = one_week(MONDAY, *public)
    assert (week["holiday_days"], week["next_week_holiday_days"]) == (2, 1)


@pytest.mark.parametrize(("weeks_ahead", "to", "after"), [(0, 0, 0), (1, 1, 9), (8, 8, 9), (9, 9, 9), (12, 9, 9), (-1, 9, 1), (-8, 9, 8)])
def test_distances_to_holidays_end_at_nine_weeks(weeks_ahead: int, to: int, after: int) -> None:
    for day in (0, 6):
        week = one_week(MONDAY, MONDAY + timedelta(weeks=weeks_ahead, days=day))
        assert (week["weeks_to_holiday"], week["weeks_after_holiday"]) == (to, after)
        assert (week["weeks_to_long_holiday"], week["weeks_after_long_holiday"]) == (9, 9)


def test_a_long_holiday_is_of_two_days_in_a_row_or_more_and_may_span_weeks() -> None:
    sunday = MONDAY + timedelta(days=20)
    week = one_week(MONDAY, MONDAY + timedelta(days=8), MONDAY + timedelta(days=10), sunday, sunday + timedelta(days=1))
    assert (week["weeks_to_holiday"], week["weeks_to_long_holiday"]) == (1, 2)
    assert one_week(MONDAY + timedelta(weeks=4), sunday, sunday + timedelta(days=1))["weeks_after_long_holiday"] == 1


def test_a_week_is_numbered_in_its_year_and_month() -> None:
    positions = {day: one_week(day) for day in (date(2018, 12, 31), date(2020, 12, 28), date(2019, 9, 30), date(2019, 10, 7))}
    assert [week["week_of_year"] for week in positions.values()] == [1, 53, 40, 41]
    assert [week["week_of_month"] for week in positions.values()] == [5, 4, 5, 1]


def test_the_wholesalers_own_events_are_counted_by_day() -> None:
    week = one_week(MONDAY, events=(MONDAY - timedelta(days=1), MONDAY, MONDAY + timedelta(days=6), MONDAY + timedelta(days=7)))
    assert week["events"] == 2


def test_holidays_that_move_with_the_moon_are_known() -> None:
    new_years = {2018: date(2018, 2, 16), 2019: date(2019, 2, 5), 2020: date(2020, 1, 25)}
    known = holiday_dates("CN", date(2018, 1, 1), date(2020, 12, 31))
    assert all(day in known for day in new_years.values())
    assert one_week(date(2020, 1, 20), *known)["weeks_to_long_holiday"] == 0


def test_holidays_outside_the_span_are_left_out_and_subdivisions_have_their_own() -> None:
    last = date(2019, 7, 4)
    assert holiday_dates("US", date(2019, 7, 4), last) == {last}
    assert holiday_dates("US", date(2019, 7, 5), date(2019, 7, 6)) == frozenset()
    day = date(2019, 4, 15)
    assert day in holiday_dates("US", day, day, "MA")
    assert day not in holiday_dates("US", day, day)


@pytest.mark.parametrize(("country", "subdivision"), [("ZZ", None), ("US", "nowhere")])
def test_an_unknown_country_or_subdivision_is_refused(country: str, subdivision: str | None) -> None:
    with pytest.raises(ConfigurationError, match=r"calendar\.country"):
        holiday_dates(country, date(2019, 1, 1), date(2019, 12, 31), subdivision)


def test_moving_holidays_have_a_signed_distance_each_that_ends_at_nine_weeks() -> None:
    moving = [holiday for holiday in main_holidays("CN") if holiday.moves]
    weeks = [date(2019, 10, 21), date(2019, 12, 30), date(2020, 1, 20), date(2020, 1, 27), date(2020, 5, 4)]
    rows = week_calendar(weeks, frozenset(), moving=moving).to_pylist()
    assert [round(row["moving_holiday_1"], 2) for row in rows] == [-9, -3.29, -0.29, 0.71, 9]
    assert {round(row["moving_holiday_2"], 2) for row in rows[:1]} == {5.86}
    assert len({row["moving_holiday_3"] for row in rows}) > 1


def test_a_slot_without_a_holiday_is_constant() -> None:
    week = one_week(MONDAY)
    assert [week[f"moving_holiday_{slot}"] for slot in (1, 2, 3)] == [9, 9, 9]


def test_weekends_that_make_up_for_a_holiday_are_working_days() -> None:
    first, last = date(2020, 1, 6), date(2020, 2, 9)
    working, public = working_dates("CN", first, last), holiday_dates("CN", first, last)
    rows = week_calendar([first + timedelta(weeks=n) for n in range(1, 5)], public, working=working).to_pylist()
    # Sunday 19 January made up for Friday 24 January; the holidays went on until 2 February
    assert [row["working_days"] for row in rows] == [6, 4, 0, 5]
    assert [row["working_days_before"] for row in rows] == [5, 6, 4, 0]


def test_without_working_days_given_it_is_monday_to_friday_less_the_holidays() -> None:
    week = one_week(MONDAY, MONDAY + timedelta(days=1), MONDAY + timedelta(days=5), MONDAY - timedelta(days=7))
    assert (week["working_days"], week["working_days_before"]) == (4, 4)


def test_a_country_works_on_the_days_of_its_own_week() -> None:
    quiet = date(2019, 7, 15)
    assert sorted(day.weekday() for day in working_dates("SA", quiet, quiet + timedelta(days=6))) == [0, 1, 2, 3, 6]
