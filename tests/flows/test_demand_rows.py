"""The calendar of target weeks, as the settings name the country."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from flows.country import with_calendar
from flows.demand_rows import target_calendar
from flows.settings import Calendar, read_settings
from warehouse.connection import connect


def test_target_weeks_know_the_moving_holiday_and_the_days_that_make_up_for_it(tmp_path: Path) -> None:
    with connect(str(tmp_path / "warehouse.duckdb"), threads=1, memory_limit="1GB") as con:
        settings = with_calendar(read_settings(environment={}), Calendar(country="CN", subdivision="", moving_holidays=[]))
        rows = target_calendar(con, settings, date(2019, 12, 29))
    phases = [round(row["moving_holiday_1"]) for row in rows]  # the Spring Festival began on Saturday 25 January 2020
    assert phases == [-3, -2, -1, 0, 1, 2, 3, 4]
    assert [row["working_days"] for row in rows[:4]] == [4, 5, 6, 4]
