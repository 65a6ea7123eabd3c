"""Holidays by name: which move, which are long, and which come first."""

from __future__ import annotations

from datetime import date

import pytest

from contracts.errors import ConfigurationError
from features.holiday_names import MOVING_SLOTS, NamedHoliday, days_in_a_row, main_holidays, named_holidays


def by_name(country: str, subdivision: str | None = None) -> dict[str, NamedHoliday]:
    return {holiday.name: holiday for holiday in named_holidays(country, subdivision)}


def test_the_spring_festival_begins_on_the_days_of_the_moon() -> None:
    festival = by_name("CN")["Chinese New Year (Spring Festival)"]
    first = {day.year: day for day in festival.first_days}
    assert [first[year] for year in (2017, 2018, 2019, 2020)] == [date(2017, 1, 28), date(2018, 2, 16), date(2019, 2, 5), date(2020, 1, 25)]
    assert festival.moves
    assert festival.is_long


def test_holidays_of_the_moon_of_easter_and_of_a_weekday_move_and_those_of_a_date_do_not() -> None:
    moves = {
        (country, name): by_name(country)[name].moves
        for country, name in [
            ("CN", "Dragon Boat Festival"),
            ("CN", "Mid-Autumn Festival"),
            ("CN", "National Day"),
            ("CN", "Tomb-Sweeping Day"),
            ("US", "Thanksgiving Day"),
            ("US", "Independence Day"),
            ("US", "Christmas Day"),
            ("GB", "Good Friday"),
        ]
    }
    assert [name for (_, name), moving in moves.items() if moving] == [
        "Dragon Boat Festival",
        "Mid-Autumn Festival",
        "Thanksgiving Day",
        "Good Friday",
    ]


def test_a_day_that_carries_two_names_is_a_day_of_both() -> None:
    names = by_name("CN")
    assert all(date(2020, 10, 1) in names[name].first_days for name in ("Mid-Autumn Festival", "National Day"))


def test_substitute_days_and_one_offs_are_no_holidays_by_name() -> None:
    assert not [name for name in by_name("CN") if "substituted" in name or "observed" in name or "Extended" in name]


def test_a_holiday_may_come_twice_in_a_year() -> None:
    feast = by_name("ID")["Islamic New Year"]
    assert [day.year for day in feast.first_days].count(2008) == 2


def test_lunar_new_year_is_chinas_first_moving_holiday_and_the_golden_week_its_long_one_that_stays() -> None:
    main = main_holidays("CN")
    assert main[0].name == "Chinese New Year (Spring Festival)"
    assert {holiday.name for holiday in main[1:MOVING_SLOTS]} == {"Dragon Boat Festival", "Mid-Autumn Festival"}
    assert [holiday.name for holiday in main if not holiday.moves] == ["National Day"]


def test_of_equal_holidays_the_late_ones_come_first_and_a_state_has_its_own() -> None:
    assert [holiday.name for holiday in main_holidays("US")] == ["Thanksgiving Day", "Columbus Day", "Labor Day"]
    assert [holiday.name for holiday in main_holidays("US", "IA")] == ["Thanksgiving Day", "Labor Day", "Memorial Day"]


@pytest.mark.parametrize(("country", "parts"), [("ID", "Eid al-Fitr"), ("KR", "Korean New Year"), ("VN", "Lunar New Year")])
def test_the_days_of_one_holiday_take_one_slot(country: str, parts: str) -> None:
    assert sum(parts in holiday.name for holiday in main_holidays(country)[:MOVING_SLOTS]) == 1


def test_holidays_can_be_named_instead() -> None:
    assert [holiday.name for holiday in main_holidays("US", names=["Memorial Day", "Labor Day"])] == ["Memorial Day", "Labor Day"]


def test_a_name_that_is_no_moving_holiday_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"calendar\.moving_holidays: US has no moving holiday 'Thanksgiving'.*Thanksgiving Day"):
        main_holidays("US", names=["Thanksgiving"])


def test_an_unknown_country_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"calendar\.country"):
        main_holidays("QQ")


def test_days_in_a_row_are_counted_to_both_sides() -> None:
    public = frozenset({date(2019, 2, 28), date(2019, 3, 1), date(2019, 3, 2), date(2019, 3, 4)})
    assert [days_in_a_row(day, public) for day in sorted(public)] == [3, 3, 3, 1]
