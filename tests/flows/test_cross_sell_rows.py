"""Suggestions are read from a warehouse and come as rows of the contract; nothing after the Sunday changes them."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pyarrow as pa
import pytest

from contracts.customers import CROSS_SELL
from flows.cross_sell_rows import cross_sell_rows
from flows.opening import open_warehouse
from flows.settings import Settings
from tests.hand_made import put

AS_OF = date(2019, 9, 29)
# S3 is what R1 lacks; S4 has run out, S5 was delisted, and S6 is shut to R1 by a cap of its own.
SHOPS, RANGE = ("R1", "R2", "R3"), ("S1", "S2", "S3", "S4", "S5", "S6")
LACKED = {("R1", sku) for sku in RANGE[2:]}
FORECASTS = pd.DataFrame({"retailer_id": ["R1", "R2", "R3"], "sku_id": ["S1", "S3", "S3"], "mean_units": [4.0, 6.0, 2.0]})


@pytest.fixture
def market(settings: Settings) -> Settings:
    cells = [f"{shop},{sku},2019-09-23,26,none" for shop in SHOPS for sku in RANGE if (shop, sku) not in LACKED]
    with open_warehouse(settings) as con:
        put(con, "derived.cells", "\n".join(["retailer_id,sku_id,week_start,delivered_units,censoring", *cells]))
        put(con, "raw.skus", "sku_id,delisted_on\nS1,\nS5,2019-09-01")
        put(con, "raw.retailers", "retailer_id\nR1\nR2\nR3")
        put(con, "raw.supply", "week_start,sku_id,available_units\n2019-09-23,S4,0")
        put(con, "raw.allocation_limits", "week_start,sku_id,retailer_id,cap_units\n2019-09-23,S6,R1,0")
    return settings


def suggested(settings: Settings) -> pa.Table:
    with open_warehouse(settings) as con:
        return cross_sell_rows(con, settings, AS_OF, FORECASTS, "run")


def test_a_retailer_is_offered_what_its_peers_sell_and_it_may_have(market: Settings) -> None:
    rows = suggested(market)
    assert rows.schema.equals(CROSS_SELL.arrow_schema)
    (row,) = rows.to_pylist()
    assert (row["as_of"], row["retailer_id"], row["sku_id"], row["rank"], row["peers"], row["run_id"]) == (AS_OF, "R1", "S3", 1, 2, "run")
    assert (row["because_sku_id"], row["support"], row["confidence"]) == (None, 1.0, 1.0)
    # the peers are forecast 8 units of S3 a week of 8 + 10 of everything, and R1 5 of what it carries
    assert row["expected_weekly_units"] == pytest.approx(5 * 8 / 18)


def test_weeks_after_the_sunday_change_nothing(market: Settings) -> None:
    before = suggested(market)
    with open_warehouse(market) as con:
        put(
            con,
            "derived.cells",
            "retailer_id,sku_id,week_start,delivered_units,censoring\nR1,S3,2019-09-30,9,none\nR4,S9,2019-10-07,9,none",
        )
        put(con, "raw.supply", "week_start,sku_id,available_units\n2019-09-30,S4,7\n2019-09-30,S3,0")
        put(con, "raw.allocation_limits", "week_start,sku_id,retailer_id,cap_units\n2019-09-30,S3,R1,0")
    assert suggested(market).equals(before)


def test_an_empty_warehouse_gives_no_rows(settings: Settings) -> None:
    rows = suggested(settings)
    assert rows.num_rows == 0
    assert rows.schema.equals(CROSS_SELL.arrow_schema)
