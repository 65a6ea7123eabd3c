"""Classifying a scored Sunday again gives the same rows, applies what was approved since, and audits it."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from contracts.errors import UsageError
from flows.opening import open_warehouse
from flows.reclassify import reclassify
from tests.flows.commands import Command
from tests.small_county import AS_OF, EARLIER, Place


def segments_of(place: Place, as_of: date) -> pd.DataFrame:
    return place.rows(f"SELECT * EXCLUDE (run_id) FROM scored.retailer_segment WHERE as_of = DATE '{as_of}' ORDER BY retailer_id")


@pytest.mark.parametrize("as_of", [AS_OF, EARLIER])
def test_the_same_rows_come_twice(county_copy: Place, as_of: date) -> None:
    first = reclassify(county_copy.settings, as_of)
    segments = segments_of(county_copy, as_of)
    assert reclassify(county_copy.settings, as_of) == first
    pd.testing.assert_frame_equal(segments_of(county_copy, as_of), segments)
    runs = county_copy.rows("SELECT * FROM scored.runs WHERE flow = 'reclassify'")
    assert runs.status.to_list() == ["succeeded", "succeeded"]
    assert runs.as_of.to_list() == [pd.Timestamp(as_of)] * 2
    stored = county_copy.rows("SELECT count(*) AS segments FROM scored.retailer_segment JOIN scored.runs USING (run_id)")
    assert stored.segments[0] >= first["scored.retailer_segment"] > 0


def test_an_override_changes_the_class_and_leaves_the_computed_one(uncap: Command, county_copy: Place) -> None:
    assert uncap(county_copy, "reclassify") == 0
    before = segments_of(county_copy, AS_OF)
    small = before[(before.value_class_computed == "small") & before.override_id.isna()].retailer_id.iloc[0]
    with open_warehouse(county_copy.settings) as con:
        values = f"('X1', '{small}', 'value_class', 'key', 'why', 'ann', DATE '{EARLIER}', 'ben', DATE '{AS_OF}', DATE '2026-01-01')"
        con.execute(f"INSERT INTO raw.segment_overrides VALUES {values}")
    assert uncap(county_copy, "reclassify", "--as-of", AS_OF.isoformat()) == 0
    after = segments_of(county_copy, AS_OF).set_index("retailer_id")
    assert after.loc[small, ["value_class", "value_class_computed", "override_id"]].to_list() == ["key", "small", "X1"]
    others = before[before.retailer_id != small].set_index("retailer_id")
    pd.testing.assert_frame_equal(after.drop(index=small)[others.columns], others)


def test_a_sunday_that_was_not_scored_is_refused_with_those_that_were(uncap: Command, county_copy: Place) -> None:
    with pytest.raises(UsageError, match=f"nothing was scored as of 2025-09-21(.|\n)*give one of {AS_OF}, {EARLIER}"):
        reclassify(county_copy.settings, date(2025, 9, 21))
    assert uncap(county_copy, "reclassify", "--as-of", "2025-09-21") == 2


def test_before_anything_was_scored_it_is_refused(place: Place, prefect_server: None) -> None:  # noqa: ARG001 - flows report to it
    with pytest.raises(UsageError, match="nothing was scored yet"):
        reclassify(place.settings, None)
