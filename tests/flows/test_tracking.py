"""Models, their figures and their champions in the tracking store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from datetime import date
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from matplotlib.figure import Figure
from mlflow import MlflowClient

from contracts.errors import TrackingError, UsageError
from flows.registry import crown, keep_as_challenger
from flows.settings import Settings
from flows.tracking import (
    CHURN_MODEL,
    DEMAND_MODEL,
    ModelVersion,
    TableLineage,
    champion,
    model_folder,
    tracked_run,
)

PAIR_WEEKS = pd.DataFrame({"mean_4w": [1.0, 2.5], "horizon_weeks": [1, 8]})


class Multiplier:
    """A model as the flows know one: a folder of text, ``load`` and ``predict``."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def save(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "multiplier.json").write_text(json.dumps({"factor": self.factor}))

    @classmethod
    def load(cls, folder: Path) -> Multiplier:
        return cls(json.loads((folder / "multiplier.json").read_text())["factor"])

    def predict(self, pair_weeks: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"mean_units": self.factor * pair_weeks["mean_4w"]})


def trained(settings: Settings, folder: Path, factor: float, *, as_of: str = "2019-09-29") -> ModelVersion:
    """Train a multiplier: log it with everything a training logs, and register it."""
    model = Multiplier(factor)
    model.save(folder)
    with tracked_run(settings, f"train {as_of}", {"as_of": as_of}) as run:
        run.log_parameters({"seed": 1, "lightgbm": {"num_leaves": 31}} | {f"p{n}": n for n in range(150)})
        run.log_metrics({"headline.wape": factor / 10})
        run.log_document("by_horizon.json", [{"horizon_weeks": 1, "wape": 0.4}])
        run.log_figure("plots/empty.png", Figure())
        run.log_lineage([TableLineage("raw.order_lines", 7, date(2019, 1, 1), date(2019, 9, 29), "0a1b")])
        return run.register_model(
            DEMAND_MODEL,
            folder,
            model_class=f"{__name__}:Multiplier",
            input_example=PAIR_WEEKS,
            output_example=model.predict(PAIR_WEEKS),
        )


def test_there_is_no_champion_before_the_first_training(settings: Settings, tmp_path: Path) -> None:
    assert champion(settings, DEMAND_MODEL) is None
    assert not (tmp_path / "mlruns").exists()


def test_a_registered_version_is_champion_only_once_promoted(tracked_settings: Settings, tmp_path: Path) -> None:
    first = trained(tracked_settings, tmp_path / "model", 4.0)
    assert champion(tracked_settings, DEMAND_MODEL) is None
    crown(tracked_settings, DEMAND_MODEL, first.version)
    found = champion(tracked_settings, DEMAND_MODEL)
    assert found is not None
    assert (found.version, found.tags["as_of"], found.metrics) == ("1", "2019-09-29", {"headline.wape": 0.4})
    assert Multiplier.load(model_folder(tracked_settings, found)).factor == 4.0
    assert champion(tracked_settings, CHURN_MODEL) is None


def test_a_challenger_leaves_the_champion_alone_and_loses_its_alias_when_promoted(tracked_settings: Settings, tmp_path: Path) -> None:
    first, second = trained(tracked_settings, tmp_path / "a", 4.0), trained(tracked_settings, tmp_path / "b", 3.0)
    crown(tracked_settings, DEMAND_MODEL, first.version)
    keep_as_challenger(tracked_settings, second)
    store = MlflowClient(tracking_uri=tracked_settings.tracking.uri)
    assert {alias: str(v) for alias, v in store.get_registered_model(DEMAND_MODEL).aliases.items()} == {"champion": "1", "challenger": "2"}
    crown(tracked_settings, DEMAND_MODEL, second.version)
    assert {alias: str(v) for alias, v in store.get_registered_model(DEMAND_MODEL).aliases.items()} == {"champion": "2"}


def test_mlflow_itself_can_load_and_ask_the_champion(tracked_settings: Settings, tmp_path: Path) -> None:
    crown(tracked_settings, DEMAND_MODEL, trained(tracked_settings, tmp_path / "model", 4.0).version)
    served = mlflow.pyfunc.load_model(f"models:/{DEMAND_MODEL}@champion")
    assert served.predict(PAIR_WEEKS)["mean_units"].tolist() == [4.0, 10.0]
    assert served.metadata.get_input_schema().input_names() == ["mean_4w", "horizon_weeks"]
    assert served.metadata.load_input_example()["mean_4w"].tolist() == [1.0, 2.5]


def test_no_file_of_a_model_is_a_pickle(tracked_settings: Settings, tmp_path: Path) -> None:
    trained(tracked_settings, tmp_path / "model", 4.0)
    suffixes = {path.suffix for path in (tmp_path / "mlruns" / "artifacts").rglob("*") if path.is_file() and path.name != "MLmodel"}
    assert suffixes - {"", ".json", ".yaml", ".txt", ".py", ".png"} == set()


def test_a_run_keeps_parameters_documents_pictures_and_lineage(tracked_settings: Settings, tmp_path: Path) -> None:
    version = trained(tracked_settings, tmp_path / "model", 4.0)
    store = MlflowClient(tracking_uri=tracked_settings.tracking.uri)
    run = store.get_run(version.run_id)
    assert run.info.status == "FINISHED"
    assert {name: run.data.params[name] for name in ("seed", "lightgbm.num_leaves", "p149")} == {
        "seed": "1",
        "lightgbm.num_leaves": "31",
        "p149": "149",
    }
    assert {file.path for file in store.list_artifacts(version.run_id)} == {"by_horizon.json", "plots"}
    assert run.inputs is not None
    order_lines = run.inputs.dataset_inputs[0].dataset
    assert (order_lines.name, order_lines.digest) == ("raw.order_lines", "0a1b")
    assert json.loads(str(order_lines.profile)) == {"rows": 7, "first_day": "2019-01-01", "last_day": "2019-09-29"}


def test_a_training_that_fails_is_a_failed_run_with_its_reason(tracked_settings: Settings) -> None:
    with pytest.raises(UsageError), tracked_run(tracked_settings, "train", {}) as run:
        raise UsageError("one week of orders", hint="load more")
    failed = MlflowClient(tracking_uri=tracked_settings.tracking.uri).get_run(run.run_id)
    assert (failed.info.status, failed.data.tags["error"]) == ("FAILED", "one week of orders\nHint: load more")


def test_a_store_whose_files_were_moved_says_where_they_should_be(tracked_settings: Settings, tmp_path: Path) -> None:
    crown(tracked_settings, DEMAND_MODEL, trained(tracked_settings, tmp_path / "model", 4.0).version)
    (tmp_path / "mlruns").rename(tmp_path / "moved")
    moved = tracked_settings.tracking.model_copy(update={"uri": f"sqlite:///{tmp_path}/moved/mlflow.db"})
    with pytest.raises(TrackingError, match=f"are recorded in {tmp_path}/mlruns/artifacts, which is not there"):
        champion(tracked_settings.model_copy(update={"tracking": moved}), DEMAND_MODEL)


def test_a_database_of_something_else_is_a_tracking_error(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns" / "mlflow.db").write_text("not a database, but long enough to be taken for one by its name alone")
    with pytest.raises(TrackingError, match="the tracking store sqlite:////"):
        champion(settings, DEMAND_MODEL)


def test_two_processes_that_meet_on_a_fresh_store_share_one_experiment(settings: Settings, tmp_path: Path) -> None:
    script = textwrap.dedent("""
        from flows.settings import read_settings
        from flows.environment import prepare
        settings = read_settings()
        prepare(settings)
        from flows.tracking import tracked_run
        with tracked_run(settings, "first use", {}):
            pass
    """)
    stores = {"UNCAP_TRACKING_URI": str(tmp_path / "mlruns")}
    started = [subprocess.Popen([sys.executable, "-c", script], env=os.environ | stores, stderr=subprocess.PIPE, text=True) for _ in "ab"]
    told = [process.communicate(timeout=600)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0], told
    assert told == ["", ""]
    store = MlflowClient(tracking_uri=settings.tracking.uri)
    experiment = store.get_experiment_by_name("uncap")
    assert experiment is not None
    assert len(store.search_runs([experiment.experiment_id])) == 2
