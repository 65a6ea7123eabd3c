"""What a training leaves in MLflow, and which of two models scores."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from flows.registering import decide
from flows.score import find_champions
from flows.tracking import CHURN_MODEL, DEMAND_MODEL, ModelVersion, champion, model_folder
from flows.train import train
from tests.small_county import AS_OF, EARLIER, Place, ScoredCounty, copy_place

MODELS = (DEMAND_MODEL, CHURN_MODEL)


def store_of(place: Place) -> MlflowClient:
    return MlflowClient(tracking_uri=place.settings.tracking.uri, registry_uri=place.settings.tracking.uri)


def run_of_champion(place: Place, name: str) -> Run:
    store = store_of(place)
    return store.get_run(str(store.get_model_version_by_alias(name, "champion").run_id))


def aliases(place: Place, name: str) -> dict[str, str]:
    return {alias: str(version) for alias, version in store_of(place).get_registered_model(name).aliases.items()}


@pytest.fixture(scope="module")
def retrained(county: ScoredCounty, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The county trained again on the same data, then once more with a demand model that has hardly learned anything."""
    place = copy_place(county.place, tmp_path_factory.mktemp("retrained") / "copy")
    train(place.settings, AS_OF)
    settings = place.settings
    stump = settings.demand.lightgbm.model_copy(update={"num_iterations": 1, "order_num_iterations": 1, "learning_rate": 0.0001})
    demand = settings.demand.model_copy(update={"lightgbm": stump})
    churn = settings.churn.model_copy(update={"origins": 1})
    train(settings.model_copy(update={"demand": demand, "churn": churn}), AS_OF)
    return place


@pytest.mark.parametrize("name", MODELS)
def test_the_first_model_becomes_champion(county: ScoredCounty, name: str) -> None:
    assert aliases(county.place, name) == {"champion": "1"}


@pytest.mark.parametrize("name", MODELS)
def test_a_training_logs_parameters_and_figures_against_baselines(county: ScoredCounty, name: str) -> None:
    run = run_of_champion(county.place, name)
    assert run.info.status == "FINISHED"
    section = name.removeprefix("uncap-")
    learning_rate = getattr(county.place.settings, section).lightgbm.learning_rate
    assert run.data.params[f"{section}.lightgbm.learning_rate"] == str(learning_rate)
    metric, baselines = {
        DEMAND_MODEL: ("pair_8w_wape_loss", ["seasonal_naive", "recent_mean"]),
        CHURN_MODEL: ("brier_loss_13w", ["recency"]),
    }[name]
    figures = run.data.metrics
    assert all(figures[f"{forecast}.{metric}"] > 0 for forecast in ("model", *baselines))
    assert 0 < figures["seconds.lightgbm"] <= figures["seconds.total"]


def test_the_demand_model_beats_both_baselines_on_weeks_it_has_not_seen(county: ScoredCounty) -> None:
    figures = run_of_champion(county.place, DEMAND_MODEL).data.metrics
    for baseline in ("seasonal_naive", "recent_mean"):
        for metric in ("pinball_loss", "pair_8w_wape_loss", "sku_week_wape_loss"):
            assert figures[f"model.{metric}"] < figures[f"{baseline}.{metric}"]


@pytest.mark.parametrize("name", MODELS)
def test_a_training_logs_pictures_and_the_rows_it_was_made_from(county: ScoredCounty, name: str) -> None:
    run = run_of_champion(county.place, name)
    plots = [file.path for file in store_of(county.place).list_artifacts(run.info.run_id, "plots")]
    expected = {DEMAND_MODEL: ["error_by_horizon", "feature_importance", "order_calibration", "quantile_coverage"]}
    assert sorted(plots) == [f"plots/{plot}.png" for plot in expected.get(name, ["calibration", "feature_importance"])]
    assert run.inputs is not None
    lineage = {entry.dataset.name: json.loads(str(entry.dataset.profile)) for entry in run.inputs.dataset_inputs}
    order_lines = county.place.rows("SELECT count(*) AS n, CAST(min(ordered_on) AS TEXT) AS first FROM raw.order_lines").iloc[0]
    assert lineage["raw.order_lines"]["rows"] == order_lines["n"]
    assert lineage["raw.order_lines"]["first_day"] == order_lines["first"]
    assert {"raw.retailers", "raw.allocation_limits"} <= set(lineage)


@pytest.mark.parametrize("name", MODELS)
def test_mlflow_itself_loads_the_champion_and_asks_it_its_input_example(county: ScoredCounty, name: str) -> None:
    mlflow.set_tracking_uri(county.place.settings.tracking.uri)
    mlflow.set_registry_uri(county.place.settings.tracking.uri)
    served = mlflow.pyfunc.load_model(f"models:/{name}@champion")
    example = served.metadata.load_input_example()
    predictions = served.predict(example)
    assert isinstance(predictions, pd.DataFrame)
    assert len(predictions) == len(example) > 0
    assert list(predictions.columns) == served.metadata.get_output_schema().input_names()
    assert ("mean_units" if name == DEMAND_MODEL else "p_churn_13w") in predictions.columns
    # of a retailer without a year, or where too few declined, the other targets are not known
    known = predictions.drop(columns=["p_decline_13w", "p_category_loss_13w"], errors="ignore")
    assert known.select_dtypes("number").notna().all(axis=None)


@pytest.mark.parametrize("name", MODELS)
def test_no_file_of_a_model_is_a_pickle(county: ScoredCounty, name: str) -> None:
    version = champion(county.place.settings, name)
    assert version is not None
    files = [path for path in model_folder(county.place.settings, version).rglob("*") if path.is_file()]
    assert {"mean_0.txt", "demand.json"} <= {path.name for path in files} or name == CHURN_MODEL
    assert {path.suffix for path in files} <= {".txt", ".json"}
    everything = [path for path in (county.place.folder / "mlruns" / "artifacts").rglob("*") if path.is_file()]
    assert not [path for path in everything if b"\x80\x04" in path.read_bytes()[:4] or path.suffix in (".pkl", ".pickle", ".joblib")]


@pytest.mark.parametrize("name", MODELS)
def test_the_same_data_again_give_the_same_figures_and_a_new_champion(retrained: Place, name: str) -> None:
    store = store_of(retrained)
    first, second = (store.get_run(str(store.get_model_version(name, version).run_id)).data.metrics for version in ("1", "2"))
    judged = {metric for metric in first if not metric.startswith("seconds.")}
    # sums of the linear algebra underneath differ in the last digits with the threads that share them
    assert {metric: second[metric] for metric in judged} == pytest.approx({metric: first[metric] for metric in judged}, rel=1e-9, abs=1e-12)
    assert aliases(retrained, name)["champion"] != "1"


def test_a_worse_model_stays_challenger_and_the_champion_goes_on_scoring(retrained: Place) -> None:
    assert aliases(retrained, DEMAND_MODEL) == {"champion": "2", "challenger": "3"}
    demand, _ = find_champions.fn(retrained.settings)
    assert demand.version == "2"
    runs = retrained.rows("SELECT demand_model_version AS version, status FROM scored.runs WHERE flow = 'train' ORDER BY started_at")
    assert runs.version.tolist() == ["1", "2", "3"]
    assert set(runs.status) == {"succeeded"}


@pytest.mark.parametrize(("loss", "wins"), [(0.29, True), (0.30, True), (0.31, False)])
def test_only_a_worse_model_is_kept_out(county: ScoredCounty, tmp_path: Path, loss: float, wins: bool) -> None:
    place = copy_place(county.place, tmp_path / "copy")
    assert decide(place.settings, rival_as_of(AS_OF, place), loss, lambda _: 0.30) == (wins, 0.30, "1")
    assert ("challenger" in aliases(place, CHURN_MODEL)) is not wins


def test_a_model_that_knows_less_than_the_champion_is_kept_out_unjudged(county: ScoredCounty, tmp_path: Path) -> None:
    place = copy_place(county.place, tmp_path / "copy")
    assert decide(place.settings, rival_as_of(EARLIER, place), 0.0, lambda _: 0.30) == (False, None, "1")
    assert aliases(place, CHURN_MODEL) == {"champion": "1", "challenger": "1"}


def rival_as_of(as_of: date, place: Place) -> ModelVersion:
    """Return the one churn model there is as though it had just been trained as of another Sunday."""
    first = champion(place.settings, CHURN_MODEL)
    assert first is not None
    return replace(first, tags={"as_of": as_of.isoformat()})
