"""The views of customer analytics give what can be worked out by hand on a few rows."""

from __future__ import annotations

import pytest

from tests.hand_made import put, read
from warehouse.session import Warehouse

# The newest day is Sunday 2019-12-29: 52 weeks before end with 2018-12-30, 26 weeks with 2019-06-30.
ORDERS = """
retailer_id, sku_id, ordered_on, delivered_units, amount
R1,          S1,     2018-12-01, 100,             500
R1,          S1,     2019-12-02, 10,              50
R1,          S2,     2019-12-02, 4,
R1,          S1,     2019-12-16, 6,               30
R1,          S3,     2019-12-29, 10,              10
R2,          S1,     2019-01-10, 20,              120
R2,          S2,     2019-03-11, 5,               100
"""
SKUS = """
sku_id, brand, category, unit_cost, unit_price
S1,     red,   wine,     4,         5
S2,     blue,  wine,     15,        20
S3,     blue,  beer,     ,          1
"""
RETAILERS = """
retailer_id, name,  district, channel, opened_on,  closed_on
R1,          One,   North,    shop,    2018-01-01,
R2,          Two,   North,    bar,     ,           2019-06-30
R3,          Three, South,    shop,    2020-01-01,
"""


@pytest.fixture
def shops(con: Warehouse) -> Warehouse:
    """Three shops, one of which never ordered, and three SKUs, of one of which the cost is unknown."""
    for name, rows in (("order_lines", ORDERS), ("skus", SKUS), ("retailers", RETAILERS)):
        put(con, f"raw.{name}", rows)
    return con


def test_a_line_without_an_amount_is_worth_its_list_price_and_one_without_a_cost_has_no_margin(shops: Warehouse) -> None:
    lines = read(
        shops, "SELECT money, cost, margin, week_start, month_start FROM analysis.priced_lines WHERE sku_id <> 'S1' ORDER BY line_id"
    )
    assert lines == [
        {"money": 80, "cost": 60, "margin": 20, "week_start": "2019-12-02", "month_start": "2019-12-01"},
        {"money": 10, "cost": None, "margin": None, "week_start": "2019-12-23", "month_start": "2019-12-01"},
        {"money": 100, "cost": 75, "margin": 25, "week_start": "2019-03-11", "month_start": "2019-03-01"},
    ]


def test_a_profile_has_the_last_year_of_every_retailer_of_the_register_or_the_orders(shops: Warehouse) -> None:
    one, two, three = read(shops, "SELECT * FROM analysis.retailer_profile ORDER BY retailer_id")
    assert (one["first_order_on"], one["last_order_on"], one["days_since_order"]) == ("2018-12-01", "2019-12-29", 0)
    assert (one["orders_52w"], one["skus_52w"], one["brands_52w"], one["categories_52w"]) == (3, 3, 2, 2)
    assert (one["units_52w"], one["units_per_order_52w"], one["money_52w"]) == (30, 10, 170)
    # 16 of S1 earn 80 − 64, 4 of S2 earn 80 − 60: 36 of the 160 whose cost is known, so 38.25 of 170
    assert one["margin_52w"] == pytest.approx(38.25)
    assert (one["top_sku_id"], one["top_sku_share"]) == ("S1", pytest.approx(16 / 30))
    assert (two["days_since_order"], two["orders_52w"], two["units_52w"]) == (293, 2, 25)
    assert (three["name"], three["orders_52w"], three["units_52w"], three["money_52w"], three["days_since_order"]) == (
        "Three",
        0,
        0,
        None,
        None,
    )


def test_a_profile_knows_the_newest_segment_and_risk(shops: Warehouse) -> None:
    put(shops, "scored.retailer_segment", "as_of,retailer_id,stage,value_class\n2019-11-24,R1,growth,small\n2019-12-29,R1,decline,key")
    put(shops, "scored.churn_score", "as_of,retailer_id,p_churn_13w,risk_band\n2019-12-29,R1,0.25,high")
    shown = read(
        shops,
        "SELECT stage, value_class, p_churn_13w, risk_band FROM analysis.retailer_profile WHERE retailer_id <= 'R2' ORDER BY retailer_id",
    )
    assert [tuple(row.values()) for row in shown] == [("decline", "key", 0.25, "high"), (None, None, None, None)]


def test_groups_add_up_to_everybody_in_each_grouping(shops: Warehouse) -> None:
    groups = read(shops, "SELECT * FROM analysis.group_profile WHERE grouping_name = 'channel' ORDER BY group_name")
    bar, shop = groups
    assert (bar["group_name"], bar["retailers"], bar["active_retailers"], bar["units_52w"]) == ("bar", 1, 0, 25)
    assert (bar["orders_per_active_retailer"], bar["units_per_active_retailer"]) == (None, None)
    assert (shop["retailers"], shop["active_retailers"], shop["share_of_retailers"]) == (2, 1, pytest.approx(2 / 3))
    assert (shop["share_of_units"], shop["share_of_money"]) == (pytest.approx(30 / 55), pytest.approx(170 / 390))
    shares = read(shops, "SELECT grouping_name, sum(share_of_retailers) AS share FROM analysis.group_profile GROUP BY 1 ORDER BY 1")
    assert [row["grouping_name"] for row in shares] == ["area", "channel", "district", "stage", "tier", "value_class"]
    assert [row["share"] for row in shares] == pytest.approx([1.0] * 6)


def test_loyalty_is_rhythm_tenure_and_the_range_that_was_kept(shops: Warehouse) -> None:
    put(shops, "raw.order_lines", "line_id,retailer_id,sku_id,ordered_on,delivered_units\nA,R1,S1,2019-03-01,1\nB,R1,S4,2019-03-01,1")
    one, two = read(shops, "SELECT * FROM analysis.retailer_loyalty ORDER BY retailer_id")
    # days of the last year: 2019-03-01, 12-02, 12-16, 12-29; gaps 90 (from 2018-12-01), 276, 14, 13
    assert (one["tenure_weeks"], one["order_weeks_52w"], one["order_week_share"]) == (57, 4, pytest.approx(4 / 52))
    assert one["gap_days_52w"] == pytest.approx((90 + 276 + 14 + 13) / 4)
    assert one["gap_variation_52w"] == pytest.approx(123.8665 / 98.25, rel=1e-4)
    assert (one["silence_in_gaps"], one["skus_26w"], one["skus_26w_before"], one["breadth_kept"]) == (0, 3, 2, 0.5)
    # 2019-01-10 and 2019-03-11 are 60 days apart, the last 293 days ago
    assert (two["gap_days_52w"], two["gap_variation_52w"], two["silence_in_gaps"]) == (60, None, pytest.approx(293 / 60))
    assert (two["tenure_weeks"], two["breadth_kept"], two["skus_26w"]) == (51, 0, 0)


def test_a_cohort_keeps_who_orders_in_a_quarter_and_who_still_orders_later(con: Warehouse) -> None:
    put(
        con,
        "raw.order_lines",
        """
        retailer_id, sku_id, ordered_on, delivered_units
        R1,          S1,     2018-11-05, 1
        R2,          S1,     2018-12-05, 1
        R1,          S1,     2019-01-05, 1
        R3,          S1,     2019-02-05, 1
        R2,          S1,     2019-05-05, 1
        """,
    )
    cohorts = read(con, "SELECT * FROM analysis.loyalty_cohorts ORDER BY cohort_quarter, quarter_start")
    assert [tuple(row.values()) for row in cohorts] == [
        ("2018-10-01", "2018-10-01", 0, 2, 2, 1.0, 1.0),
        ("2018-10-01", "2019-01-01", 1, 2, 1, 0.5, 1.0),
        ("2018-10-01", "2019-04-01", 2, 2, 1, 0.5, 0.5),
        ("2019-01-01", "2019-01-01", 0, 1, 1, 1.0, 1.0),
        ("2019-01-01", "2019-04-01", 1, 1, 0, 0.0, 0.0),
    ]


def test_profit_of_a_month_says_how_much_of_it_is_known(shops: Warehouse) -> None:
    december, earlier = read(shops, "SELECT * FROM analysis.retailer_profit_month WHERE retailer_id = 'R1' ORDER BY month_start DESC")
    assert (december["orders"], december["units"], december["money"], december["margin_known"]) == (3, 30, 170, 36)
    assert (december["margin_estimated"], december["margin_rate"]) == (pytest.approx(38.25), pytest.approx(36 / 160))
    assert (december["cost_known_share"], december["money_per_order"]) == (pytest.approx(160 / 170), pytest.approx(170 / 3))
    assert (earlier["month_start"], earlier["margin_known"], earlier["margin_estimated"]) == ("2018-12-01", 100, 100)


def test_profit_of_a_sku_without_a_cost_is_unknown(shops: Warehouse) -> None:
    skus = read(
        shops,
        "SELECT sku_id, margin, money_per_unit, margin_rate FROM analysis.sku_profit_month WHERE month_start = '2019-12-01' ORDER BY 1",
    )
    assert [tuple(row.values()) for row in skus] == [("S1", 16, 5, pytest.approx(0.2)), ("S2", 20, 20, 0.25), ("S3", None, 1, None)]


def test_concentration_runs_up_to_all_of_the_margin(shops: Warehouse) -> None:
    first, second = read(shops, "SELECT * FROM analysis.profit_concentration ORDER BY place")
    # R2: 120 − 80 + 100 − 75
    assert (first["retailer_id"], first["margin_52w"], first["retailers_so_far_share"]) == ("R2", 65, 0.5)
    assert first["margin_share"] == first["margin_so_far_share"] == pytest.approx(65 / 103.25)
    assert (second["retailer_id"], second["margin_so_far_share"]) == ("R1", pytest.approx(1))


def test_a_channel_is_compared_with_the_others_and_with_the_year_before(shops: Warehouse) -> None:
    months = read(shops, "SELECT * FROM analysis.channel_month ORDER BY month_start, channel")
    assert [(row["month_start"], row["channel"]) for row in months] == [
        ("2018-12-01", "shop"),
        ("2019-01-01", "bar"),
        ("2019-03-01", "bar"),
        ("2019-12-01", "shop"),
    ]
    december = months[-1]
    # R3 opens in January 2020
    assert (december["licensed_retailers"], december["ordering_retailers"], december["orders"], december["skus"]) == (1, 1, 3, 3)
    assert (december["units"], december["share_of_units"], december["share_of_money"]) == (30, 1, 1)
    assert (december["units_year_before"], december["units_growth"]) == (100, pytest.approx(-0.7))
    assert (months[1]["units_year_before"], months[1]["units_growth"]) == (None, None)


def test_a_brand_is_compared_with_the_month_before_and_the_year_before(shops: Warehouse) -> None:
    put(shops, "raw.order_lines", "line_id,retailer_id,sku_id,ordered_on,delivered_units,amount\nA,R1,S1,2019-11-30,8,40")
    red = read(shops, "SELECT * FROM analysis.brand_month WHERE retailer_id = 'R1' AND brand = 'red' ORDER BY month_start")
    assert [(row["month_start"], row["units"], row["units_before"], row["units_year_before"]) for row in red] == [
        ("2018-12-01", 100, 0, 0),
        ("2019-11-01", 8, 0, 0),
        ("2019-12-01", 16, 8, 100),
    ]
    december = red[-1]
    assert (december["orders"], december["skus"], december["money"], december["margin"]) == (2, 1, 80, 16)
    assert (december["share_of_units"], december["units_per_order"]) == (pytest.approx(16 / 30), 8)
    assert (december["growth_on_before"], december["growth_on_year_before"]) == (1, pytest.approx(-0.84))
    quarter = read(shops, "SELECT * FROM analysis.brand_quarter WHERE retailer_id = 'R1' AND brand = 'red' ORDER BY quarter_start")[-1]
    assert (quarter["quarter_start"], quarter["units"], quarter["units_before"], quarter["units_year_before"]) == ("2019-10-01", 24, 0, 100)
