"""A reclassification in a small warehouse: what is written, what is compared with, and what people overrode."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pandas as pd
import pyarrow as pa
import pytest

from contracts.customers import RETAILER_SEGMENT
from contracts.raw import SEGMENT_OVERRIDES
from contracts.weeks import last_sunday
from flows.deriving import build_cells
from flows.opening import open_warehouse
from flows.segment_rows import previous_segments, reclassification_due, segment_rows
from flows.settings import Settings, read_settings
from tests.small_market import LAST_SUNDAY, write_market
from warehouse.load import load_folder
from warehouse.publish import publish
from warehouse.session import Warehouse
from warehouse.tables import store

MONTH_BEFORE = last_sunday(LAST_SUNDAY.replace(day=1) - timedelta(days=1))
NO_SCORES = pd.DataFrame(
    {"retailer_id": pd.Series(dtype="str"), "p_churn_13w": pd.Series(dtype=float), "p_churn_26w": pd.Series(dtype=float)}
)
FORECASTS = pd.DataFrame({"retailer_id": ["R1", "R1"], "sku_id": ["S0", "S1"], "mean_units": [4.0, 2.0]})


@pytest.fixture(scope="module")
def market_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A warehouse of eight shops, loaded and cut into cells."""
    folder = tmp_path_factory.mktemp("segments")
    settings = read_settings(environment={"UNCAP_WAREHOUSE_URL": str(folder / "warehouse.duckdb")})
    with open_warehouse(settings) as con:
        load_folder(con, write_market(folder / "input", 90), on_step=lambda _: None)
        build_cells(con)
    return settings


@pytest.fixture
def con(market_settings: Settings) -> Iterator[Warehouse]:
    """The warehouse without any reclassification."""
    with open_warehouse(market_settings) as opened:
        store(opened, RETAILER_SEGMENT, RETAILER_SEGMENT.arrow_schema.empty_table())
        yield opened


def rows_as_of(con: Warehouse, settings: Settings, as_of: date) -> pa.Table:
    """Classify without scores."""
    return segment_rows(con, settings, as_of, NO_SCORES, FORECASTS, "run-1")


def test_every_retailer_gets_one_row_that_keeps_the_contract(con: Warehouse, market_settings: Settings) -> None:
    rows = rows_as_of(con, market_settings, LAST_SUNDAY)
    assert rows.column("retailer_id").to_pylist() == ["R-once", *(f"R{number}" for number in range(8))]
    publish(con, {RETAILER_SEGMENT: rows}, as_of=LAST_SUNDAY, keep_weeks={})
    assert set(rows.column("stage_prev").to_pylist()) == {None}
    assert rows.to_pylist()[0]["stage"] == "acquisition"


def test_the_same_rows_come_twice_also_when_they_are_written(con: Warehouse, market_settings: Settings) -> None:
    publish(con, {RETAILER_SEGMENT: rows_as_of(con, market_settings, MONTH_BEFORE)}, as_of=MONTH_BEFORE, keep_weeks={})
    first = rows_as_of(con, market_settings, LAST_SUNDAY)
    publish(con, {RETAILER_SEGMENT: first}, as_of=LAST_SUNDAY, keep_weeks={})
    assert rows_as_of(con, market_settings, LAST_SUNDAY).equals(first)
    assert set(first.column("stage_prev").to_pylist()) > {None}


def test_compared_is_with_the_newest_reclassification_before_the_month(con: Warehouse, market_settings: Settings) -> None:
    days = (MONTH_BEFORE - timedelta(weeks=4), MONTH_BEFORE, LAST_SUNDAY - timedelta(weeks=1))
    for as_of, stage in zip(days, ("growth", "decline", "win_back"), strict=True):
        rows = rows_as_of(con, market_settings, as_of)
        place = RETAILER_SEGMENT.column_names.index("stage")
        told = rows.set_column(place, RETAILER_SEGMENT.arrow_schema.field("stage"), pa.array([stage] * rows.num_rows))
        publish(con, {RETAILER_SEGMENT: told}, as_of=as_of, keep_weeks={})
    assert set(previous_segments(con, LAST_SUNDAY).stage) == {"decline"}


def test_one_reclassification_a_month_is_due(con: Warehouse, market_settings: Settings) -> None:
    assert reclassification_due(con, LAST_SUNDAY)
    publish(con, {RETAILER_SEGMENT: rows_as_of(con, market_settings, MONTH_BEFORE)}, as_of=MONTH_BEFORE, keep_weeks={})
    assert reclassification_due(con, LAST_SUNDAY)
    earlier = LAST_SUNDAY - timedelta(weeks=1)
    publish(con, {RETAILER_SEGMENT: rows_as_of(con, market_settings, earlier)}, as_of=earlier, keep_weeks={})
    assert not reclassification_due(con, LAST_SUNDAY)
    assert reclassification_due(con, earlier)


def test_an_override_that_holds_is_applied_and_told(con: Warehouse, market_settings: Settings) -> None:
    plain = {row["retailer_id"]: row for row in rows_as_of(con, market_settings, LAST_SUNDAY).to_pylist()}
    wanted = "small" if plain["R1"]["value_class"] != "small" else "key"
    override: dict[str, object] = {
        "override_id": "O1",
        "retailer_id": "R1",
        "attribute": "value_class",
        "value": wanted,
        "reason": "opens a second shop",
    }
    override |= {
        "proposed_by": "ann",
        "proposed_on": LAST_SUNDAY,
        "approved_by": "ben",
        "approved_on": LAST_SUNDAY,
        "expires_on": LAST_SUNDAY,
    }
    store(con, SEGMENT_OVERRIDES, pa.Table.from_pylist([override], schema=SEGMENT_OVERRIDES.arrow_schema))
    row = {row["retailer_id"]: row for row in rows_as_of(con, market_settings, LAST_SUNDAY).to_pylist()}["R1"]
    store(con, SEGMENT_OVERRIDES, SEGMENT_OVERRIDES.arrow_schema.empty_table())
    assert (row["value_class"], row["value_class_computed"], row["override_id"]) == (wanted, plain["R1"]["value_class"], "O1")
    assert f"Value class {wanted} by override O1; the figures say {plain['R1']['value_class']}" in row["change_reason"]
