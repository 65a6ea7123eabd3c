"""Whose holidays the orders keep is told where they do, and nobody's where they do not."""

from __future__ import annotations

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.holiday_country import CANDIDATES, EVIDENT_T, days_off, holidays_kept, retailers_by_week

MONDAYS = pd.date_range("2017-01-02", periods=150, freq="7D")
DAYS = tuple(day.date() for day in MONDAYS)


def market(country: str | None, seed: int, dip: float = 0.12, noise: float = 0.05, weeks: int = 150) -> pd.DataFrame:
    """Retailers of each week: some stay away for each holiday of a country, their number grows, and every week is a little off."""
    random = np.random.default_rng(seed)
    usual = 1000 * np.exp(0.001 * np.arange(150) + noise * random.standard_normal(150))
    off = days_off(country, DAYS) if country else 0.0
    return pd.DataFrame({"week_start": MONDAYS, "retailers": np.round(usual * (1 - dip) ** off)}).iloc[:weeks]


@pytest.mark.parametrize("country", ["US", "DE", "CN", "JP", "BR"])
def test_the_country_is_found_by_its_days_off(country: str) -> None:
    kept = holidays_kept(market(country, seed=1))

    assert kept is not None
    assert kept.country == country
    assert kept.dip == pytest.approx(0.12, abs=0.04)
    assert kept.t <= -EVIDENT_T


def test_nobodys_holidays_are_found_where_retailers_order_in_every_week() -> None:
    assert [holidays_kept(market(None, seed)) for seed in range(40)] == [None] * 40


def test_a_dip_that_moves_nothing_is_not_taken_however_sure_it_is() -> None:
    assert holidays_kept(market("US", seed=1, dip=0.01, noise=0.001)) is None


def test_less_than_a_year_tells_nothing() -> None:
    assert holidays_kept(market("US", seed=1, weeks=50)) is None


def test_weeks_in_which_nobody_ordered_are_weeks_off() -> None:
    weeks = market("US", seed=1)
    closed = weeks[~((weeks.week_start.dt.month == 11) & (weeks.week_start.dt.day.between(19, 25)))]
    assert len(closed) < len(weeks)

    kept = holidays_kept(closed)

    assert kept is not None
    assert kept.country == "US"


def test_every_candidate_is_known_by_the_package() -> None:
    assert len(set(CANDIDATES)) == len(CANDIDATES) > 40
    assert all(days_off(country, DAYS).sum() > 0 for country in CANDIDATES)


def test_retailers_are_counted_once_a_week_and_only_up_to_the_sunday() -> None:
    days = ["2024-01-01", "2024-01-07", "2024-01-03", "2024-01-08", "2024-01-15"]
    lines = pa.table({"retailer_id": ["a", "a", "b", "b", "c"], "ordered_on": pa.array(pd.to_datetime(days), pa.date32())})
    weeks = retailers_by_week(ibis.memtable(lines), date(2024, 1, 14)).order_by("week_start")
    counted = ibis.duckdb.connect().to_pyarrow(weeks).to_pydict()

    assert counted == {"week_start": [date(2024, 1, 1), date(2024, 1, 8)], "retailers": [2, 1]}
