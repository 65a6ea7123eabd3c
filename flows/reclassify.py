"""How retailers are classified again as of a Sunday that was scored: with new overrides or definitions, and without scoring anew."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa

from contracts.customers import RETAILER_SEGMENT, SEGMENT_ALERT
from contracts.scored import CHURN_SCORE, DEMAND_FORECAST
from contracts.steps import counted
from contracts.tables import Table
from contracts.weeks import parse_as_of
from flows.console import Say, narrated
from flows.deriving import build_cells, fetch_censored, recover_as_of
from flows.environment import prepare
from flows.opening import open_warehouse
from flows.orchestration import in_flow, named_flow, named_task, show_key_figures, with_retries
from flows.recording import RunRecord, recorded_run
from flows.registering import RECOVERY
from flows.score import publish_rows
from flows.scored_sundays import chosen_sunday
from flows.segment_alert_rows import segment_alert_rows
from flows.segment_rows import segment_rows
from flows.settings import Settings, read_settings
from flows.tracking import DEMAND_MODEL, model_folder, registered_version
from models.recensoring import Recensoring
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch


def reclassify(settings: Settings, as_of: date | None) -> dict[str, int]:
    """Classify every retailer again as of a scored Sunday, audit that, and replace both tables' rows of it.

    Parameters
    ----------
    settings
        Where the warehouse and the tracking store are.
    as_of
        A Sunday that was scored; None for the newest.

    Returns
    -------
    dict[str, int]
        Rows written by table.

    Raises
    ------
    UsageError
        If nothing was scored, or not as of that Sunday.
    TrackingError
        If the demand model that scored it is not in the tracking store.
    """
    return in_flow("reclassify", reclassify_steps, settings, as_of)


@named_flow("reclassify")
def reclassify_flow(config: str | None = None, as_of: str | None = None) -> None:
    """Classify as a deployment does: with the path of a configuration file and a date, or neither."""
    settings = read_settings(Path(config) if config else None)
    prepare(settings)
    reclassify_steps(settings, parse_as_of(as_of, datetime.now(UTC).date()))


def reclassify_steps(settings: Settings, as_of: date | None) -> dict[str, int]:
    """Classify inside a Prefect flow, and record it."""
    with recorded_run(settings, flow="reclassify", as_of=as_of, started_at=datetime.now(UTC)) as run, narrated("reclassify", run) as say:
        as_of = run.as_of = with_retries(choose_scored, settings)(settings, as_of)
        rows = with_retries(classify_again, settings)(settings, as_of, run, say)
        run.rows_written = with_retries(publish_rows, settings)(settings, as_of, rows, say)
    written = [{"table": name, "rows": count} for name, count in run.rows_written.items()]
    show_key_figures("uncap-reclassify", written, f"Rows written as of {as_of}.")
    return run.rows_written


@named_task("choose a scored Sunday")
def choose_scored(settings: Settings, as_of: date | None) -> date:
    """Return the Sunday to classify as of: the one asked for, or the newest; it must have forecasts."""
    with open_warehouse(settings) as con:
        return chosen_sunday(con, as_of)


@named_task("classify every retailer again, and audit it")
def classify_again(settings: Settings, as_of: date, run: RunRecord, say: Say) -> dict[Table, pa.Table]:
    """Return the rows of both tables, from what is loaded now and from the scores and forecasts that are stored."""
    with open_warehouse(settings) as con:
        scores, forecasts = (_scored(con, described, as_of) for described in (CHURN_SCORE, DEMAND_FORECAST))
        run.demand_model_version = str(forecasts["model_version"][0])
        run.churn_model_version = str(scores["model_version"][0]) if scores.num_rows else None
        demand = registered_version(settings, DEMAND_MODEL, run.demand_model_version)
        say(counted(build_cells(con, as_of), "retailer-SKU-weeks derived"))
        recovery = Recensoring.load(model_folder(settings, demand) / RECOVERY)
        recovered = recover_as_of(con, settings, fetch_censored(con, settings, as_of), [as_of], recovery)[as_of]
        say(counted(len(recovered), "censored weeks recovered"))
        segments = segment_rows(con, settings, as_of, _frame(scores), forecasts, run.run_id)
        alerts = segment_alert_rows(con, settings, as_of, _frame(segments), run.run_id)
        say(counted(segments.num_rows, f"retailers classified, {alerts.num_rows:,} alerts"))
    return {RETAILER_SEGMENT: segments, SEGMENT_ALERT: alerts}


def _scored(con: Warehouse, described: Table, as_of: date) -> pa.Table:
    rows = contract_table(described)
    return fetch(con, rows.filter(rows.as_of == as_of).order_by(*described.key))


def _frame(rows: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = rows.to_pandas()
    return frame
