"""Last year's holiday against the weeks around it, counted by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from contracts.weeks import HORIZONS, last_week
from features.holiday_season import WEEKS_AROUND, holiday_seasons, holiday_units
from tests.cell_rows import AS_OF, at_cap, cell, closed
from tests.statements import Rows, Statement

FESTIVAL = 45
"""Weeks ago; target weeks 3 and 4 are compared with this week and the one after it."""


def seasons(cells: Rows, keys: tuple[str, ...] = (), weeks_ago: Mapping[int, int] | None = None) -> Rows:
    reached = {3: FESTIVAL, 4: FESTIVAL - 1} if weeks_ago is None else weeks_ago
    weeks = {horizon: last_week(AS_OF) - timedelta(weeks=ago) for horizon, ago in reached.items()}

    def build(demand_cells: Any) -> Any:
        return holiday_seasons(holiday_units(demand_cells, weeks), keys, "group", weeks)

    return Statement(build, "demand_cells").rows(demand_cells=cells)


def every_week(sku: str, oldest: int, units: float = 2, but: tuple[int, ...] = ()) -> Rows:
    return [cell("R", sku, ago, units) for ago in range(oldest + 1) if ago not in but]


def test_an_ordinary_week_is_one_and_weeks_without_a_holiday_are_unknown() -> None:
    [row] = seasons(every_week("S", 80))
    assert [row[f"group_holiday_{horizon}"] for horizon in HORIZONS] == [None, None, 1, 1, None, None, None, None]


def test_the_week_of_the_holiday_is_compared_with_the_weeks_around_it() -> None:
    [row] = seasons([*every_week("S", 80), cell("Q", "S", FESTIVAL, 54), cell("Q", "S", FESTIVAL + WEEKS_AROUND + 1, 999)])
    assert row["group_holiday_3"] == pytest.approx(56 / ((27 * 2 + 54) / 27))
    assert row["group_holiday_4"] == pytest.approx(2 / ((27 * 2 + 54) / 27))


def test_only_weeks_since_the_first_order_count_and_at_least_one_must_come_before() -> None:
    [row] = seasons(every_week("S", FESTIVAL + 1))
    assert (row["group_holiday_3"], row["group_holiday_4"]) == (1, 1)
    [row] = seasons(every_week("S", FESTIVAL))
    assert (row["group_holiday_3"], row["group_holiday_4"]) == (None, 1)


def test_true_demand_counts_and_closed_weeks_teach_nothing() -> None:
    others = every_week("S", 80, but=(FESTIVAL, FESTIVAL - 1))
    [row] = seasons([*others, at_cap("R", "S", FESTIVAL, 1, true=10), closed("R", "S", FESTIVAL - 1, delivered=9)])
    assert row["group_holiday_3"] == pytest.approx(10 / ((25 * 2 + 10) / 27))
    assert row["group_holiday_4"] is None
    [row] = seasons(others)
    assert (row["group_holiday_3"], row["group_holiday_4"]) == (0, 0)


def test_each_group_has_its_own() -> None:
    found = seasons([*every_week("S", 80), *every_week("T", 80, 5), cell("Q", "T", FESTIVAL, 5)], ("sku_id",))
    assert {row["sku_id"]: row["group_holiday_3"] for row in found} == {"S": 1, "T": pytest.approx(10 / ((27 * 5 + 5) / 27))}
