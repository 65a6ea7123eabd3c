"""How models are trained: derive what they learn from, train and judge both, log and register them, promote whom deserves it."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

from contracts.steps import counted
from contracts.weeks import parse_as_of
from flows.check import require_sound_data
from flows.console import Say, narrated
from flows.environment import prepare
from flows.judgement import Training, tell
from flows.opening import open_once_free, open_warehouse
from flows.orchestration import in_flow, named_flow, named_task, show_key_figures, with_retries
from flows.recording import RunRecord, choose_as_of, recorded_run
from flows.register_churn import register_churn
from flows.register_demand import register_demand
from flows.registering import Verdict
from flows.retraining import due_models
from flows.settings import Settings, read_settings
from flows.tracking import CHURN_MODEL, DEMAND_MODEL
from flows.train_churn import train_churn
from flows.train_demand import train_demand
from flows.training import TrainingRows, gather_training_rows
from flows.write_lock import held_locks, warehouse_lock
from models.retraining import Due
from warehouse.held_locks import require_held
from warehouse.transactions import failures_explained


def train(settings: Settings, as_of: date | None, *, if_due: bool = False) -> list[Verdict]:
    """Train the demand and the churn model on what is known as of a Sunday.

    Parameters
    ----------
    settings
        Where the warehouse and the tracking store are, and how to train.
    as_of
        A Sunday; None for the newest.
    if_due
        Train only where a model is due: it is old, left its bounds, or was never trained.

    Returns
    -------
    list[Verdict]
        What became of each model; empty where nothing was due.

    Raises
    ------
    InputDataError
        If there are too few weeks of orders to learn from, or a check of the data finds an error that is not accepted.
    UsageError
        If ``as_of`` does not fit the orders.
    """
    return in_flow("train", train_steps, settings, as_of, if_due=if_due)


@named_flow("train")
def train_flow(config: str | None = None, as_of: str | None = None, *, if_due: bool = False) -> None:
    """Train as a deployment does: with the path of a configuration file and a date, or neither; perhaps only where a model is due."""
    settings = read_settings(Path(config) if config else None)
    prepare(settings)
    train_steps(settings, parse_as_of(as_of, datetime.now(UTC).date()), if_due=if_due)


def train_steps(settings: Settings, as_of: date | None, *, if_due: bool = False) -> list[Verdict]:
    """Train inside a Prefect flow, and record it; perhaps only where a model is due."""
    with recorded_run(settings, flow="train", as_of=as_of, started_at=datetime.now(UTC)) as run, narrated("train", run) as say:
        as_of = run.as_of = with_retries(choose_as_of, settings)(settings, as_of)
        due = with_retries(find_due, settings)(settings, as_of)
        if if_due and not due:
            say("nothing is due: no champion is too old or left its bounds")
            return []
        for name, why in due.items():
            say(f"{name} is due: {why.reason}")
        with warehouse_lock(settings, "write", "train"):
            # no load between the two: what is trained on is what was checked
            require_sound_data(settings, as_of, run, say)
            training_rows = with_retries(fetch_training_rows, settings)(settings, as_of, say)
        verdicts = [train_demand_model(settings, training_rows, run, say, due.get(DEMAND_MODEL))]
        churn = train_churn_model(settings, training_rows, run, say, due.get(CHURN_MODEL))
        verdicts += [churn] if churn else []
    rows = [verdict.row() for verdict in verdicts]
    show_key_figures("uncap-train", rows, f"Models trained as of {as_of}, judged on weeks they had not seen.")
    return verdicts


@named_task("derive cells, recover true demand, and fetch what to train on")
def fetch_training_rows(settings: Settings, as_of: date, say: Say) -> TrainingRows:
    """Fetch all that both models learn from; the warehouse is free again afterwards."""
    with open_warehouse(settings) as con:
        return gather_training_rows(con, settings, as_of, say)


@named_task("see whether a model is due")
def find_due(settings: Settings, as_of: date) -> dict[str, Due]:
    """Return why models are due, by name."""
    with open_once_free(settings) as con:
        return due_models(con, settings, as_of)


@named_task("see that no other training may have begun")
def require_own_locks(settings: Settings) -> None:
    """Refuse to go on where a server has lost the lock that keeps two trainings apart; a file is not opened."""
    if locks := held_locks(settings):
        with open_warehouse(settings) as con, failures_explained("looking at the locks of the warehouse"):
            require_held(con, locks)


@named_task("train the demand model")
def train_demand_model(settings: Settings, rows: TrainingRows, run: RunRecord, say: Say, due: Due | None) -> Verdict:
    """Train, judge, log and register the demand model."""
    watch = rows.seconds.copy()
    trained = train_demand(rows.demand, rows.held_out, settings, watch, say)
    with_retries(require_own_locks, settings)(settings)
    with tempfile.TemporaryDirectory(prefix="uncap-") as folder:
        verdict = register_demand(settings, rows, trained, Training(run.run_id, watch, due), Path(folder))
    run.demand_model_version = verdict.version
    tell(verdict, say)
    return verdict


@named_task("train the churn model")
def train_churn_model(settings: Settings, rows: TrainingRows, run: RunRecord, say: Say, due: Due | None) -> Verdict | None:
    """Train, judge, log and register the churn model; None where no outcome is known yet."""
    if rows.churn.empty:
        say("warning: no churn model: the history is too short to know who stopped ordering")
        return None
    watch, history = rows.seconds.copy(), rows.history
    trained = train_churn(rows.churn, settings, history.as_of, history.attributes, watch, test_origins=settings.churn.test_origins)
    say(counted(len(rows.churn), "outcomes trained the churn model"))
    with_retries(require_own_locks, settings)(settings)
    if trained.note:
        say(f"warning: churn: {trained.note}")
    with tempfile.TemporaryDirectory(prefix="uncap-") as folder:
        verdict = register_churn(settings, rows, trained, Training(run.run_id, watch, due), Path(folder))
    run.churn_model_version = verdict.version
    tell(verdict, say)
    return verdict
