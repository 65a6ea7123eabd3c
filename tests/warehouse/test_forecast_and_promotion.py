"""Forecasts are judged by what could be delivered; drops in price and events by the weeks around them; segments by the month before."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.hand_made import put, read
from warehouse.session import Warehouse

MONDAY = date(2019, 9, 30)


@pytest.fixture
def forecast(con: Warehouse) -> Warehouse:
    """One Sunday's forecasts of a week: an open pair, one at its cap, one without an order, one shut, and a week that is not over."""
    put(con, "raw.order_lines", "retailer_id,sku_id,ordered_on,delivered_units\nR1,S1,2019-10-06,1")
    put(con, "raw.retailers", "retailer_id,tier\nR1,T1\nR2,T2")
    put(
        con,
        "raw.allocation_limits",
        """
        week_start, sku_id, retailer_id, tier, cap_units
        2019-09-30, S2,     ,            ,     3
        2019-09-30, S2,     ,            T1,   4
        2019-09-30, S2,     R2,          ,
        """,
    )
    put(
        con,
        "derived.cells",
        """
        retailer_id, sku_id, week_start, delivered_units, censoring
        R1,          S1,     2019-09-30, 8,               none
        R1,          S2,     2019-09-30, 4,               cap
        R2,          S3,     2019-09-30, 0,               stockout
        """,
    )
    put(
        con,
        "scored.demand_forecast",
        """
        as_of,      retailer_id, sku_id, week_start, horizon_weeks, mean_units, q10, q90
        2019-09-29, R1,          S1,     2019-09-30, 1,             10,         2,   9
        2019-09-29, R1,          S2,     2019-09-30, 1,             6,          2,   9
        2019-09-29, R2,          S2,     2019-09-30, 1,             5,          1,   9
        2019-09-29, R2,          S3,     2019-09-30, 1,             7,          1,   9
        2019-09-29, R1,          S1,     2019-10-07, 2,             10,         2,   9
        """,
    )
    return con


def test_a_forecast_meets_what_happened_with_the_cap_that_applied(forecast: Warehouse) -> None:
    outcomes = read(
        forecast,
        "SELECT retailer_id, sku_id, cap_units, deliverable_units, censoring, delivered_units"
        " FROM analysis.forecast_outcomes ORDER BY 1, 2",
    )
    assert [tuple(row.values()) for row in outcomes] == [
        ("R1", "S1", None, 10, "none", 8),
        ("R1", "S2", 4, 4, "cap", 4),
        ("R2", "S2", None, 5, "none", 0),
        ("R2", "S3", None, 7, "stockout", 0),
    ]


def test_accuracy_is_of_the_uncensored_weeks_and_of_what_could_be_delivered(forecast: Warehouse) -> None:
    (accuracy,) = read(forecast, "SELECT * FROM analysis.forecast_accuracy")
    assert (accuracy["horizon_weeks"], accuracy["pair_weeks"], accuracy["uncensored_share"]) == (1, 4, 0.5)
    assert (accuracy["wape_uncensored"], accuracy["bias_uncensored"]) == (pytest.approx(7 / 8), pytest.approx(7 / 8))
    assert accuracy["coverage_80_uncensored"] == 0.5
    assert (accuracy["wape_deliverable"], accuracy["bias_deliverable"]) == (pytest.approx(7 / 12), pytest.approx(7 / 12))


def test_a_sku_week_sums_its_retailers_and_leaves_out_those_that_could_not_order(forecast: Warehouse) -> None:
    weeks = read(forecast, "SELECT * FROM analysis.forecast_sku_week ORDER BY sku_id")
    assert [
        (row["sku_id"], row["retailers"], row["mean_units"], row["deliverable_units"], row["delivered_units"], row["censored_share"])
        for row in weeks
    ] == [
        ("S1", 1, 10, 10, 8, 0),
        ("S2", 2, 11, 9, 4, 0.5),
        ("S3", 1, 7, 0, 0, 1),
    ]


def weeks_of(units: list[float], amounts: list[float], retailer: str = "R1") -> str:
    lines = ["retailer_id,sku_id,week_start,delivered_units,amount,censoring"]
    for number, (unit, amount) in enumerate(zip(units, amounts, strict=True)):
        lines.append(f"{retailer},S1,{MONDAY + timedelta(weeks=number)},{unit},{amount},none")
    return "\n".join(lines)


def test_a_price_drop_is_measured_against_the_weeks_around_it(con: Warehouse) -> None:
    # Week 5 costs 4 instead of 5; week 7 has no order, and a second SKU shows that the wholesaler was open.
    units = [10.0, 10.0, 10.0, 10.0, 10.0, 30.0, 4.0, 10.0, 10.0]
    amounts = [unit * (4.0 if number == 5 else 5.0) for number, unit in enumerate(units)]
    put(con, "derived.cells", weeks_of(units, amounts))
    con.execute("UPDATE derived.cells SET sku_id = 'S2', amount = NULL WHERE week_start = ?", [MONDAY + timedelta(weeks=7)])
    (drop,) = read(con, "SELECT * FROM analysis.price_drop_effect")
    assert (drop["sku_id"], drop["week_start"]) == ("S1", (MONDAY + timedelta(weeks=5)).isoformat())
    assert (drop["unit_price"], drop["usual_unit_price"], drop["price_change"]) == (4, 5, pytest.approx(-0.2))
    # before 10, 10, 10, 10; after 4, 0, 10
    assert (drop["baseline_weeks"], drop["baseline_units"]) == (7, pytest.approx(54 / 7))
    assert (drop["lift"], drop["extra_units"]) == (pytest.approx(30 * 7 / 54), pytest.approx(30 - 54 / 7))
    assert (drop["after_to_before"], drop["share_at_cap"]) == (pytest.approx(14 / 3 / 10), 0)


def test_a_price_that_slips_by_less_or_too_early_is_no_drop(con: Warehouse) -> None:
    put(con, "derived.cells", weeks_of([10.0] * 6, [50, 50, 30, 50, 50, 46]))
    assert read(con, "SELECT * FROM analysis.price_drop_effect") == []


def test_an_event_is_measured_against_weeks_that_are_neither_next_to_it_nor_of_another_event(con: Warehouse) -> None:
    put(con, "raw.retailers", "retailer_id,district\nR1,North\nR2,South")
    put(con, "derived.cells", weeks_of([10.0, 10, 10, 20, 14, 40, 6, 12, 10, 10, 10], [0.0] * 11))
    put(con, "derived.cells", weeks_of([1.0] * 11, [0.0] * 11, retailer="R2"))
    events = [(5, "fair", "North"), (3, "holiday", ""), (7, "feast", "South")]
    lines = [f"{MONDAY + timedelta(weeks=week, days=2)},{name},{district}" for week, name, district in events]
    put(con, "raw.events", "\n".join(["event_date,name,district", *lines]))
    fair, feast, holiday = read(con, "SELECT * FROM analysis.event_effect ORDER BY name")
    # weeks 0 to 10 but 4 to 6 next to it and 3 of the holiday; the feast of the south does not concern the north
    assert (fair["baseline_weeks"], fair["baseline_units"]) == (7, pytest.approx((10 * 6 + 12) / 7))
    assert (fair["delivered_units"], fair["lift"]) == (40, pytest.approx(40 * 7 / 72))
    assert (fair["lift_week_before"], fair["lift_week_after"]) == (pytest.approx(14 * 7 / 72), pytest.approx(6 * 7 / 72))
    # everybody's: weeks 0, 1, 6 and 8 are left; week 8 is its last neighbour but three
    assert (holiday["delivered_units"], holiday["baseline_weeks"]) == (21, 4)
    assert holiday["baseline_units"] == pytest.approx((11 + 11 + 7 + 11) / 4)
    assert (feast["delivered_units"], feast["lift"]) == (1, 1)


def test_segments_migrate_from_the_last_standing_of_a_month_to_that_of_the_next(con: Warehouse) -> None:
    put(
        con,
        "scored.retailer_segment",
        """
        as_of,      retailer_id, stage,   tier
        2019-09-01, R1,          decline, T1
        2019-09-29, R1,          growth,  T1
        2019-09-29, R2,          growth,
        2019-09-29, R3,          growth,  T1
        2019-10-27, R1,          growth,  T2
        2019-10-27, R2,          decline,
        2019-10-27, R4,          decline, T1
        2019-12-29, R1,          decline, T1
        """,
    )
    stages = read(con, "SELECT * FROM analysis.segment_migration_month WHERE attribute = 'stage' ORDER BY from_standing, to_standing")
    assert [tuple(row.values()) for row in stages] == [
        ("2019-10-01", "stage", "", "decline", 1, 1),
        ("2019-10-01", "stage", "growth", "", 1, pytest.approx(1 / 3)),
        ("2019-10-01", "stage", "growth", "decline", 1, pytest.approx(1 / 3)),
        ("2019-10-01", "stage", "growth", "growth", 1, pytest.approx(1 / 3)),
    ]
    tiers = read(
        con, "SELECT from_standing, to_standing, retailers FROM analysis.segment_migration_month WHERE attribute = 'tier' ORDER BY 1, 2"
    )
    assert [tuple(row.values()) for row in tiers] == [("", "", 1), ("", "T1", 1), ("T1", "", 1), ("T1", "T2", 1)]
