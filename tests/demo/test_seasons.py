"""Holidays as the calendar has them, and demand that follows them."""

from __future__ import annotations

from datetime import date

import holidays
import numpy as np
import pandas as pd
import pytest

from demo.seasons import FIRST_YEAR, HOLIDAYS, LAST_YEAR, holiday_lift, new_year_weeks
from demo.timeline import Timeline
from tests.demo.conftest import Written


@pytest.mark.parametrize("name", HOLIDAYS)
def test_the_fixed_dates_are_those_of_the_holidays_package(name: str) -> None:
    calendar = holidays.country_holidays("CN", years=range(FIRST_YEAR, LAST_YEAR + 1), language="en_US")
    first = {
        year: min(d for d, words in calendar.items() if d.year == year and name in words and "Eve" not in words)
        for year in range(FIRST_YEAR, LAST_YEAR + 1)
    }
    assert [date.fromisoformat(day) for day in HOLIDAYS[name]] == list(first.values())


def test_the_four_weeks_before_a_lunar_new_year_are_known() -> None:
    weeks = Timeline(date(2025, 3, 2), 10)
    assert weeks.starts[new_year_weeks(weeks)].astype(str).tolist() == ["2024-12-30", "2025-01-06", "2025-01-13", "2025-01-20"]


def test_the_lift_of_a_holiday_is_before_it() -> None:
    weeks = Timeline(date(2025, 3, 2), 12)
    lift = holiday_lift(weeks)
    week = weeks.number(date(2025, 1, 29))
    assert lift[week - 1] == lift.max() > 0
    assert lift[week + 1] < 0


def test_demand_rises_before_the_lunar_new_year_and_falls_after_it(small: Written) -> None:
    demand = small.truth("weekly_demand").groupby("week_start")["demand_units"].sum()
    usual = demand.median()
    assert demand.loc[pd.Timestamp("2025-01-20")] > 1.3 * usual
    assert demand.loc[pd.Timestamp("2025-02-03")] < 0.9 * usual
    assert np.isfinite(usual)
