"""How the scored tables come about: champions predict as of a Sunday, and all of it is published in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa

from contracts.monitoring import FEATURE_DRIFT
from contracts.scored import CHURN_SCORE, DEMAND_FORECAST, DEMAND_FORECAST_TOTAL, TRUE_DEMAND
from contracts.steps import counted
from contracts.tables import Table
from contracts.weeks import parse_as_of
from flows.check import require_sound_data
from flows.churn_scores import score_retailers
from flows.console import Say, narrated
from flows.customer_rows import customer_rows
from flows.demand_forecasts import LAWS_ALONE, forecast_pairs, true_demand_rows
from flows.deriving import build_cells, fetch_censored, recover_as_of
from flows.environment import prepare
from flows.model_choice import CHAMPIONS, Choice, choice_named, find_models
from flows.monitor import monitor_steps
from flows.opening import open_warehouse
from flows.orchestration import in_flow, named_flow, named_task, show_key_figures, with_retries
from flows.recording import RunRecord, choose_as_of, recorded_run
from flows.registering import RECOVERY
from flows.settings import Settings, read_settings
from flows.tracking import ModelVersion, model_folder
from flows.write_lock import warehouse_lock
from models.recensoring import Recensoring
from warehouse.publish import publish


def score(settings: Settings, as_of: date | None, models: Choice = CHAMPIONS) -> dict[str, int]:
    """Score every pair and retailer as of a Sunday, and replace what was scored as of it.

    Parameters
    ----------
    settings
        Where the warehouse and the tracking store are.
    as_of
        A Sunday; None for the newest.
    models
        ``champion`` for those of today, ``as-of`` for those of when that Sunday was the newest known.

    Returns
    -------
    dict[str, int]
        Rows written by table.

    Raises
    ------
    TrackingError
        If no model was trained yet.
    UsageError
        If ``as_of`` does not fit the orders.
    InputDataError
        If the orders of the week that ends with ``as_of`` have not come, or a check of the data finds an error that is not accepted; the
        scored tables stay as they were.
    """
    return in_flow("score", score_steps, settings, as_of, models)


@named_flow("score")
def score_flow(config: str | None = None, as_of: str | None = None, models: str = CHAMPIONS) -> None:
    """Score as a deployment does: with the path of a configuration file, a date, and which models, or none of these."""
    settings = read_settings(Path(config) if config else None)
    prepare(settings)
    score_steps(settings, parse_as_of(as_of, datetime.now(UTC).date()), choice_named(models))


def score_steps(settings: Settings, as_of: date | None, models: Choice = CHAMPIONS) -> dict[str, int]:
    """Score inside a Prefect flow, record it, and monitor it; no run between the two replaces what both rest on."""
    with warehouse_lock(settings, "write", "score"):
        run = publish_scores(settings, as_of, models)
        try:
            monitor_steps(settings, run.as_of, cells_are_built=True)
        except Exception as error:  # any failure: it only is told what it did not touch, and goes on
            error.add_note(
                f"the scores as of {run.as_of} are published; only monitoring failed: repeat it with `uncap monitor --as-of {run.as_of}`"
            )
            raise
        return run.rows_written


def publish_scores(settings: Settings, as_of: date | None, models: Choice) -> RunRecord:
    """Score inside a Prefect flow, and record it."""
    with recorded_run(settings, flow="score", as_of=as_of, started_at=datetime.now(UTC)) as run, narrated("score", run) as say:
        as_of = run.as_of = with_retries(choose_as_of, settings)(settings, as_of)
        require_sound_data(settings, as_of, run, say)
        demand, churn = find_scoring(settings, as_of, models)
        run.demand_model_version = demand.version
        run.churn_model_version = churn.version if churn else None
        for model in (demand, churn):
            if model is not None and model.tags.get("as_of", "") > as_of.isoformat():
                say(f"warning: {model.name} {model.version} was trained as of {model.tags['as_of']}: it has seen weeks after {as_of}")
        rows = with_retries(score_everything, settings)(settings, as_of, run, demand, churn, say)
        run.rows_written = with_retries(publish_rows, settings)(settings, as_of, rows, say)
    written = [{"table": name, "rows": count} for name, count in run.rows_written.items()]
    show_key_figures("uncap-score", written, f"Rows written as of {as_of} with demand model {demand.version}.")
    return run


@named_task("find the models")
def find_scoring(settings: Settings, as_of: date, models: Choice) -> tuple[ModelVersion, ModelVersion | None]:
    """Return the models of demand and churn that score; there is none for churn while no outcome is known."""
    return find_models(settings, as_of, models)


@named_task("recover true demand, forecast it, score churn")
def score_everything(
    settings: Settings, as_of: date, run: RunRecord, demand: ModelVersion, churn: ModelVersion | None, say: Say
) -> dict[Table, pa.Table]:
    """Return the rows of every scored table, holding the warehouse throughout: another process would replace what was recovered."""
    rows: dict[Table, pa.Table] = {}
    with open_warehouse(settings) as con:
        say(counted(build_cells(con, as_of), "retailer-SKU-weeks derived"))
        recovery = Recensoring.load(model_folder(settings, demand) / RECOVERY)
        recovered = recover_as_of(con, settings, fetch_censored(con, settings, as_of), [as_of], recovery)[as_of]
        rows[TRUE_DEMAND] = true_demand_rows(recovered, as_of, demand.version if recovery else LAWS_ALONE, run.run_id)
        say(counted(rows[TRUE_DEMAND].num_rows, "censored weeks recovered"))
        rows |= forecast_pairs(con, settings, as_of, demand, run.run_id, say)
        say(counted(rows[DEMAND_FORECAST].num_rows, "pair-weeks forecast"))
        if rows[DEMAND_FORECAST].num_rows and not rows[DEMAND_FORECAST_TOTAL].num_rows:
            say(f"warning: {demand.name} {demand.version} knows no totals of eight weeks: train again")
        weekly_margin = pd.Series(dtype=float)
        if churn is not None:
            scored, weekly_margin = score_retailers(con, settings, as_of, churn, run.run_id)
            drift = pa.concat_tables([rows[FEATURE_DRIFT], scored[FEATURE_DRIFT]])
            rows |= scored | {FEATURE_DRIFT: drift}
            say(counted(rows[CHURN_SCORE].num_rows, "retailers scored"))
        rows |= customer_rows(con, settings, as_of, rows, weekly_margin, run.run_id, say)
    return rows


@named_task("publish the scored tables")
def publish_rows(settings: Settings, as_of: date, rows: Mapping[Table, pa.Table], say: Say) -> dict[str, int]:
    """Replace the rows of this ``as_of`` in one transaction."""
    with open_warehouse(settings) as con:
        written = publish(con, rows, as_of=as_of, keep_weeks=settings.publish.keep_weeks.by_table())
    say(counted(sum(written.values()), f"rows published as of {as_of}"))
    return written
