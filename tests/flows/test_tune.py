"""Whether a tuning tries settings in the order of time, goes on where it stopped, and writes only what is better."""

from __future__ import annotations

import time
from datetime import date, timedelta
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from contracts.errors import InputDataError, UsageError
from flows.cli import main
from flows.recording import RunRecord
from flows.search_space import with_values
from flows.settings import Calendar, Settings, read_settings
from flows.training import History
from flows.tune import Budget, search, tune
from flows.tuning_rows import tuning_origins
from tests.flows.commands import Command
from tests.small_county import AS_OF, Place

POOR = {"num_iterations": 2, "order_num_iterations": 2, "learning_rate": 0.001}
"""So few and small steps that nearly everything is better."""

CALENDAR = Calendar(country="CN", subdivision="", moving_holidays=[])
ORIGINS = [AS_OF - timedelta(weeks=8), AS_OF - timedelta(weeks=16)]


def quick(settings: Settings) -> Settings:
    """Few rows, few trees, and poor present settings."""
    ranges = settings.tune.ranges.model_copy(
        update={"num_iterations": [20, 30], "order_num_iterations": [10, 15], "learning_rate": [0.1, 0.2], "num_leaves": [4, 15]}
    )
    limited = settings.tune.model_copy(update={"max_training_rows": 6_000, "max_judged_pairs": 1_500, "ranges": ranges})
    return with_values(settings.model_copy(update={"tune": limited}), POOR)


def tracked(settings: Settings, as_of: date) -> tuple[list[Run], list[Run]]:
    """Return the runs of the calls and of their trials, newest first."""
    found = MlflowClient(tracking_uri=settings.tracking.uri).search_runs(["1"], f"tags.as_of = '{as_of}'")
    runs = [run for run in found if "study" in run.data.tags]
    return [run for run in runs if "trial" not in run.data.tags], [run for run in runs if "trial" in run.data.tags]


def test_a_tuning_goes_on_where_it_stopped_and_writes_what_is_better(
    county_copy: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, out = quick(county_copy.settings), tmp_path / "tuned.toml"
    # a study is of one version, and a commit or an edit meanwhile makes another
    monkeypatch.setattr("flows.tune.code_version", lambda: "0")
    first = tune(settings, AS_OF, minutes=10, trials=1, config=county_copy.config, out=out)
    assert (first.trials, first.new_trials, first.better) == (1, 1, False)
    assert not out.exists()
    printed = capsys.readouterr()
    assert "Nothing beats the present settings; nothing was written." in printed.out
    assert ": begun" in printed.err

    second = tune(settings, AS_OF, minutes=10, trials=3, config=county_copy.config, out=out)
    assert (second.trials, second.new_trials, second.better) == (4, 3, True)
    assert second.present_loss == first.present_loss
    assert second.origins == ORIGINS
    told = capsys.readouterr()
    assert ": goes on after 1 trial\n" in told.err
    assert f"--config {out}" in told.out
    assert read_settings(out, environment=county_copy.stores) == with_values(county_copy.settings, second.best)
    assert_runs(settings, second.best_loss)
    runs = county_copy.rows("SELECT status, rows_written FROM scored.runs WHERE flow = 'tune'")
    assert runs.values.tolist() == 2 * [["succeeded", "{}"]]


def assert_runs(settings: Settings, best_loss: float) -> None:
    """The tracking store has a run for each call, and under it one for each trial with what it chose and its figures."""
    calls, trials = tracked(settings, AS_OF)
    assert [call.data.metrics["new_trials"] for call in calls] == [3, 1]
    parents = [trial.data.tags["mlflow.parentRunId"] for trial in trials]
    assert parents == 3 * [calls[0].info.run_id] + [calls[1].info.run_id]
    assert min(trial.data.metrics["pinball_loss"] for trial in trials) == pytest.approx(best_loss)
    assert {trial.data.params["num_iterations"] for trial in trials if trial.data.tags["trial"] == "0"} == {"2"}
    assert all({"model.bias", "model.pair_8w_wape_loss"} <= trial.data.metrics.keys() for trial in trials)
    assert {call.data.tags["study"] for call in calls} == {trial.data.tags["study"] for trial in trials}


def test_origins_are_as_many_as_the_history_allows(county_copy: Place) -> None:
    settings = county_copy.settings
    assert tuning_origins(settings, History(AS_OF, date(2023, 10, 2), (), (), CALENDAR)) == ORIGINS
    for weeks, allowed in ((38, 2), (32, 1)):
        short = History(AS_OF, AS_OF - timedelta(weeks=weeks) + timedelta(days=1), (), (), CALENDAR)
        assert tuning_origins(settings, short) == ORIGINS[:allowed]
    with pytest.raises(InputDataError, match="too short a history before 2025-08-03"):
        tuning_origins(settings, History(AS_OF, AS_OF - timedelta(weeks=15, days=-1), (), (), CALENDAR))


@pytest.mark.usefixtures("prefect_server")
def test_a_budget_that_is_used_up_before_the_first_trial_is_bad_usage(tracked_settings: Settings) -> None:
    history, run = History(AS_OF, date(2023, 10, 2), (), (), CALENDAR), RunRecord("tune-1")
    with pytest.raises(UsageError, match="--minutes: used up before the first trial"):
        search.fn(tracked_settings, history, [], run, Budget(time.monotonic(), None), lambda _step: None)
    [call], trials = tracked(tracked_settings, AS_OF)
    assert (call.info.status, trials) == ("FAILED", [])


def test_a_file_that_cannot_be_written_or_is_the_configuration_ends_with_2(
    place: Place, tmp_path: Path, uncap: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    for out, fault in (
        (tmp_path, "cannot be written"),
        (tmp_path / "no" / "t.toml", "cannot be written"),
        (place.config, "is the file of --config"),
    ):
        assert uncap(place, "tune", "--out", str(out)) == 2
        assert fault in capsys.readouterr().err


def test_a_tracking_server_needs_a_place_for_the_study(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place.config.write_text('[tracking]\nuri = "http://127.0.0.1:9"\n', encoding="utf-8")
    monkeypatch.setenv("UNCAP_WAREHOUSE_URL", place.stores["UNCAP_WAREHOUSE_URL"])
    assert main(["tune", "--config", str(place.config), "--out", str(tmp_path / "tuned.toml")]) == 2
    assert "tune.study_file: empty, and the tracking store http://127.0.0.1:9 is a server" in capsys.readouterr().err


def test_a_tuning_without_orders_ends_with_2(place: Place, tmp_path: Path, uncap: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert uncap(place, "tune", "--trials", "1", "--out", str(tmp_path / "tuned.toml")) == 2
    assert "raw.order_lines: no order is loaded" in capsys.readouterr().err
