"""The market indicators give what can be worked out by hand, and the caps allocated to retailers what counting each of them gives."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hand_made import put, read
from warehouse.session import Warehouse

# Weeks of Monday 2019-09-02 and 2019-09-09; R1 and R2 of the north, R3 of the south, R4 not yet open.
RETAILERS = """
retailer_id, district, tier, opened_on
R1,          North,    T1,
R2,          North,    T2,
R3,          South,    T1,
R4,          South,    T1,   2019-10-01
"""
LINES = """
retailer_id, sku_id, ordered_on, delivered_units, requested_units
R1,          S1,     2019-09-02, 4,               10
R1,          S1,     2019-09-05, 2,
R2,          S1,     2019-09-03, 3,               3
R2,          S2,     2019-09-03, 5,
R1,          S1,     2019-09-10, 6,               8
R3,          S2,     2019-09-11, 7,
"""
CELLS = """
retailer_id, sku_id, week_start, delivered_units, cap_units, censoring
R1,          S1,     2019-09-02, 6,               6,         cap
R2,          S1,     2019-09-02, 3,               5,         none
R2,          S2,     2019-09-02, 5,               ,          floor
R3,          S2,     2019-09-02, 0,               ,          stockout
R1,          S1,     2019-09-09, 6,               6,         cap
R3,          S2,     2019-09-09, 7,               ,          none
"""
# The second week waits for its estimate.
ESTIMATES = """
retailer_id, sku_id, week_start, delivered_units, true_units, censoring
R1,          S1,     2019-09-02, 6,               9,          cap
R2,          S2,     2019-09-02, 5,               4,          floor
"""
LIMITS = """
week_start, sku_id, tier, retailer_id, cap_units
2019-09-02, S1,     T1,   ,            6
2019-09-02, S1,     ,     ,            5
2019-09-02, S1,     ,     R3,
"""
SHELVES = """
retailer_id, sku_id, week_start, sold_units, stock_units
R1,          S1,     2019-09-02, 4,          6
R1,          S1,     2019-09-09, 2,          3
R2,          S1,     2019-09-09, 9,
"""


@pytest.fixture
def market(con: Warehouse) -> Warehouse:
    tables = {"retailers": RETAILERS, "order_lines": LINES, "allocation_limits": LIMITS, "sell_through": SHELVES}
    for name, rows in tables.items():
        put(con, f"raw.{name}", rows)
    put(con, "derived.cells", CELLS)
    put(con, "scored.true_demand", ESTIMATES)
    return con


def test_orders_are_filled_against_what_was_asked_for_and_against_what_was_wanted(market: Warehouse) -> None:
    first, second = read(market, "SELECT * FROM analysis.market_week ORDER BY week_start")
    # of the lines that say what was asked for: 4 + 3 of 10 + 3
    assert first["fulfilment_of_requested"] == pytest.approx(7 / 13)
    # wanted 9 + 3 + 4; the floor made R2 take 5 where it wanted 4
    assert first["fulfilment_of_true_demand"] == pytest.approx((6 + 3 + 4) / 16)
    assert (first["demand_gap_units"], first["unmet_units"]) == (16 - 14, 3)
    assert second["fulfilment_of_requested"] == pytest.approx(6 / 8)
    assert (second["fulfilment_of_true_demand"], second["demand_gap_units"], second["unmet_units"]) == (None, None, None)


def test_caps_are_reached_and_used_up_in_two_senses_each(market: Warehouse) -> None:
    first, second = read(market, "SELECT * FROM analysis.market_week ORDER BY week_start")
    assert (first["orders"], first["units"]) == (3, 14)
    assert (first["share_at_cap_of_orders"], first["share_at_cap_of_limited_orders"]) == (pytest.approx(1 / 3), 0.5)
    assert first["cap_utilisation_of_ordering"] == pytest.approx(9 / 11)
    # R1 may take 6 and R2 5; the row of R3 lifts its cap, and R4 has no licence yet
    assert first["cap_utilisation_of_allocated"] == pytest.approx(9 / 11)
    assert second["cap_utilisation_of_allocated"] is None


def test_who_orders_is_counted_against_licences_and_against_the_active(market: Warehouse) -> None:
    first, second = read(market, "SELECT * FROM analysis.market_week ORDER BY week_start")
    assert (first["ordering_retailers"], first["licensed_retailers"], first["active_retailers"]) == (2, 3, 2)
    assert (first["ordering_share_of_licensed"], first["ordering_share_of_active"]) == (pytest.approx(2 / 3), 1)
    assert (second["ordering_retailers"], second["active_retailers"]) == (2, 3)


def test_reorders_are_those_of_the_next_period_and_those_within_one(market: Warehouse) -> None:
    first, second = read(market, "SELECT * FROM analysis.market_week ORDER BY week_start")
    assert (first["reorder_rate_next_period"], first["reorder_rate_within_period"]) == (None, 0.5)
    assert (second["reorder_rate_next_period"], second["reorder_rate_within_period"]) == (0.5, 0)
    (month,) = read(market, "SELECT * FROM analysis.market_month")
    assert (month["month_start"], month["ordering_retailers"], month["reorder_rate_within_period"]) == (
        "2019-09-01",
        3,
        pytest.approx(1 / 3),
    )


def test_stock_is_set_against_sales_where_it_was_counted(market: Warehouse) -> None:
    (month,) = read(market, "SELECT stock_to_sales_at_end, stock_to_sales_mean FROM analysis.market_month")
    assert (month["stock_to_sales_at_end"], month["stock_to_sales_mean"]) == (pytest.approx(3 / 6), pytest.approx(9 / 6))
    (north,) = read(market, "SELECT stock_to_sales_at_end FROM analysis.market_district_month WHERE district = 'North'")
    assert north["stock_to_sales_at_end"] == pytest.approx(3 / 6)


def test_a_sku_is_counted_for_itself_and_shares_the_denominators_of_the_market(market: Warehouse) -> None:
    (sku,) = read(market, "SELECT * FROM analysis.market_sku_week WHERE sku_id = 'S1' AND week_start = DATE '2019-09-09'")
    assert (sku["units"], sku["ordering_retailers"], sku["licensed_retailers"], sku["active_retailers"]) == (6, 1, 3, 3)
    assert (sku["reorder_rate_next_period"], sku["stock_to_sales_at_end"]) == (0.5, pytest.approx(3 / 2))


def test_a_district_has_its_own_retailers_and_caps(market: Warehouse) -> None:
    query = "SELECT * FROM analysis.market_district_week WHERE week_start = DATE '2019-09-02' ORDER BY district"
    north, south = read(market, query)
    assert (north["licensed_retailers"], north["active_retailers"], north["ordering_retailers"]) == (2, 2, 2)
    assert north["cap_utilisation_of_allocated"] == pytest.approx(9 / 11)
    assert (south["orders"], south["ordering_retailers"], south["licensed_retailers"], south["fulfilment_of_requested"]) == (
        0,
        None,
        1,
        None,
    )


@pytest.mark.parametrize("item", ["market_sku", "market_district"])
def test_units_orders_and_gaps_add_up_to_the_market(market: Warehouse, item: str) -> None:
    sums = "sum(units) AS units, sum(orders) AS orders, sum(demand_gap_units) AS gap, sum(unmet_units) AS unmet"
    assert read(market, f"SELECT {sums} FROM analysis.{item}_week") == read(market, f"SELECT {sums} FROM analysis.market_week")


MONDAY = date(2019, 9, 2)
TIERS, DISTRICTS = (None, "T1", "T2"), (None, "North", "South")
RETAILER = st.tuples(
    st.sampled_from(TIERS), st.sampled_from(DISTRICTS), st.sampled_from([None, -7, 0, 6, 7]), st.sampled_from([None, -1, 0, 9])
)
SCOPES = [(None, None), (None, "T1"), (None, "T2"), ("R0", None), ("R1", None)]


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    retailers=st.lists(RETAILER, min_size=0, max_size=5),
    limits=st.dictionaries(st.sampled_from(SCOPES), st.sampled_from([None, 2.0, 5.0])),
)
def test_allocated_caps_are_those_of_each_licensed_retailer_summed(
    con: Warehouse,
    retailers: list[tuple[str | None, str | None, int | None, int | None]],
    limits: dict[tuple[str | None, str | None], float | None],
) -> None:
    con.execute("DELETE FROM raw.retailers; DELETE FROM raw.allocation_limits")
    for number, (tier, district, opened, closed) in enumerate(retailers):
        days = [None if days is None else MONDAY + timedelta(days=days) for days in (opened, closed)]
        con.execute(
            "INSERT INTO raw.retailers (retailer_id, tier, district, opened_on, closed_on) VALUES (?, ?, ?, ?, ?)",
            [f"R{number}", tier, district, *days],
        )
    for (retailer, tier), cap in limits.items():
        con.execute(
            "INSERT INTO raw.allocation_limits (week_start, sku_id, retailer_id, tier, cap_units) VALUES (?, 'S1', ?, ?, ?)",
            [MONDAY, retailer, tier, cap],
        )
    expected: dict[str, float] = {}
    for number, (tier, district, opened, closed) in enumerate(retailers):
        licensed = (opened is None or opened <= 6) and (closed is None or closed >= 0)
        scopes = [(f"R{number}", None), *([(None, tier)] if tier else []), (None, None)]
        cap = next((limits[scope] for scope in scopes if scope in limits), None)
        if licensed and cap is not None:
            expected[district or ""] = expected.get(district or "", 0.0) + cap
    found = read(con, "SELECT district, allocated_units FROM analysis.allocated_caps WHERE allocated_units > 0")
    assert {row["district"]: row["allocated_units"] for row in found} == expected


def test_a_share_is_between_none_and_all_where_caps_hold(market: Warehouse) -> None:
    shares = ("share_at_cap_of_orders", "share_at_cap_of_limited_orders", "ordering_share_of_active", "reorder_rate_next_period")
    for view, share in product(("market_week", "market_sku_week", "market_district_week"), shares):
        found = read(market, f"SELECT {share} AS share FROM analysis.{view} WHERE {share} IS NOT NULL")
        assert found
        assert all(0 <= row["share"] <= 1 for row in found)
