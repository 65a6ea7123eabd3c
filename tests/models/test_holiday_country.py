"""Whose holidays the orders keep is told where they do, and nobody's where they do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.holiday_country import CANDIDATES, days_off
from models.holiday_country import EVIDENT_T, HolidaysKept, holidays_kept, weekly_counts

MONDAYS = pd.date_range("2017-01-02", periods=150, freq="7D")
DAYS = tuple(day.date() for day in MONDAYS)


def market(country: str | None, seed: int, dip: float = 0.12, noise: float = 0.05, weeks: int = 150) -> pd.DataFrame:
    """Retailers of each week: some stay away for each holiday of a country, their number grows, and every week is a little off."""
    random = np.random.default_rng(seed)
    usual = 1000 * np.exp(0.001 * np.arange(150) + noise * random.standard_normal(150))
    off = np.array(days_off(country, DAYS)) if country else 0.0
    return pd.DataFrame({"week_start": MONDAYS, "retailers": np.round(usual * (1 - dip) ** off)}).iloc[:weeks]


def kept_by(weeks: pd.DataFrame) -> HolidaysKept | None:
    counted = weekly_counts(weeks)
    mondays = [day.date() for day in pd.DatetimeIndex(counted.index)]
    return holidays_kept(counted, {country: days_off(country, mondays) for country in CANDIDATES})


@pytest.mark.parametrize("country", ["US", "DE", "CN", "JP", "BR"])
def test_the_country_is_found_by_its_days_off(country: str) -> None:
    kept = kept_by(market(country, seed=1))

    assert kept is not None
    assert kept.country == country
    assert kept.dip == pytest.approx(0.12, abs=0.04)
    assert kept.t <= -EVIDENT_T


def test_nobodys_holidays_are_found_where_retailers_order_in_every_week() -> None:
    assert [kept_by(market(None, seed)) for seed in range(40)] == [None] * 40


@pytest.mark.parametrize("noise", [0.005, 0.02, 0.05])
def test_a_week_in_which_hardly_anything_was_delivered_is_nobodys_holiday(noise: float) -> None:
    for week in range(2, 148, 3):
        weeks = market(None, seed=week, noise=noise)
        outage = weeks.retailers.where(weeks.index != week, 0.4 * weeks.retailers)
        assert kept_by(weeks.assign(retailers=outage)) is None, MONDAYS[week]


def test_a_dip_that_moves_nothing_is_not_taken_however_sure_it_is() -> None:
    assert kept_by(market("US", seed=1, dip=0.01, noise=0.001)) is None


@pytest.mark.parametrize("weeks", [2, 51])
def test_less_than_a_year_tells_nothing(weeks: int) -> None:
    assert kept_by(market("US", seed=1, weeks=weeks)) is None


def test_weeks_in_which_nobody_ordered_are_weeks_off() -> None:
    weeks = market("US", seed=1)
    closed = weeks[~((weeks.week_start.dt.month == 11) & (weeks.week_start.dt.day.between(19, 25)))]
    assert len(closed) < len(weeks)

    kept = kept_by(closed)

    assert kept is not None
    assert kept.country == "US"


def test_the_first_week_may_be_of_a_few_days_and_does_not_count() -> None:
    weeks = pd.DataFrame({"week_start": MONDAYS[[2, 0, 4]], "retailers": [5, 1, 7]})

    assert weekly_counts(weeks).tolist() == [5.0, 0.0, 7.0]
    assert weekly_counts(weeks.iloc[:0]).empty
