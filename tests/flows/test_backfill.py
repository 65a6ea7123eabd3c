"""Whether scoring past Sundays one after another gives the tables that scoring each in its week gave, whatever fails in between."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from contracts.customers import CUSTOMER_TABLES
from contracts.errors import InputDataError, UsageError
from contracts.scored import CHURN_SCORE, DEMAND_FORECAST, DEMAND_FORECAST_TOTAL, TRUE_DEMAND
from flows.backfill import IncompleteBackfillError, backfill
from flows.load import load
from flows.score import score
from tests.flows.test_rerun import assert_same, scored, write_as_known
from tests.small_county import EARLIER, Place, ScoredCounty, copy_place

SUNDAYS = (date(2025, 8, 31), date(2025, 9, 7))
"""Each is the first scored of its month, when retailers are classified: the second time against the first."""

NEXT = SUNDAYS[-1] + timedelta(weeks=1)
SHOPS = 60
TABLES = (TRUE_DEMAND, DEMAND_FORECAST, DEMAND_FORECAST_TOTAL, CHURN_SCORE, *CUSTOMER_TABLES)


def test_missed_sundays_are_scored_as_though_each_had_been_in_its_week_and_one_that_fails_keeps_no_other(
    county: ScoredCounty, tmp_path: Path
) -> None:
    inputs = some_shops(county.inputs, tmp_path / "inputs")
    in_time, late = (empty_place(county, tmp_path / name) for name in ("in_time", "late"))
    for as_of in SUNDAYS:
        write_as_known(inputs, tmp_path / f"{as_of}", as_of)
        load(in_time.settings, tmp_path / f"{as_of}")
        score(in_time.settings, as_of)

    load(late.settings, tmp_path / f"{SUNDAYS[-1]}")
    done = backfill(late.settings, SUNDAYS[0], SUNDAYS[0], models="champion", only_missing=False)
    assert [(sunday.as_of, sunday.ended) for sunday in done] == [(SUNDAYS[0], "scored")]
    with pytest.raises(
        IncompleteBackfillError, match=rf"1 of 2 Sundays were not scored, 0 only not monitored; .*\n{NEXT}: failed: .*as_of {NEXT} lies"
    ) as told:
        backfill(late.settings, SUNDAYS[0], NEXT, models="champion", only_missing=True)
    assert told.value.exit_code == InputDataError.exit_code
    assert f"uncap backfill --from {NEXT} --to {NEXT} --missing" in told.value.hint
    assert backfill(late.settings, None, SUNDAYS[-1], models="champion", only_missing=True) == []

    for table in TABLES:
        assert_same(scored(in_time, table), scored(late, table))
    # or the comparison with the class before would have shown nothing
    before = late.rows(f"SELECT count(stage_prev) AS n FROM scored.retailer_segment WHERE as_of = DATE '{SUNDAYS[1]}'")
    assert before.n[0] > 0


def test_a_sunday_that_was_scored_though_not_monitored_is_told_as_such(county_copy: Place) -> None:
    after = EARLIER + timedelta(weeks=1)
    twice = f"SELECT * FROM scored.demand_forecast WHERE as_of = DATE '{EARLIER}' AND horizon_weeks = 1"
    county_copy.rows(f"INSERT INTO scored.demand_forecast {twice} RETURNING 1")
    told = rf"0 of 1 Sundays were not scored, 1 only not monitored; .*\n{after}: scored, monitoring failed: MergeError"
    with pytest.raises(IncompleteBackfillError, match=told) as failed:
        backfill(county_copy.settings, after, after, models="champion", only_missing=True)
    assert failed.value.hint == f"put right what is told, then `uncap monitor --as-of {after}`"
    assert backfill(county_copy.settings, after, after, models="champion", only_missing=True) == []


def test_a_span_that_holds_no_sunday_is_bad_usage(county_copy: Place) -> None:
    with pytest.raises(UsageError, match="no Sunday lies between 2025-09-15 and 2025-09-20"):
        backfill(county_copy.settings, date(2025, 9, 15), date(2025, 9, 20), models="champion", only_missing=True)
    with pytest.raises(UsageError, match="no first day"):
        backfill(county_copy.settings, None, date(2025, 9, 20), models="champion", only_missing=False)


def empty_place(county: ScoredCounty, folder: Path) -> Place:
    """Return a place with the county's models and nothing loaded."""
    place = copy_place(county.place, folder)
    (place.folder / "warehouse.duckdb").unlink()
    return place


def some_shops(inputs: Path, folder: Path) -> Path:
    """Write the input tables of the first shops of the county; those that were relicensed are left out, their successors may be missing."""
    folder.mkdir()
    first = pq.read_table(inputs / "retailers.parquet").slice(0, SHOPS)
    shops = first.filter(pc.is_null(first["successor_id"]))["retailer_id"].combine_chunks()
    for path in sorted(inputs.glob("*.parquet")):
        rows = pq.read_table(path)
        if "retailer_id" in rows.column_names:
            # no retailer: a limit for everybody
            rows = rows.filter(pc.or_(pc.is_in(rows["retailer_id"], value_set=shops), pc.is_null(rows["retailer_id"])))
        pq.write_table(rows, folder / path.name)
    return folder
