"""Where the trials of a tuning are kept, and how a later call goes on with them: an Optuna study in an SQLite file."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna import Study
from optuna.exceptions import StorageInternalError
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from contracts.errors import ConfigurationError, TrackingError
from flows.locations import PROJECT_FOLDER, database_of
from flows.locking import only_one_process
from flows.search_space import PRESENT, present_values
from flows.settings import Settings
from flows.training import History

UNPRUNED_TRIALS = 5
"""So many trials are finished before any is broken off."""


def study_file(settings: Settings) -> Path:
    """Return the SQLite file of the studies.

    Raises
    ------
    ConfigurationError
        If none is set and the tracking store is a server, beside which no file can lie.
    """
    if settings.tune.study_file:
        return (PROJECT_FOLDER / Path(settings.tune.study_file).expanduser()).resolve()
    database = database_of(settings.tracking.uri)
    if database is None:
        raise ConfigurationError(
            f"tune.study_file: empty, and the tracking store {settings.tracking.uri} is a server; expected the path of a file",
            hint='set study_file in the section [tune] of the file you pass with --config, for instance to "data/tuning.db"',
        )
    return database.with_name("tuning.db")


def study_name(settings: Settings, history: History, code_version: str) -> str:
    """Return a name that is the same where losses are comparable: same Sunday, orders, settings, ranges and code.

    Threads count for nothing.
    """
    compared = settings.model_dump(
        include={"calendar", "features", "recovery", "demand", "cold_start", "tune"},
        exclude={"demand": {"lightgbm": {"num_threads"}}, "tune": {"study_file"}},
    )
    tables = [[table.table, table.rows, table.content_hash] for table in history.lineage]
    told = json.dumps([compared, tables, code_version], sort_keys=True)
    return f"demand {history.as_of} {hashlib.sha256(told.encode()).hexdigest()[:12]}"


@contextmanager
def opened_study(settings: Settings, name: str) -> Iterator[Study]:
    """Open a study, or begin it, for one process at a time.

    Trials that a killed process left running count as failed. The present settings are the next trial until they have a loss.

    Raises
    ------
    TrackingError
        If another process is tuning, or the file cannot be used.
    """
    optuna.logging.set_verbosity(logging.getLevelNamesMapping()[settings.logging.libraries])
    file = study_file(settings)
    try:
        with only_one_process(file.with_name(f"{file.name}.lock"), wait=False):
            yield from _study(settings, file, name)
    except BlockingIOError as error:
        raise TrackingError(
            f"{file}: another `uncap tune` is at work with it", hint="wait until it ends, or set tune.study_file to another file"
        ) from error
    except (StorageInternalError, SQLAlchemyError) as error:
        raise TrackingError(
            f"{file}: the study cannot be read or written: {str(error).strip().partition(chr(10))[0]}",
            hint="check the disk and the rights of the file, or set tune.study_file to a new one",
        ) from error


def _study(settings: Settings, file: Path, name: str) -> Iterator[Study]:
    storage = optuna.storages.RDBStorage(f"sqlite:///{file}")
    try:
        study = optuna.create_study(
            storage=storage, study_name=name, load_if_exists=True, pruner=optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED_TRIALS)
        )
        for left in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            study.tell(left.number, state=TrialState.FAIL)
        if not _of_present_settings(study, TrialState.COMPLETE, TrialState.WAITING):
            study.enqueue_trial(present_values(settings), user_attrs={PRESENT: True})
        # a seed of its own for each call: with the same one a second call would draw what the first one drew
        study.sampler = optuna.samplers.TPESampler(seed=settings.demand.seed + len(study.trials))
        yield study
    finally:
        storage.remove_session()
        storage.engine.dispose()


def present_trial(study: Study) -> FrozenTrial | None:
    """Return the finished trial of the present settings, None before it."""
    found = _of_present_settings(study, TrialState.COMPLETE)
    return found[0] if found else None


def finished_trials(study: Study) -> int:
    """Return how many trials have a loss or were broken off as poor."""
    return len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)))


def _of_present_settings(study: Study, *states: TrialState) -> list[FrozenTrial]:
    return [trial for trial in study.get_trials(deepcopy=False, states=states) if trial.user_attrs.get(PRESENT)]
