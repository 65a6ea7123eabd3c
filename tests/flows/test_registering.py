"""What a training leaves in MLflow, and which of two models scores."""

from __future__ import annotations

import json
from datetime import timedelta

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from flows.features_made import features_of, features_version, unmade
from flows.model_choice import find_models
from flows.registry import logged_text
from flows.tracking import CHURN_MODEL, DEMAND_MODEL, champion, model_folder
from flows.train import train
from tests.flows.commands import Command
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
    assert aliases(retrained, DEMAND_MODEL) == {"champion": "2", "challenger": "3", "previous": "1"}
    demand, _ = find_models(retrained.settings, AS_OF)
    assert demand.version == "2"
    runs = retrained.rows("SELECT demand_model_version AS version, status FROM scored.runs WHERE flow = 'train' ORDER BY started_at")
    assert runs.version.tolist() == ["1", "2", "3"]
    assert set(runs.status) == {"succeeded"}


def test_a_verdict_has_both_models_figures_at_three_origins_within_the_held_out_weeks(retrained: Place) -> None:
    store = store_of(retrained)
    run_id = str(store.get_model_version(DEMAND_MODEL, "3").run_id)
    verdict = json.loads(logged_text(retrained.settings, run_id, "verdict.json") or "{}")
    assert (verdict["verdict"], verdict["champion_before"]) == ("challenger", "2")
    assert [origin["origin"] for origin in verdict["origins"]] == [str(AS_OF - timedelta(weeks=weeks)) for weeks in (8, 6, 4)]
    for origin in verdict["origins"]:
        assert set(origin["challenger"]) == set(origin["champion"]) == {"pinball_loss", "bias", "tier_sku_week_wape_loss", "pair_wape_loss"}
        assert origin["challenger"]["pinball_loss"] > origin["champion"]["pinball_loss"]
    # fewer weeks are known after a later origin, of about as many pairs
    rows = [origin["rows"] for origin in verdict["origins"]]
    assert rows[0] > 1.2 * rows[1] > 1.2 * 1.2 * rows[2]
    logged = [metric.value for metric in sorted(store.get_metric_history(run_id, "judged.pinball_loss"), key=lambda metric: metric.step)]
    assert logged == pytest.approx([origin["challenger"]["pinball_loss"] for origin in verdict["origins"]])


@pytest.mark.parametrize("name", MODELS)
def test_the_card_of_a_version_is_its_description_and_names_data_figures_and_limits(county: ScoredCounty, name: str) -> None:
    store = store_of(county.place)
    version = store.get_model_version_by_alias(name, "champion")
    card = logged_text(county.place.settings, str(version.run_id), "model_card.md") or ""
    assert str(version.description) == card[:5000]
    order_lines = county.place.rows("SELECT count(*) AS n FROM raw.order_lines").n[0]
    for told in (f"| raw.order_lines | {order_lines:,} |", f"uncap train --as-of {AS_OF}", "Champion, the first."):
        assert told in card
    figures = run_of_champion(county.place, name).data.metrics
    shown = figures[{DEMAND_MODEL: "model.pinball_loss", CHURN_MODEL: "served.brier_loss_13w"}[name]]
    assert f"| {shown:.4g} |" in card


def test_every_model_that_scores_takes_features_that_are_made_and_says_which(county: ScoredCounty) -> None:
    for name in MODELS:
        version = champion(county.place.settings, name)
        assert version is not None
        features = features_of(name, model_folder(county.place.settings, version))
        assert unmade(name, features) == []
        assert version.tags["features_version"] == features_version(features)


def test_training_if_due_trains_nothing_while_the_champions_are_new(
    county_copy: Place, uncap: Command, capfd: pytest.CaptureFixture[str]
) -> None:
    assert uncap(county_copy, "train", "--if-due") == 0
    assert "nothing is due" in capfd.readouterr().err
    assert [len(store_of(county_copy).search_model_versions(f"name = '{name}'")) for name in MODELS] == [1, 1]


def test_scoring_with_the_models_of_then_fails_where_none_was_trained_by_then(
    county_copy: Place, uncap: Command, capfd: pytest.CaptureFixture[str]
) -> None:
    assert uncap(county_copy, "score", "--as-of", str(EARLIER), "--models", "as-of") == 1
    assert f"was trained as of {EARLIER} or before; the first is of {AS_OF}" in capfd.readouterr().err
