"""Is a county that was loaded, trained on and scored in PostgreSQL the same as in DuckDB, table by table and view by view?

Both warehouses are scored by the same champions, which were trained from PostgreSQL. Numbers may lie 10⁻⁶ apart, as a share of the larger:
threads add sums in another order, on either database. Nothing has to be looser, counts and texts not at all.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from contracts.errors import InputDataError
from contracts.monitoring import MONITORING
from contracts.raw import RAW_TABLES
from contracts.scored import RUNS
from contracts.tables import Table
from demo.county import County, write_county
from flows.load import load
from flows.opening import open_warehouse
from flows.score import score
from flows.settings import Settings, read_settings
from flows.train import train
from tests.postgres.same_tables import RELATIVE, differences
from tests.postgres.server import PostgresServer
from tests.small_county import CONFIGURATION
from warehouse.analyses.catalogue import ANALYSIS_SCHEMA, analysis_views
from warehouse.schema import DERIVED_TABLES, STORED_TABLES
from warehouse.session import Warehouse
from warehouse.tables import fingerprint

NEWEST = date(2025, 9, 28)
AS_OF = NEWEST - timedelta(weeks=8)
"""Its forecasts have matured, so that the views that judge them have rows."""

COUNTY = County(n_retailers=120, n_urban=30, n_skus=40, n_weeks=90, as_of=NEWEST, seed=1)

CHEAPER = (
    ("origins = 8", "origins = 4"),
    ("members = 2", "members = 1"),
    ("num_iterations = 40", "num_iterations = 10"),
    ("order_num_iterations = 20", "order_num_iterations = 10"),
)
"""Both databases are asked the same by a model of ten trees."""

OF_ONE = {RUNS: "PostgreSQL has the run that trained, too", MONITORING: "which measures how many runs there were"}


@dataclass(frozen=True)
class Pair:
    """The same county in a file and in a database, under one tracking store."""

    file: Settings
    server: Settings
    inputs: Path

    @property
    def scores(self) -> list[Table]:
        return [table for table in STORED_TABLES if table.schema == "scored" and table not in OF_ONE]


@pytest.fixture(scope="module")
def pair(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: PostgresServer,
    migrated_store: Path,
    prefect_server: None,  # noqa: ARG001 - flows report to it
) -> Pair:
    """Load both, train from PostgreSQL, and score both."""
    folder = tmp_path_factory.mktemp("everywhere")
    write_county(COUNTY, folder / "county")
    (folder / "mlruns").mkdir()
    shutil.copy(migrated_store, folder / "mlruns" / "mlflow.db")
    text = CONFIGURATION
    for dear, cheap in CHEAPER:
        assert dear in text
        text = text.replace(dear, cheap)
    (folder / "small.toml").write_text(text, encoding="utf-8")
    urls = (str(folder / "warehouse.duckdb"), postgres_server.new_database())
    file, server = (
        read_settings(folder / "small.toml", environment={"UNCAP_WAREHOUSE_URL": url, "UNCAP_TRACKING_URI": str(folder / "mlruns")})
        for url in urls
    )
    inputs = folder / "county" / "input"
    for settings in (file, server):
        load(settings, inputs)
    train(server, AS_OF)
    for settings in (file, server):
        score(settings, AS_OF)
    return Pair(file, server, inputs)


@pytest.fixture(scope="module")
def opened(pair: Pair) -> Iterator[tuple[Warehouse, Warehouse]]:
    """Both warehouses."""
    with open_warehouse(pair.file) as file, open_warehouse(pair.server) as server:
        yield file, server


def test_every_table_has_the_same_rows(opened: tuple[Warehouse, Warehouse]) -> None:
    tables = [table for table in (*STORED_TABLES, *DERIVED_TABLES) if table not in OF_ONE]
    faults = {table.full_name: differences(*opened, table.schema, table.name, table.key) for table in tables}
    assert {name: fault for name, fault in faults.items() if fault} == {}
    filled = {table.full_name for table in tables if _count(opened[1], table.schema, table.name)}
    assert filled >= {"raw.order_lines", "raw.segment_overrides", "derived.cells", "derived.recovered", "scored.true_demand"}
    assert filled >= {"scored.demand_forecast", "scored.churn_score", "scored.retailer_segment", "scored.cross_sell"}


def test_every_view_has_the_same_rows(opened: tuple[Warehouse, Warehouse]) -> None:
    views = [(ANALYSIS_SCHEMA, name) for name in analysis_views()] + [("scored", "true_demand_weekly")]
    faults = {name: differences(*opened, schema, name, ()) for schema, name in views}
    assert {name: fault for name, fault in faults.items() if fault} == {}
    empty = {name for schema, name in views if not _count(opened[1], schema, name)}
    # nothing was reclassified before, nor was a price cut
    assert empty <= {"segment_migration_month", "price_drop_effect"}


def test_every_run_and_measure_is_the_same_but_for_the_training(opened: tuple[Warehouse, Warehouse]) -> None:
    runs = "SELECT flow, as_of, status, rows_written FROM scored.runs WHERE flow <> 'train' ORDER BY started_at"
    assert opened[0].execute(runs) == opened[1].execute(runs)
    measures = "SELECT area, measure, slice_kind, slice_value, status, value FROM scored.monitoring WHERE measure <> 'broken_runs'"
    file, server = (con.execute(f"{measures} ORDER BY 1, 2, 3, 4") for con in opened)
    assert [row[:-1] for row in file] == [row[:-1] for row in server]
    assert [row[-1] for row in file] == pytest.approx([row[-1] for row in server], rel=RELATIVE)
    assert len(file) > 10


def test_scoring_again_leaves_the_same_rows(pair: Pair) -> None:
    before = _scores(pair)
    score(pair.server, AS_OF)
    with open_warehouse(pair.server) as again, open_warehouse(pair.file) as file:
        faults = {table.full_name: differences(file, again, table.schema, table.name, table.key) for table in pair.scores}
    assert {name: fault for name, fault in faults.items() if fault} == {}
    assert _scores(pair) == before


def test_loading_again_adds_nothing_and_a_failing_load_keeps_nothing(pair: Pair, tmp_path: Path) -> None:
    with open_warehouse(pair.server) as con:
        before = [fingerprint(con, table, None) for table in RAW_TABLES]
    for loaded in load(pair.server, pair.inputs):
        assert (loaded.rows_new, loaded.rows_changed) == (0, 0)
    rows = "line_id,retailer_id,sku_id,ordered_on,delivered_units\nnew,R-none,S-none,2025-09-28,1\nworse,R-none,S-none,2025-09-28,-1\n"
    (tmp_path / "order_lines.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(InputDataError, match="below 0, 1 row"):
        load(pair.server, tmp_path)
    with open_warehouse(pair.server) as con:
        assert [fingerprint(con, table, None) for table in RAW_TABLES] == before


def _count(con: Warehouse, schema: str, name: str) -> int:
    return int(con.execute(f'SELECT count(*) FROM "{schema}"."{name}"')[0][0])


def _scores(pair: Pair) -> dict[str, int]:
    with open_warehouse(pair.server) as con:
        return {table.full_name: _count(con, table.schema, table.name) for table in pair.scores}
