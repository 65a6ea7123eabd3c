"""Whether scoring again leaves the same tables, whatever else was scored or loaded since, and whether nothing later leaks in."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from contracts.customers import CONTACT_UPLIFT, CUSTOMER_TABLES, RETAILER_SEGMENT, SEGMENT_ALERT, WORK_LIST
from contracts.scored import CHURN_SCORE, DEMAND_FORECAST, DEMAND_FORECAST_TOTAL, TRUE_DEMAND
from contracts.tables import Table
from contracts.weeks import last_week
from flows.load import load
from flows.score import score, score_flow
from tests.small_county import AS_OF, EARLIER, Place, ScoredCounty, copy_place

BETWEEN = EARLIER + timedelta(weeks=4)
FORECASTS = (DEMAND_FORECAST, DEMAND_FORECAST_TOTAL, CHURN_SCORE)

NOT_YET = (SEGMENT_ALERT, CONTACT_UPLIFT)
"""Without rows as of EARLIER: nobody had a segment before, and nobody was on a list thirteen weeks ago."""

SCORED_ON = {
    RETAILER_SEGMENT: (EARLIER, AS_OF),  # once a month
    SEGMENT_ALERT: (AS_OF,),
    WORK_LIST: (EARLIER, AS_OF),  # none of the past, once there are later ones
    CONTACT_UPLIFT: (),
}
"""Of the tables that do not have rows for every Sunday scored: those that have."""


@pytest.fixture(scope="module")
def scored_between(county: ScoredCounty, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The county scored once more, as of a Sunday between the two."""
    place = copy_place(county.place, tmp_path_factory.mktemp("between") / "copy")
    score(place.settings, BETWEEN)
    return place


def test_scoring_a_sunday_again_leaves_the_same_rows_under_another_run(
    county: ScoredCounty, county_copy: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, address in county_copy.stores.items():
        monkeypatch.setenv(variable, address)
    score_flow(config=str(county_copy.config), as_of=AS_OF.isoformat())
    for table in (TRUE_DEMAND, *FORECASTS, *CUSTOMER_TABLES):
        before, after = scored(county.place, table), scored(county_copy, table)
        assert_same(before, after)
        newest = after.as_of == pd.Timestamp(AS_OF)
        assert set(before.run_id[newest]).isdisjoint(after.run_id[newest])


def test_scoring_an_older_sunday_leaves_the_newer_rows_alone(county: ScoredCounty, scored_between: Place) -> None:
    for table in (*FORECASTS, *CUSTOMER_TABLES):
        after = scored(scored_between, table)
        assert set(after.as_of) == {pd.Timestamp(day) for day in SCORED_ON.get(table, (EARLIER, BETWEEN, AS_OF))}
        others = after[after.as_of != pd.Timestamp(BETWEEN)].reset_index(drop=True)
        pd.testing.assert_frame_equal(others, scored(county.place, table))
    pd.testing.assert_frame_equal(scored(scored_between, TRUE_DEMAND), scored(county.place, TRUE_DEMAND))


def test_the_band_before_is_that_of_the_newest_older_sunday(scored_between: Place) -> None:
    rows = scored_between.rows("SELECT retailer_id, as_of, risk_band, risk_band_prev FROM scored.churn_score").set_index("retailer_id")
    between, earlier = (rows[rows.as_of == pd.Timestamp(day)] for day in (BETWEEN, EARLIER))
    both = between.index.intersection(earlier.index)
    assert len(both) > 0
    assert between.risk_band_prev[both].tolist() == earlier.risk_band[both].tolist()
    assert earlier.risk_band_prev.isna().all()


def test_what_came_later_does_not_change_what_an_earlier_sunday_scores(county: ScoredCounty, county_copy: Place, tmp_path: Path) -> None:
    """The warehouse as it was on that Sunday gives the same forecasts as the one that knows eight weeks more."""
    write_as_known(county.inputs, tmp_path / "input", EARLIER)
    (county_copy.folder / "warehouse.duckdb").unlink()
    load(county_copy.settings, tmp_path / "input")
    score(county_copy.settings, EARLIER)
    for table in (*FORECASTS, *CUSTOMER_TABLES):
        known_later, known_then = scored(county.place, table), scored(county_copy, table)
        assert len(known_then) > 0 or table in NOT_YET
        assert_same(known_later[known_later.as_of == pd.Timestamp(EARLIER)].reset_index(drop=True), known_then)


def scored(place: Place, table: Table) -> pd.DataFrame:
    """Return the rows of a scored table in the order of their key."""
    return place.rows(f"SELECT * FROM {table.full_name} ORDER BY {', '.join(table.key)}")


def assert_same(before: pd.DataFrame, after: pd.DataFrame) -> None:
    """Compare rows but for the run that wrote them: units and probabilities to 1e-9, money to the same of its size."""
    pd.testing.assert_frame_equal(before.drop(columns="run_id"), after.drop(columns="run_id"), check_exact=False, rtol=1e-9, atol=1e-9)


def write_as_known(inputs: Path, folder: Path, as_of: date) -> None:
    """Write the input tables as they were on a Sunday: without later rows and later ends; openings and launches are announced before."""
    folder.mkdir()
    day, week = pa.scalar(as_of, pa.date32()), pa.scalar(last_week(as_of), pa.date32())
    for path in sorted(inputs.glob("*.parquet")):
        rows = pq.read_table(path)
        match path.stem:
            case "order_lines":
                rows = rows.filter(pc.less_equal(rows["ordered_on"], day))
            case "interactions":
                rows = _without_later(rows.filter(pc.less_equal(rows["occurred_on"], day)), "resolved_on", ("resolved_on",), day)
            case "retailers":
                rows = _without_later(rows, "closed_on", ("closed_on", "successor_id"), day)
            case "skus":
                rows = _without_later(rows, "delisted_on", ("delisted_on",), day)
            case "allocation_limits" | "supply" | "sell_through":
                rows = rows.filter(pc.less_equal(rows["week_start"], week))
        pq.write_table(rows, folder / path.name)


def _without_later(rows: pa.Table, date_column: str, columns: tuple[str, ...], day: pa.Scalar) -> pa.Table:
    """Blank columns where a date lies after the day."""
    known = pc.fill_null(pc.less_equal(rows[date_column], day), fill_value=False)
    for name in columns:
        blanked = pc.if_else(known, rows[name], pa.scalar(None, rows.schema.field(name).type))
        rows = rows.set_column(rows.column_names.index(name), name, blanked)
    return rows
