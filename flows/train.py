"""How models are trained: derive what they learn from, train and judge both, log and register them, promote whom deserves it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from contracts.cells import CELLS
from contracts.errors import InputDataError
from contracts.raw import ORDER_LINES
from contracts.weeks import last_week, week_start_of
from flows.churn_rows import churn_origins, retailer_attributes
from flows.console import Say, narrated
from flows.deriving import build_cells, recover_as_of, usable_attributes
from flows.environment import prepare
from flows.lineage import table_lineage
from flows.opening import as_of_or_newest, open_warehouse
from flows.orchestration import in_flow, named_flow, named_task, show_key_figures, with_retries
from flows.recording import RunRecord, recorded_run
from flows.register_churn import register_churn
from flows.register_demand import register_demand
from flows.registering import Verdict
from flows.settings import Settings, read_settings
from flows.timing import Stopwatch
from flows.tracking import TableLineage
from flows.train_churn import train_churn
from flows.train_demand import cut_offs_to_recover, train_demand
from warehouse.tables import fetch, table


@dataclass(frozen=True)
class TrainingData:
    """What a training starts from, all of it in the warehouse but these few facts."""

    as_of: date
    first_week: date
    attributes: tuple[str, ...]
    lineage: tuple[TableLineage, ...]


def train(settings: Settings, as_of: date | None) -> list[Verdict]:
    """Train the demand and the churn model on what is known as of a Sunday.

    Parameters
    ----------
    settings
        Where the warehouse and the tracking store are, and how to train.
    as_of
        A Sunday; None for the newest.

    Returns
    -------
    list[Verdict]
        What became of each model.

    Raises
    ------
    InputDataError
        If there are too few weeks of orders to learn from.
    UsageError
        If ``as_of`` does not fit the orders.
    """
    return in_flow("train", train_steps, settings, as_of)


@named_flow("train")
def train_flow(config: str | None = None, as_of: str | None = None) -> None:
    """Train as a deployment does: with the path of a configuration file and a date, or neither."""
    settings = read_settings(Path(config) if config else None)
    prepare(settings)
    train_steps(settings, date.fromisoformat(as_of) if as_of else None)


def train_steps(settings: Settings, as_of: date | None) -> list[Verdict]:
    """Train inside a Prefect flow, and record it."""
    as_of = with_retries(choose_as_of, settings)(settings, as_of)
    with recorded_run(settings, flow="train", as_of=as_of, started_at=datetime.now(UTC)) as run, narrated("train") as say:
        data = with_retries(derive_training_data, settings)(settings, as_of, say)
        verdicts = [with_retries(train_demand_model, settings)(settings, data, run, say)]
        churn = with_retries(train_churn_model, settings)(settings, data, run, say)
        verdicts += [churn] if churn else []
    rows = [verdict.row() for verdict in verdicts]
    show_key_figures("uncap-train", rows, f"Models trained as of {as_of}, judged on weeks they had not seen.")
    return verdicts


@named_task("choose as_of")
def choose_as_of(settings: Settings, as_of: date | None) -> date:
    """Return the Sunday to work on."""
    with open_warehouse(settings) as con:
        return as_of_or_newest(con, as_of)


@named_task("derive cells and recover true demand as of each cut-off")
def derive_training_data(settings: Settings, as_of: date, say: Say) -> TrainingData:
    """Build the derived tables that training reads."""
    with open_warehouse(settings) as con:
        lines = table(con, ORDER_LINES)
        first_day = fetch(con, lines.aggregate(first=lines.ordered_on.min())).to_pylist()[0]["first"]
        first_week = week_start_of(first_day)
        require_history(settings, first_week, as_of)
        build_cells(con)
        cells = table(con, CELLS).count().as_table()
        say(f"{fetch(con, cells).to_pylist()[0].popitem()[1]:,} retailer-SKU-weeks derived")
        attributes = usable_attributes(con, settings)
        cut_offs = {*cut_offs_to_recover(settings, as_of, first_week), *churn_origins(settings, as_of, first_week)}
        recovered = recover_as_of(con, settings, sorted(cut_offs, reverse=True))
        say(f"{len(recovered[as_of]):,} censored weeks recovered, as of {len(recovered)} cut-offs")
        return TrainingData(as_of, first_week, attributes, tuple(table_lineage(con)))


@named_task("train the demand model")
def train_demand_model(settings: Settings, data: TrainingData, run: RunRecord, say: Say) -> Verdict:
    """Train, judge, log and register the demand model."""
    watch = Stopwatch()
    with open_warehouse(settings) as con:
        trained = train_demand(con, settings, data.as_of, data.first_week, data.attributes, watch)
    with tempfile.TemporaryDirectory(prefix="uncap-") as folder:
        verdict = register_demand(settings, data.as_of, run.run_id, trained, data.lineage, watch, Path(folder))
    run.demand_model_version = verdict.version
    say(verdict.sentence())
    return verdict


@named_task("train the churn model")
def train_churn_model(settings: Settings, data: TrainingData, run: RunRecord, say: Say) -> Verdict | None:
    """Train, judge, log and register the churn model; None where no outcome is known yet."""
    watch = Stopwatch()
    attributes = retailer_attributes(data.attributes)
    with open_warehouse(settings) as con:
        trained = train_churn(con, settings, data.as_of, data.first_week, attributes, watch)
    if trained is None:
        say("warning: no churn model: the history is too short to know who stopped ordering")
        return None
    if trained.note:
        say(f"warning: churn: {trained.note}")
    with tempfile.TemporaryDirectory(prefix="uncap-") as folder:
        verdict = register_churn(settings, data.as_of, run.run_id, trained, data.lineage, watch, Path(folder), attributes)
    run.churn_model_version = verdict.version
    say(verdict.sentence())
    return verdict


def require_history(settings: Settings, first_week: date, as_of: date) -> None:
    """Refuse to train on too few weeks.

    Raises
    ------
    InputDataError
        Saying how many there are and how many it takes.
    """
    weeks, needed = (last_week(as_of) - first_week).days // 7 + 1, settings.demand.min_history_weeks
    if weeks < needed:
        raise InputDataError(
            [f"raw.order_lines.ordered_on: {weeks} weeks of orders up to {as_of}, from {first_week}; expected at least {needed}"],
            hint=f"load older orders too, or train as of {first_week + timedelta(days=7 * needed - 1)} or later (demand.min_history_weeks)",
        )


def table_of_verdicts(verdicts: Sequence[Verdict]) -> list[list[object]]:
    """Return the verdicts as rows for people to read."""
    return [list(verdict.row().values()) for verdict in verdicts]
