"""Whether a study goes on after anything: another call, an interruption, a killed process, and two processes at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from datetime import date
from pathlib import Path

import pytest
from optuna import Trial
from optuna.trial import TrialState

from contracts.errors import ConfigurationError, TrackingError
from flows.search_space import chosen_values, present_values, with_values
from flows.settings import Calendar, Settings
from flows.studies import finished_trials, opened_study, present_trial, study_file, study_name
from flows.tracking import TableLineage
from flows.training import History

NAME = "demand 2025-09-28 0123"

KILLED = """
    import os, signal
    from flows.settings import read_settings
    from flows.search_space import chosen_values
    from flows.studies import opened_study

    settings = read_settings()
    with opened_study(settings, "demand 2025-09-28 0123") as study:
        chosen_values(study.ask(), settings)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def with_study_file(settings: Settings, address: str) -> Settings:
    return settings.model_copy(update={"tune": settings.tune.model_copy(update={"study_file": address})})


def history(as_of: date = date(2025, 9, 28), orders: str = "a1") -> History:
    lineage = TableLineage("raw.order_lines", 100, date(2023, 10, 2), as_of, orders)
    return History(as_of, date(2023, 10, 2), ("tier",), (lineage,), Calendar(country="CN", subdivision="", moving_holidays=[]))


def leaves(trial: Trial, settings: Settings) -> float:
    return float(chosen_values(trial, settings)["num_leaves"])


def test_a_second_call_goes_on_after_the_present_settings_and_draws_others(settings: Settings) -> None:
    for n_trials, finished in ((2, 2), (3, 5)):
        with opened_study(settings, NAME) as study:
            study.optimize(lambda trial: leaves(trial, settings), n_trials=n_trials)
            assert finished_trials(study) == finished
            present, trials = present_trial(study), study.trials
    assert present is not None
    assert (present.number, present.params) == (0, present_values(settings))
    assert len({trial.params["learning_rate"] for trial in trials}) == 5


def test_an_interrupted_trial_counts_as_failed_and_the_present_settings_are_tried_again(settings: Settings) -> None:
    def interrupted(trial: Trial) -> float:
        chosen_values(trial, settings)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), opened_study(settings, NAME) as study:
        study.optimize(interrupted, n_trials=1)
    with opened_study(settings, NAME) as study:
        assert [trial.state for trial in study.trials] == [TrialState.FAIL, TrialState.WAITING]
        study.optimize(lambda trial: leaves(trial, settings), n_trials=1)
        present = present_trial(study)
        assert finished_trials(study) == 1
    assert present is not None
    assert present.value == settings.demand.lightgbm.num_leaves


def test_a_trial_of_a_killed_process_counts_as_failed(settings: Settings, tmp_path: Path) -> None:
    stores = {"UNCAP_WAREHOUSE_URL": str(tmp_path / "warehouse.duckdb"), "UNCAP_TRACKING_URI": str(tmp_path / "mlruns")}
    command = [sys.executable, "-c", textwrap.dedent(KILLED)]
    killed = subprocess.run(command, check=False, env=os.environ | stores, capture_output=True, text=True, timeout=120)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with opened_study(settings, NAME) as study:
        assert [trial.state for trial in study.trials] == [TrialState.FAIL, TrialState.WAITING]


def test_a_second_process_is_refused_while_one_is_tuning(settings: Settings) -> None:
    with (
        opened_study(settings, NAME),
        pytest.raises(TrackingError, match="another `uncap tune` is at work with it"),
        opened_study(settings, NAME),
    ):
        pass


def test_a_file_that_is_no_database_is_told(settings: Settings, tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_text("not a database", encoding="utf-8")
    with (
        pytest.raises(TrackingError, match=r"broken\.db: the study cannot be read or written: "),
        opened_study(with_study_file(settings, str(broken)), NAME),
    ):
        pass


def test_losses_are_compared_only_for_the_same_orders_sunday_settings_and_code(settings: Settings) -> None:
    name = study_name(settings, history(), "1.0+abc")
    assert name.startswith("demand 2025-09-28 ")
    assert study_name(with_values(settings, {"num_threads": 7}), history(), "1.0+abc") == name
    assert study_name(with_study_file(settings, "elsewhere.db"), history(), "1.0+abc") == name
    others = {
        study_name(settings, history(orders="b2"), "1.0+abc"),
        study_name(settings, history(as_of=date(2025, 9, 21)), "1.0+abc"),
        study_name(with_values(settings, {"num_leaves": 7}), history(), "1.0+abc"),
        study_name(settings.model_copy(update={"tune": settings.tune.model_copy(update={"origins": 1})}), history(), "1.0+abc"),
        study_name(settings, history(), "1.0+def"),
    }
    assert len(others | {name}) == 6


def test_studies_lie_beside_a_local_tracking_store_or_where_they_are_set(settings: Settings, tmp_path: Path) -> None:
    server = settings.model_copy(update={"tracking": settings.tracking.model_copy(update={"uri": "http://127.0.0.1:5000"})})
    assert study_file(settings) == tmp_path / "mlruns" / "tuning.db"
    assert study_file(with_study_file(server, str(tmp_path / "mine.db"))) == tmp_path / "mine.db"
    with pytest.raises(ConfigurationError, match=r"tune\.study_file: empty, and the tracking store http://127\.0\.0\.1:5000 is a server"):
        study_file(server)
