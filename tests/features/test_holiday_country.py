"""Retailers by week, and the days off of the countries that are looked for."""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from contracts.errors import UsageError
from features.holiday_country import CANDIDATES, days_off, retailers_by_week


def order_lines() -> ibis.Table:
    days = ["2024-01-01", "2024-01-07", "2024-01-03", "2024-01-08", "2024-01-15"]
    return ibis.memtable(pa.table({"retailer_id": ["a", "a", "b", "b", "c"], "ordered_on": pa.array(pd.to_datetime(days), pa.date32())}))


def test_retailers_are_counted_once_a_week_and_only_up_to_the_sunday() -> None:
    counted = ibis.duckdb.connect().to_pyarrow(retailers_by_week(order_lines(), date(2024, 1, 14))).to_pydict()

    assert counted == {"week_start": [date(2024, 1, 1), date(2024, 1, 8)], "retailers": [2, 1]}


def test_a_week_that_is_not_over_is_refused() -> None:
    with pytest.raises(UsageError):
        retailers_by_week(order_lines(), date(2024, 1, 10))


def test_every_candidate_is_known_by_the_package() -> None:
    assert len(set(CANDIDATES)) == len(CANDIDATES) > 40
    # Ukraine has had no day off since 2022, under martial law
    year = [date(2018, 12, 31) + timedelta(weeks=week) for week in range(52)]
    assert all(sum(days_off(country, year)) > 0 for country in CANDIDATES)
