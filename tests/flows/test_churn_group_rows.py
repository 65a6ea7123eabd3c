"""Rows of churn across groups, from a warehouse of a few shops whose last orders are written down."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from contracts.customers import CHURN_GROUP, RETAILER_SEGMENT
from contracts.scored import CHURN_SCORE
from contracts.segment_definitions import VERSION
from contracts.tables import Kind
from flows.churn_group_rows import churn_group_rows
from flows.deriving import build_cells
from flows.opening import open_warehouse
from flows.settings import Settings
from warehouse.addresses import warehouse_path
from warehouse.connection import connect
from warehouse.load import load_folder
from warehouse.publish import publish
from warehouse.session import Warehouse

Rows = dict[tuple[str, str], dict[str, Any]]

AS_OF = date(2024, 9, 29)
WEEKS, LATER_WEEKS = 40, 20

# shop: weeks before AS_OF of its last order, district, day its licence closed
SHOPS = {
    "north-1": (0, "north", ""),
    "north-2": (1, "north", ""),
    "north-stopped": (14, "north", ""),
    "north-gone-long": (30, "north", ""),
    "south-1": (0, "south", ""),
    "south-2": (0, "south", ""),
    "south-closed": (15, "south", "2024-07-05"),
}
ACTIVE = ["north-1", "north-2", "south-1", "south-2"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with cells: weekly orders up to the last of each shop, for those that still order up to 20 weeks after AS_OF."""
    folder = tmp_path_factory.mktemp("shops")
    lines = ["line_id,retailer_id,sku_id,ordered_on,delivered_units"]
    for shop, (last, _, _) in SHOPS.items():
        first = -LATER_WEEKS if shop in ACTIVE else last
        lines += [f"{shop}{ago},{shop},S,{AS_OF - timedelta(weeks=ago)},5" for ago in range(first, WEEKS)]
    register = ["retailer_id,district,closed_on", *(f"{shop},{district},{closed}" for shop, (_, district, closed) in SHOPS.items())]
    for name, rows in (("order_lines", lines), ("retailers", register)):
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    path = tmp_path_factory.mktemp("built") / "warehouse.duckdb"
    with connect(str(path), threads=1, memory_limit="1GB") as con:
        load_folder(con, folder, on_step=lambda _: None)
        build_cells(con)
    return path


@pytest.fixture
def con(settings: Settings, built: Path) -> Iterator[Warehouse]:
    shutil.copy(built, warehouse_path(settings.warehouse.url))
    with open_warehouse(settings) as con:
        yield con


@pytest.fixture
def scores() -> pd.DataFrame:
    return pd.DataFrame(
        {"retailer_id": ACTIVE, "p_churn_13w": [0.1, 0.3, 0.02, 0.02], "p_churn_26w": [0.1, 0.2, 0.01, 0.01], "weekly_margin": 100.0}
    )


def rows_of(con: Warehouse, settings: Settings, scores: pd.DataFrame, segments: pd.DataFrame | None = None) -> Rows:
    rows = churn_group_rows(con, settings, AS_OF, scores, segments, "run-1")
    assert rows.schema == CHURN_GROUP.arrow_schema
    # written as they are: the contract's own checks hold
    publish(con, {CHURN_GROUP: rows}, as_of=AS_OF, keep_weeks={})
    return {(row["grouping"], row["group_name"]): row for row in rows.to_pylist()}


def test_expected_and_observed_churn_stand_side_by_side(con: Warehouse, settings: Settings, scores: pd.DataFrame) -> None:
    rows = rows_of(con, settings, scores)
    assert list(rows) == [("district", "north"), ("district", "south")]
    north, south = rows.values()
    assert (north["retailers"], north["rate_13w"]) == (2, pytest.approx(0.2))
    # of the three northern shops active 13 weeks before, one stopped; who had stopped long before is not asked
    assert (north["observed_retailers"], north["observed_rate_13w"]) == (3, pytest.approx(1 / 3))
    # a closed licence is no churn
    assert (south["observed_retailers"], south["observed_rate_13w"]) == (2, 0.0)
    assert north["cost_of_point"] == pytest.approx(0.01 * 26 * 200)
    assert north["retention_worth"] == pytest.approx(26 * 100 * (0.1 + 0.2))


def test_a_register_that_lacks_those_who_left_says_nothing_of_what_was_observed(
    con: Warehouse, settings: Settings, scores: pd.DataFrame
) -> None:
    con.execute("UPDATE raw.retailers SET district = NULL WHERE closed_on IS NOT NULL OR retailer_id LIKE '%stopped'")
    rows = rows_of(con, settings, scores)
    assert [row["retailers"] for row in rows.values()] == [2, 2]
    assert [(row["observed_retailers"], row["observed_rate_13w"]) for row in rows.values()] == [(0, None)] * 2


def test_without_any_district_there_is_no_such_grouping(con: Warehouse, settings: Settings, scores: pd.DataFrame) -> None:
    con.execute("UPDATE raw.retailers SET district = NULL")
    assert rows_of(con, settings, scores) == {}


def test_stages_are_those_of_the_reclassification_before_the_window(con: Warehouse, settings: Settings, scores: pd.DataFrame) -> None:
    publish(
        con,
        {RETAILER_SEGMENT: segments_as_of(AS_OF - timedelta(weeks=13), {"north-1": "growth", "north-stopped": "growth"})},
        as_of=AS_OF - timedelta(weeks=13),
        keep_weeks={},
    )
    publish(con, {RETAILER_SEGMENT: segments_as_of(AS_OF, {"north-stopped": "win_back", "north-1": "decline"})}, as_of=AS_OF, keep_weeks={})
    now = pd.DataFrame({"retailer_id": ACTIVE, "stage": ["growth", "growth", "decline", "growth"], "value_class": "ordinary"})
    rows = rows_of(con, settings, scores, now)
    growth, decline = rows["stage", "growth"], rows["stage", "decline"]
    assert [growth[name] for name in ("retailers", "observed_retailers", "observed_rate_13w")] == [3, 2, 0.5]
    assert [decline[name] for name in ("retailers", "observed_retailers")] == [1, 0]
    assert rows["value_class", "ordinary"]["retailers"] == 4


def test_orders_after_as_of_change_nothing(con: Warehouse, settings: Settings, scores: pd.DataFrame) -> None:
    with_later_orders = rows_of(con, settings, scores)
    con.execute(f"DELETE FROM derived.cells WHERE week_start > DATE '{AS_OF}'")
    assert rows_of(con, settings, scores) == with_later_orders


def test_scores_of_13_weeks_before_widen_the_interval_where_groups_share_their_fate(
    con: Warehouse, settings: Settings, scores: pd.DataFrame
) -> None:
    before = rows_of(con, settings, scores)
    then = AS_OF - timedelta(weeks=13)
    p_churn = {"north-1": 0.01, "north-2": 0.01, "north-stopped": 0.01, "south-1": 0.9, "south-2": 0.9}
    filled = {column.name: 0.5 for column in CHURN_SCORE.columns if column.required and column.kind is Kind.NUMBER}
    texts = {"risk_band": "low", "reason_1": "x", "scored_by": "model", "model_version": "1", "run_id": "run-0"}
    rows = [filled | texts | {"as_of": then, "retailer_id": shop, "p_churn_13w": chance} for shop, chance in p_churn.items()]
    publish(con, {CHURN_SCORE: pa.Table.from_pylist(rows, schema=CHURN_SCORE.arrow_schema)}, as_of=then, keep_weeks={})
    after = rows_of(con, settings, scores)
    assert after["district", "north"]["rate_13w_high"] > before["district", "north"]["rate_13w_high"]
    assert after["district", "north"]["rate_13w"] == before["district", "north"]["rate_13w"]


def segments_as_of(as_of: date, stages: dict[str, str]) -> pa.Table:
    """A reclassification of some retailers, filled up with values that do not matter here."""
    texts = {
        "stage_seen": "growth",
        "abc_class": "A",
        "value_class": "small",
        "value_class_computed": "small",
        "definition_version": VERSION,
    }
    rows = []
    for shop, stage in stages.items():
        row: dict[str, object] = {}
        for column in RETAILER_SEGMENT.columns:
            if column.required:
                row[column.name] = 1 if column.kind in (Kind.INTEGER, Kind.NUMBER) else texts.get(column.name, "x")
        rows.append(row | {"as_of": as_of, "retailer_id": shop, "stage": stage})
    return pa.Table.from_pylist(rows, schema=RETAILER_SEGMENT.arrow_schema)
