"""Whether an explanation adds up to the published forecast, names the caps behind it, and says what to do where there is none."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from features.demand import DEMAND_FEATURES
from flows.console import console_for_results
from flows.explain import Explanation, explain
from flows.explanation_text import as_json, print_explanation
from flows.opening import open_warehouse
from tests.flows.commands import Command
from tests.small_county import AS_OF, EARLIER, Place, ScoredCounty

YEAR_AGO = AS_OF - timedelta(weeks=52)


@pytest.fixture(scope="module")
def rationed(county: ScoredCounty) -> tuple[str, str]:
    """The pair with a history to which recovery added most in a year."""
    found = county.place.rows(f"""
        SELECT retailer_id, sku_id FROM scored.true_demand
        JOIN scored.demand_forecast AS forecast USING (retailer_id, sku_id)
        WHERE forecast.as_of = DATE '{AS_OF}' AND horizon_weeks = 1 AND true_demand.week_start > DATE '{YEAR_AGO}'
        GROUP BY ALL ORDER BY sum(true_units - delivered_units) DESC LIMIT 1""")
    return found.retailer_id[0], found.sku_id[0]


def published(place: Place, pair: tuple[str, str], as_of: object = AS_OF) -> pd.DataFrame:
    return place.rows(f"""
        SELECT * FROM scored.demand_forecast
        WHERE as_of = DATE '{as_of}' AND retailer_id = '{pair[0]}' AND sku_id = '{pair[1]}' ORDER BY week_start""")


@pytest.fixture(scope="module")
def explanation(county: ScoredCounty, rationed: tuple[str, str]) -> Explanation:
    """All eight weeks of that pair."""
    return explain(county.place.settings, rationed, None, None)


def document_of(explanation: Explanation) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(as_json(explanation))
    return document


def part_units(week: dict[str, Any], factor: str) -> float:
    return float(sum(part["units"] for part in week["parts"] if part["factor"] == factor))


def test_the_parts_of_each_week_sum_to_the_published_mean(
    county: ScoredCounty, explanation: Explanation, rationed: tuple[str, str]
) -> None:
    stored, document = published(county.place, rationed), document_of(explanation)
    assert (document["as_of"], document["model_version"]) == (AS_OF.isoformat(), stored.model_version[0])
    assert [week["week_start"] for week in document["weeks"]] == [f"{day:%Y-%m-%d}" for day in stored.week_start]
    for week, row in zip(document["weeks"], stored.itertuples(), strict=True):
        assert sum(part["units"] for part in week["parts"]) == pytest.approx(row.mean_units, rel=1e-9)
        assert week["recomputed_units"] == pytest.approx(row.mean_units, rel=1e-9)
        assert [week[name] for name in ("mean_units", "q10", "q50", "q90", "p_order")] == [
            row.mean_units,
            row.q10,
            row.q50,
            row.q90,
            row.p_order,
        ]
        assert part_units(week, "changed") == pytest.approx(0.0, abs=1e-9)


def test_what_is_no_longer_sold_is_forecast_as_nothing_and_says_why(
    county: ScoredCounty, uncap: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = county.place.rows(f"""
        SELECT retailer_id, sku_id, max(q95) AS q95, max(p_order) AS p_order, sum(mean_units) AS units
        FROM scored.demand_forecast JOIN raw.skus USING (sku_id)
        WHERE as_of = DATE '{AS_OF}' AND delisted_on <= DATE '{AS_OF}' GROUP BY ALL""")
    assert len(pairs) > 0
    assert (pairs[["q95", "p_order", "units"]] == 0).all(axis=None)
    pair = pairs[["retailer_id", "sku_id"]].iloc[0]
    assert uncap(county.place, "explain", *pair, "--json") == 0
    for week in json.loads(capsys.readouterr().out)["weeks"]:
        assert part_units(week, "closed") < 0
        assert sum(part["units"] for part in week["parts"]) == pytest.approx(0.0, abs=1e-9)
    assert uncap(county.place, "explain", *pair) == 0
    assert "cannot be ordered in this week" in capsys.readouterr().out


def test_the_figures_of_a_factor_sum_to_it_and_are_those_of_the_catalogue(
    county: ScoredCounty, uncap: Command, capsys: pytest.CaptureFixture[str], rationed: tuple[str, str]
) -> None:
    groups = {feature.name: feature.group for feature in DEMAND_FEATURES}
    assert uncap(county.place, "explain", *rationed, "--week", str(AS_OF + timedelta(days=8)), "--json") == 0
    (week,) = json.loads(capsys.readouterr().out)["weeks"]
    assert week["horizon_weeks"] == 2
    features = [
        part for part in week["parts"] if part["factor"] not in ("orders", "recovery", "average", "calibration", "closed", "changed")
    ]
    assert len(features) > 5
    for part in features:
        assert sum(figure["units"] for figure in part["figures"]) == pytest.approx(part["units"], abs=1e-12)
        assert {groups[figure["feature"]] for figure in part["figures"]} == {part["factor"]}


def test_what_recovery_added_to_the_level_comes_with_the_caps_behind_it(
    county: ScoredCounty, explanation: Explanation, rationed: tuple[str, str]
) -> None:
    document = document_of(explanation)
    stored = county.place.rows(f"""
        SELECT * FROM scored.true_demand WHERE retailer_id = '{rationed[0]}' AND sku_id = '{rationed[1]}'
        AND week_start >= DATE '{AS_OF}' - INTERVAL 363 DAYS ORDER BY week_start DESC""")
    assert all(part_units(week, "recovery") > 0 for week in document["weeks"])
    listed = pd.DataFrame(document["limited_weeks"])
    assert listed.week_start.tolist() == [f"{day:%Y-%m-%d}" for day in stored.week_start]
    for name in ("censoring", "delivered_units", "true_units", "true_units_p10", "true_units_p90", "identified"):
        assert listed[name].tolist() == stored[name].tolist(), name
    added = (stored.true_units - stored.delivered_units).sum()
    assert document["limits"]["recovered_units"] == pytest.approx(added)
    caps = listed[(listed.censoring == "cap") & listed.cap_units.notna()]
    assert len(caps)
    assert (caps.delivered_units >= caps.cap_units).any()


def test_a_pair_without_a_history_is_explained_by_its_peers(county: ScoredCounty) -> None:
    cold = county.place.rows(f"""
        SELECT retailer_id, sku_id FROM scored.demand_forecast WHERE as_of = DATE '{AS_OF}' AND method = 'cold_start'
        ORDER BY mean_units DESC LIMIT 1""")
    document = document_of(explain(county.place.settings, (cold.retailer_id[0], cold.sku_id[0]), AS_OF, None))
    assert document["method"] == "cold_start"
    assert document["limited_weeks"] == []
    for week in document["weeks"]:
        assert sum(part["units"] for part in week["parts"]) == pytest.approx(week["mean_units"], rel=1e-9)
        assert [figure["feature"] for figure in week["parts"][0]["figures"]] == ["peer_units"]


def test_the_page_for_people_has_the_weeks_the_sum_and_the_caps(
    county: ScoredCounty, uncap: Command, capsys: pytest.CaptureFixture[str], rationed: tuple[str, str]
) -> None:
    assert uncap(county.place, "explain", *rationed) == 0
    printed = capsys.readouterr().out
    stored = published(county.place, rationed)
    lines = [line.split() for line in printed.splitlines()]
    sums = next(words for words in lines if words[:2] == ["=", "mean_units,"])
    assert [float(word.replace(",", "")) for word in sums[4:-1]] == [round(mean, 2) for mean in stored.mean_units]
    assert float(sums[-1].replace(",", "")) == pytest.approx(stored.mean_units.sum(), abs=0.005)
    expected = ("level of its orders", "recovered demand in the level", "Weeks whose demand a limit hid", "of the last 52 weeks")
    assert [part for part in expected if part not in printed] == []
    assert "were published" not in printed


def test_a_single_week_has_its_figures_beside_the_units(explanation: Explanation, capsys: pytest.CaptureFixture[str]) -> None:
    first = replace(explanation, weeks=explanation.weeks[:1])
    print_explanation(first, console_for_results())
    lines = capsys.readouterr().out.splitlines()
    assert next(line for line in lines if line.startswith("part")).split() == [
        "part",
        str(AS_OF + timedelta(days=1)),
        "figures",
        "behind",
        "it",
    ]
    assert f"{first.weeks[0].published.mean_units:,.2f}" in next(line for line in lines if line.startswith("= mean_units"))
    assert "delivered units a week over 13 weeks" in next(line for line in lines if line.startswith("level of its orders"))


def test_an_older_forecast_is_recovered_again_as_of_its_sunday_and_nothing_is_published(
    county_copy: Place, rationed: tuple[str, str]
) -> None:
    tables = ("scored.demand_forecast", "scored.true_demand", "scored.runs")
    before = [county_copy.rows(f"SELECT * FROM {name} ORDER BY ALL") for name in tables]
    document = document_of(explain(county_copy.settings, rationed, EARLIER, None))
    stored = published(county_copy, rationed, EARLIER)
    assert [week["mean_units"] for week in document["weeks"]] == stored.mean_units.tolist()
    for week in document["weeks"]:
        assert week["recomputed_units"] == pytest.approx(week["mean_units"], rel=1e-6)
        assert sum(part["units"] for part in week["parts"]) == pytest.approx(week["mean_units"], rel=1e-9)
    assert max(week["week_start"] for week in document["limited_weeks"]) <= EARLIER.isoformat()
    for rows, name in zip(before, tables, strict=True):
        pd.testing.assert_frame_equal(rows, county_copy.rows(f"SELECT * FROM {name} ORDER BY ALL"))


def test_a_forecast_that_no_longer_follows_from_what_is_loaded_is_said_to(
    county_copy: Place, capsys: pytest.CaptureFixture[str], rationed: tuple[str, str]
) -> None:
    with open_warehouse(county_copy.settings) as con:
        con.execute("UPDATE derived.cells SET delivered_units = 2 * delivered_units WHERE retailer_id = ? AND sku_id = ?", list(rationed))
        con.execute("UPDATE derived.recovered SET true_units = 2 * true_units WHERE retailer_id = ? AND sku_id = ?", list(rationed))
    changed = explain(county_copy.settings, rationed, None, None)
    for week in document_of(changed)["weeks"]:
        assert sum(part["units"] for part in week["parts"]) == pytest.approx(week["mean_units"], rel=1e-9)
        assert part_units(week, "changed") == pytest.approx(week["mean_units"] - week["recomputed_units"])
        assert week["recomputed_units"] > 1.2 * week["mean_units"]
    print_explanation(changed, console_for_results())
    printed = capsys.readouterr().out
    assert "were published (8 of 8 weeks differ): tables or settings have changed since" in printed
    assert "what changed since it was published" in printed


def test_what_is_not_forecast_ends_with_2_and_says_what_is(
    county: ScoredCounty, uncap: Command, capsys: pytest.CaptureFixture[str], rationed: tuple[str, str]
) -> None:
    retailer, sku = rationed
    for words, told in (
        ((retailer, "S9999"), f"no forecast of retailer_id={retailer}, sku_id=S9999 as of {AS_OF}"),
        ((retailer, "S9999"), f"SKUs are forecast for {retailer}: "),
        (("nobody", sku), "nothing is forecast for that retailer"),
        ((*rationed, "--as-of", "2025-09-21"), f"hint: write it with `uncap score --as-of 2025-09-21`, or give one of {AS_OF}, {EARLIER}"),
        ((*rationed, "--week", "2025-12-01"), f"week 2025-12-01: not among the weeks forecast as of {AS_OF}"),
        ((*rationed, "--week", "2025-09-30"), "hint: the Monday of that week is 2025-09-29"),
        ((*rationed, "--week", "soon"), "week soon: not a date"),
    ):
        assert uncap(county.place, "explain", *words) == 2
        printed = capsys.readouterr()
        assert told in printed.err
        assert printed.out == ""


def test_before_anything_is_scored_the_hint_is_to_score(place: Place, uncap: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert uncap(place, "explain", "R1", "S1") == 2
    assert "hint: write the scored tables with `uncap score` first" in capsys.readouterr().err
    assert not (place.folder / "warehouse.duckdb").exists()


def test_a_model_that_is_no_longer_in_the_store_is_named(
    county_copy: Place, uncap: Command, capsys: pytest.CaptureFixture[str], rationed: tuple[str, str]
) -> None:
    with open_warehouse(county_copy.settings) as con:
        con.execute("UPDATE scored.demand_forecast SET model_version = '7'")
    assert uncap(county_copy, "explain", *rationed) == 1
    assert "no version 7 of uncap-demand" in capsys.readouterr().err
