"""Whether the weeks that judge a forecast are those that could be ordered in, with nothing later than the Sunday in them."""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pytest

from contracts.cells import CELLS
from contracts.raw import ALLOCATION_LIMITS, RETAILERS, SKUS
from contracts.scored import DEMAND_FORECAST
from contracts.tables import Table
from features.matured import matured_outcomes

AS_OF = date(2025, 6, 29)
WEEK = date(2025, 6, 23)


def made(described: Table, rows: list[dict[str, object]]) -> ir.Table:
    schema = pa.schema([field.with_nullable(True) for field in described.arrow_schema])
    return ibis.memtable(pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema=schema))


def cell(sku: str, weeks_ago: int, units: float, censoring: str = "none") -> dict[str, object]:
    return {
        "retailer_id": "R1",
        "sku_id": sku,
        "week_start": WEEK - timedelta(weeks=weeks_ago),
        "delivered_units": units,
        "lower_units": units,
        "censoring": censoring,
    }


@pytest.fixture(scope="module")
def outcomes() -> pd.DataFrame:
    forecasts = made(
        DEMAND_FORECAST,
        [
            {"as_of": AS_OF - timedelta(weeks=h), "retailer_id": "R1", "sku_id": sku, "week_start": week}
            for h in (1, 2)
            for week in (WEEK, WEEK + timedelta(weeks=1))
            for sku in ("capped", "free", "shut", "barred", "banded", "quiet")
        ],
    )
    cells = [
        *(cell("capped", ago, 10.0 + ago) for ago in range(4)),
        cell("free", 0, 5.0),
        cell("free", -1, 99.0),
        cell("shut", 0, 0.0, "stockout"),
        cell("shut", 3, 4.0),
        cell("barred", 3, 4.0),
        cell("banded", 0, 3.0),
    ]
    limits = [
        {"week_start": WEEK, "sku_id": "capped", "cap_units": 10.0},
        {"week_start": WEEK, "sku_id": "barred", "cap_units": 0.0},
        {"week_start": WEEK, "price_band": "low", "cap_units": 30.0},
        {"week_start": WEEK - timedelta(weeks=1), "sku_id": "free", "cap_units": 1.0},
    ]
    found = matured_outcomes(
        forecasts,
        made(CELLS, cells),
        made(RETAILERS, [{"retailer_id": "R1", "tier": "T1"}]),
        made(SKUS, [{"sku_id": "banded", "price_band": "low"}]),
        made(ALLOCATION_LIMITS, limits),
        AS_OF,
        (1, 2),
    )
    rows: pd.DataFrame = ibis.duckdb.connect().to_pyarrow(found).to_pandas()
    return rows.set_index("sku_id").sort_index()


def test_weeks_closed_to_a_pair_judge_nobody(outcomes: pd.DataFrame) -> None:
    assert outcomes.index.tolist() == ["banded", "capped", "free", "quiet"]


def test_only_the_limits_of_the_week_count(outcomes: pd.DataFrame) -> None:
    assert outcomes.cap_units.dropna().to_dict() == {"capped": 10.0}
    assert outcomes.index[outcomes["shared_or_floored"]].tolist() == ["banded"]


def test_what_came_is_that_of_the_week_and_nothing_where_nothing_was_ordered(outcomes: pd.DataFrame) -> None:
    assert outcomes.delivered_units.to_dict() == {"banded": 3.0, "capped": 10.0, "free": 5.0, "quiet": 0.0}


def test_simple_forecasts_know_what_was_known_at_their_sunday(outcomes: pd.DataFrame) -> None:
    capped = outcomes.loc["capped"]
    assert (capped["naive_1"], capped["naive_2"]) == (11.0, 12.0)
    assert capped.recent_1 == pytest.approx((11 + 12 + 13) / 13)
    assert capped.recent_2 == pytest.approx((12 + 13) / 13)
    assert outcomes.naive_1["free"] + outcomes.recent_1["free"] == 0.0


def test_register_facts_are_blank_where_there_are_none(outcomes: pd.DataFrame) -> None:
    assert set(outcomes.tier) == {"T1"}
    assert set(outcomes.district) == {""}
