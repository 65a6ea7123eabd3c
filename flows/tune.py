"""How better settings of the demand model are searched: trials on past Sundays, until a budget of minutes is used up."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import optuna
from optuna import Study, Trial
from optuna.trial import FrozenTrial, TrialState

from contracts.errors import UsageError
from flows.console import Say, narrated
from flows.locations import PROJECT_FOLDER
from flows.opening import open_warehouse
from flows.orchestration import in_flow, named_task, show_key_figures, with_retries
from flows.recording import RunRecord, choose_as_of, code_version, recorded_run
from flows.search_space import chosen_values, searched, values_of, with_values
from flows.settings import Settings
from flows.studies import finished_trials, opened_study, present_trial, study_file, study_name
from flows.tracking import TrackedRun, tracked_run
from flows.train_demand import CRITERION
from flows.training import History, derive_history
from flows.tuned_settings import Tuning, counted, print_tuning, write_tuned
from flows.tuning_rows import TuningOrigin, gather_origins
from flows.write_lock import warehouse_lock

DEFAULT_OUT = PROJECT_FOLDER / "data" / "tuned.toml"

LOGGED = "model."
"""Prefix of the figures that a trial logs."""


@dataclass(frozen=True)
class Budget:
    """When no further trial begins; one that is under way is finished.

    Attributes
    ----------
    deadline
        On the clock of ``time.monotonic``, seconds.
    trials
        At most so many in this call; None for any number.
    """

    deadline: float
    trials: int | None

    @property
    def seconds(self) -> float:
        """What is left, 0 at least."""
        return max(0.0, self.deadline - time.monotonic())


def tune(
    settings: Settings,
    as_of: date | None,
    *,
    minutes: float,
    trials: int | None = None,
    config: Path | None = None,
    out: Path = DEFAULT_OUT,
) -> Tuning:
    """Search better settings of the demand model, and write them to a file where there are any.

    A call with the same orders, settings and code as an earlier one goes on with its trials.

    Parameters
    ----------
    settings
        The present ones, and what to search.
    as_of
        Nothing later counts; None for the newest Sunday.
    minutes
        From now; no trial begins later, and one that is under way is finished.
    trials
        At most so many in this call.
    config
        The file the settings came from, whose keys the written file has too.
    out
        TOML file to write.

    Returns
    -------
    Tuning
        The best settings and the present ones.

    Raises
    ------
    InputDataError
        If the history is too short to judge on any past Sunday.
    TrackingError
        If another process is tuning, or a store cannot be used.
    UsageError
        If the file cannot be written, or time was up before the first trial.
    """
    began = time.monotonic()
    _require_writable(out, config)
    study_file(settings)
    return in_flow("tune", tune_steps, settings, as_of, Budget(began + 60 * minutes, trials), config, out)


def tune_steps(settings: Settings, as_of: date | None, budget: Budget, config: Path | None, out: Path) -> Tuning:
    """Tune inside a Prefect flow, record it and show it."""
    with recorded_run(settings, flow="tune", as_of=as_of, started_at=datetime.now(UTC)) as run, narrated("tune", run) as say:
        as_of = run.as_of = with_retries(choose_as_of, settings)(settings, as_of)
        history, origins = with_retries(fetch_origins, settings)(settings, as_of, say)
        tuning = search(settings, history, origins, run, budget, say)
        if tuning.better:
            write_tuned(tuning, config, out)
    show_key_figures("uncap-tune", tuning.rows(), tuning.sentence())
    print_tuning(tuning, out)
    return tuning


@named_task("derive cells, recover true demand, and fetch what trials learn from")
def fetch_origins(settings: Settings, as_of: date, say: Say) -> tuple[History, list[TuningOrigin]]:
    """Fetch all that the trials need; the warehouse is free again afterwards."""
    with warehouse_lock(settings, "write", "tune"), open_warehouse(settings) as con:
        history = derive_history(con, settings, as_of, say)
        return history, gather_origins(con, settings, history, say)


@named_task("search for better settings")
def search(settings: Settings, history: History, origins: list[TuningOrigin], run: RunRecord, budget: Budget, say: Say) -> Tuning:
    """Run trials until the budget is used up, each as a run of its own under that of the call."""
    as_of, name = history.as_of, study_name(settings, history, code_version())
    tags = {"as_of": as_of.isoformat(), "uncap_run_id": run.run_id, "study": name}
    with opened_study(settings, name) as study, tracked_run(settings, f"tune {as_of}", tags) as tracked:
        before = finished_trials(study)
        say(f"study {name!r}: {'begun' if not before else f'goes on after {counted(before)}'}")
        tracked.log_parameters({"study": name, "tune": settings.tune.model_dump(), "searched": searched(settings)})
        try:
            study.optimize(
                lambda trial: _loss_of(trial, settings, origins, tags),
                n_trials=budget.trials,
                timeout=budget.seconds,
                callbacks=[lambda study, trial: say(_told(study, trial))],
            )
        except KeyboardInterrupt:
            say("interrupted; the trials before are kept, and the same command goes on from here")
            raise
        tuning = _state_of(study, settings, history, origins, before)
        _log(tracked, tuning)
    return tuning


def _loss_of(trial: Trial, settings: Settings, origins: list[TuningOrigin], tags: dict[str, str]) -> float:
    """Return the mean loss over the origins, newest first; a trial that is poor on the first ones is not tried on the rest."""
    values = chosen_values(trial, settings)
    losses: list[float] = []
    with tracked_run(settings, f"trial {trial.number}", tags | {"trial": str(trial.number)}, nested=True) as tracked:
        tracked.log_parameters(values)
        for step, origin in enumerate(origins):
            figures = origin.judge(with_values(settings, values))
            losses.append(figures[CRITERION])
            tracked.log_metrics({name: value for name, value in figures.items() if name.startswith(LOGGED)}, step=step)
            trial.report(float(np.mean(losses)), step)
            if step < len(origins) - 1 and trial.should_prune():
                break
        tracked.log_metrics({"pinball_loss": float(np.mean(losses)), "origins": len(losses)})
    if len(losses) < len(origins):
        raise optuna.TrialPruned
    return float(np.mean(losses))


def _told(study: Study, trial: FrozenTrial) -> str:
    present = present_trial(study)
    if trial.state is TrialState.PRUNED:
        return f"trial {trial.number}: broken off, worse than half of the trials on the newest weeks"
    if trial.value is None or present is None:
        return f"warning: trial {trial.number}: no loss"
    if present.number == trial.number:
        return f"trial {trial.number}: pinball loss {trial.value:.5f}, the present settings"
    change = 100 * (trial.value / float(present.values[0]) - 1)
    best = ", the best so far" if study.best_trial.number == trial.number else ""
    return f"trial {trial.number}: pinball loss {trial.value:.5f} ({change:+.2f} %){best}"


def _state_of(study: Study, settings: Settings, history: History, origins: list[TuningOrigin], before: int) -> Tuning:
    """Sum up the study.

    Raises
    ------
    UsageError
        If not even the present settings were tried.
    """
    present = present_trial(study)
    if present is None:
        raise UsageError("--minutes: used up before the first trial, by fetching what to learn from", hint="give more minutes")
    best, finished = study.best_trial, finished_trials(study)
    return Tuning(
        as_of=history.as_of,
        origins=[origin.held_out.origin for origin in origins],
        trials=finished,
        new_trials=finished - before,
        present_loss=present.values[0],
        best_trial=best.number,
        best_loss=best.values[0],
        best=values_of(best, settings),
    )


def _log(tracked: TrackedRun, tuning: Tuning) -> None:
    tracked.log_metrics(
        {
            "trials": tuning.trials,
            "new_trials": tuning.new_trials,
            "present.pinball_loss": tuning.present_loss,
            "best.pinball_loss": tuning.best_loss,
        }
    )
    tracked.log_document("best.json", {"trial": tuning.best_trial, "settings": tuning.best})


def _require_writable(out: Path, config: Path | None) -> None:
    if out.is_dir() or not out.parent.is_dir():
        raise UsageError(f"{out}: cannot be written: its folder is missing, or it is one", hint="give --out a file in a folder that exists")
    if config is not None and out.resolve() == config.resolve():
        raise UsageError(f"{out}: is the file of --config, which is not written over", hint="give --out another file")
