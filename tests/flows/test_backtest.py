"""Whether a backtest tells, origin by origin, how far forecasts lay from what came, and leaves the scored tables alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from mlflow import MlflowClient

from contracts.scored import CHURN_SCORE, DEMAND_FORECAST, TRUE_DEMAND
from flows.backtest import MEASURES, backtest
from models.evaluation import FORECASTS
from tests.small_county import AS_OF, Place


def test_a_past_origin_is_judged_against_the_baselines_and_recorded(county_copy: Place, capsys: pytest.CaptureFixture[str]) -> None:
    settings = county_copy.settings
    stored = [county_copy.rows(f"SELECT * FROM {table.full_name} ORDER BY ALL") for table in (TRUE_DEMAND, DEMAND_FORECAST, CHURN_SCORE)]
    comparison = backtest(settings.model_copy(update={"churn": settings.churn.model_copy(update={"origins": 1})}), AS_OF, 1)
    assert comparison.origin.tolist() == 3 * [AS_OF - timedelta(weeks=8)]
    losses = comparison.set_index("forecast")
    assert tuple(losses.index) == FORECASTS
    assert (losses[list(MEASURES)].notna()).all(axis=None)
    for measure in ("pair_8w_wape_loss", "sku_week_wape_loss", "pinball_loss"):
        assert losses[measure].idxmin() == "model"
    printed = capsys.readouterr().out
    assert "Demand: lower is better" in printed
    assert all(forecast in printed for forecast in FORECASTS)
    run = county_copy.rows("SELECT * FROM scored.runs WHERE flow = 'backtest'").iloc[0]
    assert (run["status"], run["rows_written"]) == ("succeeded", "{}")
    tracked = MlflowClient(tracking_uri=settings.tracking.uri).search_runs(["1"], f"tags.uncap_run_id = '{run['run_id']}'")
    assert [found.data.metrics["model.bias"] for found in tracked] == [pytest.approx(losses.bias["model"])]
    for before, table in zip(stored, (TRUE_DEMAND, DEMAND_FORECAST, CHURN_SCORE), strict=True):
        assert county_copy.rows(f"SELECT * FROM {table.full_name} ORDER BY ALL").equals(before)
