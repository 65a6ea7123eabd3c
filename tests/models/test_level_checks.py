"""Levels of the newest week: sizes, prices, silence, lines above requests and caps."""

from __future__ import annotations

from math import log

import pandas as pd
import pytest

from models.level_checks import above_cap, above_requested, line_sizes, price_level, silent_districts, silent_skus


def weeks(*, units: float = 4.0, price: float = 10.0, now: int = 40, sku: str = "S1") -> pd.DataFrame:
    """Fourteen weeks of 40 lines of 4 units at a price of 10, the newest as told."""
    counts, sizes, prices = [now, *[40] * 13], [units, *[4.0] * 13], [price, *[10.0] * 13]
    rows = zip(range(14), counts, sizes, prices, strict=True)
    listed = [(sku, ago, n, n, n * log(size), n, n * log(cost)) for ago, n, size, cost in rows if n]
    return pd.DataFrame(listed, columns=["sku_id", "weeks_ago", "lines", "sized", "log_units", "priced", "log_price"])


@pytest.mark.parametrize(("units", "severity"), [(4.0, "ok"), (5.0, "ok"), (8.0, "warning"), (40.0, "error"), (1.0, "error")])
def test_the_size_of_lines_is_judged_by_how_far_all_skus_moved(units: float, severity: str) -> None:
    found = line_sizes(weeks(units=units))
    assert found.severity == severity
    assert found.observed == pytest.approx(units / 4.0)


def test_another_mix_of_skus_moves_no_level() -> None:
    large = weeks(now=400, sku="S2").assign(log_units=lambda rows: rows.sized * log(400.0))
    assert line_sizes(pd.concat([weeks(now=5), large])).severity == "ok"


def test_a_new_currency_is_an_error_and_a_slip_of_one_line_a_warning() -> None:
    assert price_level(weeks(price=1000.0), 0, 40, None).severity == "error"
    slip = price_level(weeks(), 1, 40, "L7")
    assert slip.severity == "warning"
    assert "first line_id=L7" in slip.message
    assert price_level(weeks(), 40, 400, "L7").severity == "error"
    assert price_level(weeks(), 0, 40, None).severity == "ok"


def test_a_lost_part_of_the_range_is_an_error_unless_nobody_could_order_it() -> None:
    skus = pd.concat([weeks(now=0, sku="S1"), weeks(now=0, sku="S2"), weeks(sku="S3")])
    found = silent_skus(skus, frozenset())
    assert (found.severity, found.rows) == ("error", 2)
    assert found.observed == pytest.approx(2 / 3)
    assert "S1 (40 lines a week)" in found.message
    assert silent_skus(skus, frozenset({"S1", "S2"})).severity == "ok"


def test_one_sku_of_many_that_leaves_the_range_is_worth_knowing() -> None:
    skus = pd.concat([weeks(now=0, sku="S0"), *(weeks(sku=f"S{number}") for number in range(1, 100))])
    assert silent_skus(skus, frozenset()).severity == "info"


def test_a_district_that_falls_silent_is_an_error() -> None:
    districts = pd.DataFrame(
        {"district": ["East"] * 9 + ["West"] * 8, "weeks_ago": [*range(9), *range(1, 9)], "lines": [50] * 17},
    )
    found = silent_districts(districts)
    assert (found.severity, found.rows) == ("error", 1)
    assert "West (50 lines a week)" in found.message
    assert silent_districts(districts[districts.district == "East"]).severity == "ok"
    assert silent_districts(districts[:0]).severity == "ok"


def test_lines_above_the_request_alarm_where_they_are_many_and_were_few() -> None:
    usual = pd.DataFrame({"weeks_ago": range(6), "asked": [100] * 6, "above": [60, *[5] * 5]})
    assert above_requested(usual).severity == "error"
    assert above_requested(usual.assign(above=[30, *[5] * 5])).severity == "warning"
    assert above_requested(usual.assign(above=[60] * 6)).severity == "ok"
    assert above_requested(usual[:0]).severity == "ok"


def test_orders_above_their_cap_alarm_likewise() -> None:
    monday = pd.Timestamp("2024-09-23")
    mondays = [monday - pd.Timedelta(weeks=ago) for ago in range(5)]
    capped = pd.DataFrame({"week_start": mondays, "capped": [100] * 5, "above": [70, 1, 0, 2, 0]})
    assert above_cap(capped, monday).severity == "error"
    assert above_cap(capped.assign(above=0), monday).severity == "ok"
