"""Whether scoring leaves what monitoring needs, and monitoring tells of a county what came of its forecasts."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from contracts.weeks import last_week
from tests.flows.commands import Command
from tests.small_county import AS_OF, EARLIER, Place, ScoredCounty


@pytest.fixture(scope="module")
def newest(county: ScoredCounty) -> pd.DataFrame:
    """What scoring measured as of the newest Sunday."""
    return county.place.rows(f"SELECT * FROM scored.monitoring WHERE as_of = DATE '{AS_OF}'")


def test_the_forecast_of_eight_weeks_before_is_held_against_the_last_week(county: ScoredCounty, newest: pd.DataFrame) -> None:
    bias = newest[(newest.area == "demand") & (newest.measure == "bias")].set_index(["slice_kind", "slice_value"])
    assert sorted(bias.index) == [("all", "all"), ("horizon_weeks", "8")]
    free = county.place.rows(
        f"""
        SELECT sum(mean_units) AS expected, sum(coalesce(delivered_units, 0)) AS came FROM scored.demand_forecast AS f
        LEFT JOIN derived.cells AS c USING (retailer_id, sku_id, week_start)
        WHERE f.as_of = DATE '{EARLIER}' AND f.week_start = DATE '{last_week(AS_OF)}'
        """
    )
    expected, came = free.expected[0], free.came[0]
    measured = bias["value"].iloc[0]
    # caps only lower what is expected to be seen
    assert measured < expected / came - 1 + 0.15
    assert abs(measured) < 4 * bias["error"].iloc[0] + 0.15


def test_of_a_county_in_which_nothing_happened_only_the_sundays_that_were_not_scored_are_told(newest: pd.DataFrame) -> None:
    (missed,) = newest[newest.status == "alert"].message
    assert missed.startswith("7 Sundays not scored: ")


def test_churn_scores_of_eight_weeks_before_are_held_against_who_stopped(county: ScoredCounty, newest: pd.DataFrame) -> None:
    churn = newest[(newest.area == "churn") & (newest.measure == "observed_over_predicted")].set_index(["slice_kind", "slice_value"])
    scored = county.place.rows(f"SELECT count(*) AS n FROM scored.churn_score WHERE as_of = DATE '{EARLIER}'").n[0]
    assert {("all", "all"), ("horizon_weeks", "8")} <= set(churn.index)
    assert 0.8 * scored < churn.n[("horizon_weeks", "8")] <= scored
    asking = newest[(newest.area == "churn") & newest.retrains.astype(bool)]
    assert set(asking.measure) == {"observed_over_predicted", "calibration_loss"}


def test_inputs_are_compared_with_what_the_training_saw(county: ScoredCounty) -> None:
    drift = county.place.rows(f"SELECT * FROM scored.feature_drift WHERE as_of = DATE '{AS_OF}'")
    assert set(drift.model) == {"demand", "churn"}
    assert {"mean_4w", "recency_weeks"} <= set(drift.feature)
    assert drift.psi.between(0, 5).all()
    assert (drift.retailers > 100).all()


def test_an_injected_surge_is_found_printed_and_fails_the_command(
    county_copy: Place, uncap: Command, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    of_week = f"ordered_on BETWEEN DATE '{last_week(AS_OF)}' AND DATE '{AS_OF}'"
    county_copy.rows(f"UPDATE raw.order_lines SET delivered_units = 4 * delivered_units WHERE {of_week} RETURNING 1")
    page = tmp_path / "monitoring.html"
    assert uncap(county_copy, "monitor", "--json", "--page", str(page), "--fail-on", "alert") == 1
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert found["as_of"] == AS_OF.isoformat()
    assert "bias" in {each["measure"] for each in found["exceptions"] if each["status"] == "alert"}
    assert len(found["exceptions"]) <= 10
    assert "measures out of their bounds" in printed.err
    written = page.read_text(encoding="utf-8")
    assert written.count("data:image/png;base64,") >= 5
    assert "The gravest first" in written
    rows = county_copy.rows(
        f"SELECT status, since FROM scored.monitoring WHERE as_of = DATE '{AS_OF}' AND measure = 'bias' AND slice_kind = 'all'"
    )
    assert rows.status.tolist() == ["alert"]


def test_an_old_sunday_says_whose_recovery_it_rests_on_and_the_past_kept_is_a_setting(
    county_copy: Place, uncap: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert uncap(county_copy, "monitor", "--as-of", EARLIER.isoformat()) == 0
    assert f"true demand is kept as recovered as of {AS_OF}" in capsys.readouterr().err
    county_copy.configure("\n[publish.keep_weeks]\nmonitoring = 4\n")
    assert uncap(county_copy, "monitor") == 0
    assert "true demand is kept" not in capsys.readouterr().err
    assert county_copy.rows("SELECT DISTINCT as_of FROM scored.monitoring").as_of.tolist() == [pd.Timestamp(AS_OF)]


def test_a_sunday_that_was_not_scored_is_bad_usage(county_copy: Place, uncap: Command, capsys: pytest.CaptureFixture[str]) -> None:
    unscored = (AS_OF - timedelta(weeks=1)).isoformat()
    assert uncap(county_copy, "monitor", "--as-of", unscored) == 2
    assert f"nothing was scored as of {unscored}" in capsys.readouterr().err
