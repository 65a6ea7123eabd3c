"""Whether a backtest tells, by origin and by slice, how far forecasts lay from what came, and leaves the scored tables alone."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from contracts.errors import InputDataError, UsageError
from contracts.scored import CHURN_SCORE, DEMAND_FORECAST, DEMAND_FORECAST_TOTAL, TRUE_DEMAND
from contracts.weeks import HORIZONS, target_week
from flows.backtest import backtest
from flows.settings import Settings
from models.breakdown import MEASURES, VELOCITY_CLASSES
from models.evaluation import FORECASTS
from tests.flows.commands import Command
from tests.small_county import AS_OF, Place

ORIGIN = AS_OF - timedelta(weeks=8)


def with_little_churn(settings: Settings) -> Settings:
    return settings.model_copy(update={"churn": settings.churn.model_copy(update={"origins": 1})})


def made_by_hand(place: Place, folder: Path) -> Path:
    """A rival that knows what was delivered in the eight weeks: it must win where no limit stands."""
    first, last = target_week(ORIGIN, HORIZONS[0]), target_week(ORIGIN, HORIZONS[-1])
    came = f"FROM derived.cells WHERE week_start BETWEEN DATE '{first}' AND DATE '{last}'"
    rows = place.rows(f"SELECT retailer_id, sku_id, week_start, delivered_units AS mean_units {came}").assign(
        as_of=ORIGIN, name="delivered"
    )
    rows.to_parquet(folder / "delivered.parquet", index=False)
    return folder / "delivered.parquet"


def test_a_past_origin_is_judged_against_the_baselines_and_a_rival_and_recorded(
    county_copy: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, page = county_copy.settings, tmp_path / "backtest.html"
    published = (TRUE_DEMAND, DEMAND_FORECAST, DEMAND_FORECAST_TOTAL, CHURN_SCORE)
    stored = [county_copy.rows(f"SELECT * FROM {table.full_name} ORDER BY ALL") for table in published]
    rival = made_by_hand(county_copy, tmp_path)
    comparison = backtest(with_little_churn(settings), AS_OF, 1, rivals=[rival], page=page)
    assert comparison.origin.tolist() == 4 * [ORIGIN]
    losses = comparison.set_index("forecast")
    assert tuple(losses.index) == (*FORECASTS, "delivered")
    assert (losses[list(MEASURES)].notna()).all(axis=None)
    for measure in ("pair_8w_wape_loss", "tier_sku_week_wape_loss", "sku_week_wape_loss", "pinball_loss"):
        assert losses.loc[list(FORECASTS), measure].idxmin() == "model"
    assert losses.pair_8w_wape_loss.idxmin() == "delivered"
    printed = capsys.readouterr().out
    assert "Demand: lower is better" in printed
    assert all(forecast in printed for forecast in losses.index)
    assert "Checks that need no truth" in printed
    assert f"tables and pictures: {page}" in printed
    run = county_copy.rows("SELECT * FROM scored.runs WHERE flow = 'backtest'").iloc[0]
    assert (run["status"], run["rows_written"]) == ("succeeded", "{}")
    for before, table in zip(stored, published, strict=True):
        assert county_copy.rows(f"SELECT * FROM {table.full_name} ORDER BY ALL").equals(before)
    assert_tracked(settings, run["run_id"], losses, page)


def assert_tracked(settings: Settings, run_id: str, losses: pd.DataFrame, page: Path) -> None:
    """The figures, the tables by slice and the page are in the tracking store."""
    client = MlflowClient(tracking_uri=settings.tracking.uri)
    [tracked] = client.search_runs(["1"], f"tags.uncap_run_id = '{run_id}'")
    metrics = tracked.data.metrics
    assert metrics["model.bias"] == pytest.approx(losses.bias["model"])
    expected = 1 - losses.pair_8w_wape_loss["model"] / losses.pair_8w_wape_loss["seasonal_naive"]
    assert metrics["value_added_score.seasonal_naive.pair_8w_wape_loss"] == pytest.approx(expected)
    assert abs(metrics["under_caps.gap"]) < 0.2
    assert metrics["under_caps.p_at_cap"] == pytest.approx(metrics["under_caps.at_cap"], abs=0.05)
    assert metrics["unlimited.pit_distance_loss"] < 0.1
    # learned from what the model of eight weeks before missed, in a county of few pairs
    assert metrics["model.at_most_q90"] == pytest.approx(0.9, abs=0.04)
    assert metrics["totals.coverage_80"] == pytest.approx(0.8, abs=0.1)
    artifacts = Path(tracked.info.artifact_uri.removeprefix("file://"))
    assert (artifacts / "backtest.html").read_text(encoding="utf-8") == page.read_text(encoding="utf-8")
    rows = pd.DataFrame(json.loads((artifacts / "breakdown.json").read_text()))
    ours = rows[rows.forecast == "model"]
    assert set(VELOCITY_CLASSES) <= set(ours[ours.slice_kind == "velocity"].slice_value)
    assert set(ours[ours.slice_kind == "tier"].slice_value) == {"T1", "T2", "T3", "T4", "T5"}
    assert set(ours[ours.slice_kind == "rationing"].slice_value) == {"no cap before or now", "cap lifted", "cap in force"}
    shown = page.read_text(encoding="utf-8")
    for part in (
        "Forecast value added",
        "By supply tier",
        "By share of orders at a cap",
        "orders under caps",
        "PIT histogram",
        "Totals within their interval",
        "delivered",
    ):
        assert part in shown
    assert shown.count("data:image/png;base64,") >= 12


def test_a_faulty_rival_ends_the_backtest_before_anything_is_trained(county_copy: Place, tmp_path: Path) -> None:
    file = tmp_path / "rival.parquet"
    pd.DataFrame({"retailer_id": ["R"], "mean_units": [1.0]}).to_parquet(file)
    with pytest.raises(InputDataError, match="columns name, as_of, sku_id, week_start are missing"):
        backtest(county_copy.settings, AS_OF, 1, rivals=[file], page=tmp_path / "backtest.html")
    assert county_copy.rows("SELECT status FROM scored.runs WHERE flow = 'backtest'").status.tolist() == ["failed"]
    assert not (tmp_path / "backtest.html").exists()


def test_a_page_that_cannot_be_written_is_refused_at_once(county_copy: Place, tmp_path: Path) -> None:
    for page in (tmp_path, tmp_path / "missing" / "backtest.html"):
        with pytest.raises(UsageError, match="cannot be written"):
            backtest(county_copy.settings, AS_OF, 1, page=page)
    assert county_copy.rows("SELECT status FROM scored.runs WHERE flow = 'backtest'").empty


def test_the_command_ends_with_3_and_names_the_fault_of_a_rival(
    county_copy: Place, tmp_path: Path, uncap: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    code = uncap(
        county_copy, "backtest", "--origins", "1", "--rival", str(tmp_path / "none.parquet"), "--page", str(tmp_path / "page.html")
    )
    assert code == 3
    assert "none.parquet: cannot be read as Parquet" in capsys.readouterr().err
