"""How is a scored Sunday monitored: what was forecast for its last week is held against what came, and what moved is told?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import pandas as pd

from contracts.errors import TrackingError, UncapError
from contracts.monitoring import MONITORING
from contracts.scored import TRUE_DEMAND
from contracts.steps import counted
from contracts.weeks import parse_as_of
from flows.alerts import NO_WEBHOOK, SENT, send_alert
from flows.console import Say, narrated
from flows.deriving import build_cells
from flows.environment import prepare
from flows.monitor_churn import churn_measures
from flows.monitor_demand import LawOf, demand_measures
from flows.monitor_features import feature_measures
from flows.monitor_judging import Finding, MonitoringException, exceptions_of, judge, monitoring_rows, past_of
from flows.monitor_orders import order_measures, recovery_measures, run_measures
from flows.monitor_persistence import persistent_measures
from flows.monitor_scores import score_measures
from flows.opening import open_warehouse
from flows.orchestration import in_flow, named_flow, named_task, with_retries
from flows.recording import recorded_run
from flows.registering import FINAL
from flows.scored_sundays import chosen_sunday
from flows.settings import Settings, read_settings
from flows.tracking import DEMAND_MODEL, model_folder, registered_version
from models.demand import DemandModel
from models.estimates import Measured
from warehouse.publish import publish
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch


@dataclass(frozen=True)
class Monitored:
    """What monitoring found as of a Sunday."""

    as_of: date
    findings: tuple[Finding, ...]
    exceptions: tuple[MonitoringException, ...]

    def count(self, status: str) -> int:
        """Count the findings of a status."""
        return sum(finding.status == status for finding in self.findings)


class AlertsRaisedError(UncapError):
    """Monitoring found what it was told to fail on."""


def monitor(settings: Settings, as_of: date | None) -> Monitored:
    """Monitor a Sunday that was scored, and replace what was measured as of it.

    Parameters
    ----------
    settings
        Where the warehouse is, and what is out of bounds.
    as_of
        A Sunday; None for the newest that was scored.

    Raises
    ------
    UsageError
        If it was not scored.
    """
    return in_flow("monitor", monitor_steps, settings, as_of)


@named_flow("monitor")
def monitor_flow(config: str | None = None, as_of: str | None = None) -> None:
    """Monitor as a deployment does: with the path of a configuration file and a date, or neither."""
    settings = read_settings(Path(config) if config else None)
    prepare(settings)
    monitor_steps(settings, parse_as_of(as_of, datetime.now(UTC).date()))


def monitor_steps(settings: Settings, as_of: date | None, *, cells_are_built: bool = False) -> Monitored:
    """Monitor inside a Prefect flow, record it, and post what is out of bounds to the webhook."""
    with recorded_run(settings, flow="monitor", as_of=as_of, started_at=datetime.now(UTC)) as run, narrated("monitor", run) as say:
        found = with_retries(measure_and_publish, settings)(settings, as_of, run.run_id, say, cells_are_built=cells_are_built)
        monitored, run.rows_written = found
        run.as_of = monitored.as_of
        found_out = f"{monitored.count('alert')} alerts, {monitored.count('watch')} to watch"
        say(counted(len(monitored.findings), f"measures as of {monitored.as_of}: {found_out}"))
        for exception in monitored.exceptions:
            say(f"warning: {exception.sentence}")
        _tell(settings, monitored, say)
    return monitored


@named_task("measure and publish what became of the forecasts")
def measure_and_publish(
    settings: Settings, as_of: date | None, run_id: str, say: Say, *, cells_are_built: bool
) -> tuple[Monitored, dict[str, int]]:
    """Measure, judge against the weeks before, and replace the rows of this ``as_of`` in one transaction."""
    with open_warehouse(settings) as con:
        as_of = chosen_sunday(con, as_of)
        if not cells_are_built:
            build_cells(con, as_of)
        stored = contract_table(MONITORING)
        recovered = contract_table(TRUE_DEMAND)
        newest = fetch(con, recovered.aggregate(newest=recovered.as_of.max()))["newest"][0].as_py()
        if newest is not None and newest > as_of:
            say(f"true demand is kept as recovered as of {newest}: shares, uplift and totals of {as_of} rest on that")
        kept = stored.select("as_of", "area", "measure", "slice_kind", "slice_value", "value", "error", "status", "since")
        before: pd.DataFrame = fetch(con, kept.filter(stored.as_of < as_of)).to_pandas()
        past = past_of(before, as_of, settings.monitoring.history_weeks)
        measured = _measures(con, as_of, law_of(settings, say))
        measured += persistent_measures(measured, past, settings.monitoring)
        findings = judge(measured, past, settings.monitoring, as_of)
        rows, keep_weeks = {MONITORING: monitoring_rows(findings, as_of, run_id)}, settings.publish.keep_weeks.by_table()
        written = publish(con, rows, as_of=as_of, keep_weeks=keep_weeks)
    return Monitored(as_of, tuple(findings), tuple(exceptions_of(findings, settings.monitoring.exceptions))), written


def _measures(con: Warehouse, as_of: date, law: LawOf) -> list[Measured]:
    return [
        *demand_measures(con, as_of, law),
        *churn_measures(con, as_of),
        *feature_measures(con, as_of),
        *score_measures(con, as_of),
        *recovery_measures(con, as_of),
        *order_measures(con, as_of),
        *run_measures(con, as_of),
    ]


def law_of(settings: Settings, say: Say) -> LawOf:
    """Return what gives the demand model of a version, each loaded once; None, and a warning, where the tracking store does not give it."""

    @cache
    def law(version: str) -> DemandModel | None:
        try:
            return DemandModel.load(model_folder(settings, registered_version(settings, DEMAND_MODEL, version)) / FINAL)
        except TrackingError as error:
            say(f"warning: weeks under a cap are left out that demand model {version} forecast: {error.message}")
            return None

    return law


def _tell(settings: Settings, monitored: Monitored, say: Say) -> None:
    """Post the exceptions that are grave enough; say so where that failed."""
    grave = [each for each in monitored.exceptions if each.status == "alert" or settings.alerts.least_status == "watch"]
    if not grave:
        return
    became = send_alert(
        settings.alerts,
        f"uncap: {len(grave)} exceptions as of {monitored.as_of}",
        [each.sentence for each in grave],
        [asdict(each) for each in grave],
    )
    if became != NO_WEBHOOK:
        say(f"{len(grave)} exceptions sent to the webhook" if became == SENT else f"warning: {became}")


def fail_on(monitored: Monitored, status: str) -> None:
    """Fail where there is an exception of a status or a graver one.

    Raises
    ------
    AlertsRaisedError
        With exit code 1: bad input, 3, is for what stops a run.
    """
    grave = monitored.count("alert") + (monitored.count("watch") if status == "watch" else 0)
    if grave:
        raise AlertsRaisedError(
            f"scored.monitoring: {grave} measures out of their bounds as of {monitored.as_of}; expected none",
            hint="the exceptions above say what to do about each; `uncap monitor --page FILE` shows them with their past",
        )
