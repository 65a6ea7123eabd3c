"""What is there: which tables are loaded and scored, which models are champions, how each flow last ended, and what to do next."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from rich.console import Console

from contracts.customers import CUSTOMER_TABLES
from contracts.raw import RAW_TABLES
from contracts.scored import CHURN_SCORE, DEMAND_FORECAST, DEMAND_FORECAST_TOTAL, TRUE_DEMAND
from contracts.tables import Kind, Table
from contracts.weeks import last_sunday
from flows.console import table_of
from flows.locations import database_of
from flows.missed_weeks import Overdue, healing_command, missed_sundays, overdue_flows
from flows.monitor_status import MonitoringCount, newest_counts
from flows.opening import open_warehouse
from flows.passwords import masked
from flows.retraining import due_models
from flows.settings import Settings
from flows.tracking import CHURN_MODEL, DEMAND_MODEL, champion
from warehouse.addresses import shown
from warehouse.runs import last_runs
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

SHOWN = (TRUE_DEMAND, DEMAND_FORECAST, DEMAND_FORECAST_TOTAL, CHURN_SCORE, *CUSTOMER_TABLES)
"""Scored tables that the status lists."""

REMARKS = ("promotion_gate", "false_churn")
"""Tags of a model version that tell in words which forecast was chosen and why, and what became of retailers taken for churners."""


@dataclass(frozen=True)
class LoadedTable:
    """An input table: its rows and the span of its first required date, if it has one."""

    table: str
    rows: int
    first_day: date | None
    last_day: date | None


@dataclass(frozen=True)
class ScoredTable:
    """A scored table: its rows, its newest ``as_of``, and the rows of that ``as_of``."""

    table: str
    rows: int
    newest_as_of: date | None
    rows_of_newest: int


@dataclass(frozen=True)
class Champion:
    """The champion of a registered model; ``version`` is None before the first training, ``remarks`` are those of REMARKS it has."""

    model: str
    version: str | None
    as_of: str | None
    metrics: dict[str, float]
    remarks: dict[str, str]


@dataclass(frozen=True)
class Run:
    """The last run of a flow."""

    flow: str
    run_id: str
    as_of: date | None
    started_at: datetime
    finished_at: datetime | None
    status: str
    error: str | None


@dataclass(frozen=True)
class Retraining:
    """A champion in whose place a new training is due, and why."""

    model: str
    reason: str


@dataclass(frozen=True)
class Status:
    """Everything that ``uncap status`` tells; ``missed_sundays`` were not scored, ``overdue`` flows have not succeeded for a week."""

    warehouse: str
    tracking: str
    loaded: tuple[LoadedTable, ...]
    scored: tuple[ScoredTable, ...]
    champions: tuple[Champion, ...]
    runs: tuple[Run, ...]
    missed_sundays: tuple[date, ...]
    overdue: tuple[Overdue, ...]
    monitoring: MonitoringCount | None
    retraining: tuple[Retraining, ...]
    next_step: str | None


def read_status(settings: Settings, now: datetime | None = None) -> Status:
    """Look into the warehouse and the tracking store, without making either.

    Parameters
    ----------
    settings
        Where they are.
    now
        When it is, with a time zone; the clock's time if None.

    Raises
    ------
    WarehouseError
        If another process holds the warehouse.
    TrackingError
        If the tracking store cannot be reached.
    """
    loaded: tuple[LoadedTable, ...] = ()
    scored: tuple[ScoredTable, ...] = ()
    runs: tuple[Run, ...] = ()
    missed: tuple[date, ...] = ()
    overdue: tuple[Overdue, ...] = ()
    monitoring: MonitoringCount | None = None
    retraining: tuple[Retraining, ...] = ()
    now = now or datetime.now(UTC)
    file = database_of(settings.warehouse.url)
    if file is None or file.exists():
        with open_warehouse(settings) as con:
            loaded = tuple(_loaded(con, described) for described in RAW_TABLES)
            scored = tuple(_scored(con, described) for described in SHOWN)
            runs = tuple(_run(row) for row in last_runs(con).to_pylist())
            missed, overdue = tuple(missed_sundays(con, now.date())), tuple(overdue_flows(con, now))
            monitoring = newest_counts(con)
            retraining = _retraining(con, settings, loaded)
    champions = tuple(_champion(settings, name) for name in (DEMAND_MODEL, CHURN_MODEL))
    next_step = _next_step(loaded, scored, champions) or _catching_up(missed, overdue)
    addresses = (shown(settings.warehouse.url), masked(settings.tracking.uri))
    return Status(*addresses, loaded, scored, champions, runs, missed, overdue, monitoring, retraining, next_step)


def as_json(status: Status) -> str:
    """Return the status as a JSON document; dates and times are ISO texts."""
    return json.dumps(asdict(status), indent=2, default=lambda value: value.isoformat(), ensure_ascii=False)


def print_status(status: Status, console: Console) -> None:
    """Print the status as tables."""
    console.print(f"warehouse  {status.warehouse}\ntracking   {status.tracking}\n", markup=False)
    loaded = [(t.table, t.rows, t.first_day, t.last_day) for t in status.loaded if t.rows]
    if loaded:
        console.print(table_of("Loaded", ["table", "rows", "first day", "last day"], loaded, numbers=["rows"]), "")
    scored = [(t.table, t.rows, t.newest_as_of, t.rows_of_newest) for t in status.scored if t.rows]
    if scored:
        columns = ["table", "rows", "newest as_of", "rows of it"]
        console.print(table_of("Scored", columns, scored, numbers=["rows", "rows of it"]), "")
    champions = [(c.model, c.version, c.as_of, _headline(c.metrics)) for c in status.champions if c.version]
    if champions:
        console.print(table_of("Champions", ["model", "version", "trained as of", "on the held-out origin"], champions))
        remarks = [f"{c.model}: {remark}" for c in status.champions for remark in c.remarks.values()]
        console.print(*remarks, "", sep="\n", markup=False)
    runs = [(r.flow, r.status, r.as_of, _minute(r.started_at), _seconds(r), _first_line(r.error)) for r in status.runs]
    if runs:
        columns = ["flow", "ended", "as of", "started (UTC)", "seconds", "why it failed"]
        console.print(table_of("Last runs", columns, runs, numbers=["seconds"]), "")
    if status.monitoring is not None:
        counts = status.monitoring
        told = f"{counts.alerts} alerts, {counts.watched} to watch" if counts.alerts + counts.watched else "all within their bounds"
        console.print(f"Monitoring as of {counts.as_of}: {counts.measures:,} measures, {told}", "", sep="\n", markup=False)
    for due in status.retraining:
        console.print(f"Retraining is due: {due.model}: {due.reason}", markup=False)
    if status.missed_sundays:
        first, last = status.missed_sundays[0], status.missed_sundays[-1]
        console.print(f"Not scored: {len(status.missed_sundays)} Sundays, {first} to {last}")
    for flow in status.overdue:
        console.print(f"Overdue: {flow.flow} last succeeded {flow.days} days ago")
    if status.next_step:
        console.print(f"Next: {status.next_step}", markup=False)


def _retraining(con: Warehouse, settings: Settings, loaded: Sequence[LoadedTable]) -> tuple[Retraining, ...]:
    """Name the champions that are old, or left their bounds, as of the newest Sunday with orders."""
    last_order = next((found.last_day for found in loaded if found.table == "raw.order_lines"), None)
    if last_order is None or champion(settings, DEMAND_MODEL) is None:
        return ()
    return tuple(Retraining(model, due.reason) for model, due in due_models(con, settings, last_sunday(last_order)).items())


def _loaded(con: Warehouse, described: Table) -> LoadedTable:
    rows = contract_table(described)
    day = next((column.name for column in described.columns if column.kind is Kind.DATE and column.required), None)
    spans = {"first_day": rows[day].min(), "last_day": rows[day].max()} if day else {}
    found = fetch(con, rows.aggregate(rows=rows.count(), **spans)).to_pylist()[0]
    return LoadedTable(described.full_name, found["rows"], found.get("first_day"), found.get("last_day"))


def _scored(con: Warehouse, described: Table) -> ScoredTable:
    rows = contract_table(described)
    by_as_of = fetch(con, rows.group_by("as_of").aggregate(rows=rows.count()).order_by("as_of")).to_pylist()
    if not by_as_of:
        return ScoredTable(described.full_name, 0, None, 0)
    newest = by_as_of[-1]
    return ScoredTable(described.full_name, sum(found["rows"] for found in by_as_of), newest["as_of"], newest["rows"])


def _champion(settings: Settings, name: str) -> Champion:
    found = champion(settings, name)
    if found is None:
        return Champion(name, None, None, {}, {})
    remarks = {tag: found.tags[tag] for tag in REMARKS if tag in found.tags}
    return Champion(name, found.version, found.tags.get("as_of"), dict(found.metrics), remarks)


def _run(row: dict[str, Any]) -> Run:
    return Run(**{name: row[name] for name in Run.__dataclass_fields__})


def _next_step(loaded: Sequence[LoadedTable], scored: Sequence[ScoredTable], champions: Sequence[Champion]) -> str | None:
    """Say what is missing first on the way from order lines to scores."""
    if not any(found.table == "raw.order_lines" and found.rows for found in loaded):
        return "load your tables with `uncap load DIR`, or see everything work on a simulated county with `uncap demo`"
    if any(found.version is None for found in champions):
        return "train the models with `uncap train`"
    if not any(found.table == DEMAND_FORECAST.full_name and found.rows for found in scored):
        return "write the scored tables with `uncap score`"
    return None


def _catching_up(missed: Sequence[date], overdue: Sequence[Overdue]) -> str | None:
    """Say what heals weeks that were missed: new orders first, for the newest of them are not known to be missed without."""
    if any(found.flow == "load" for found in overdue):
        return "load the orders of the last weeks with `uncap load DIR`; `uncap status` then tells which Sundays to score"
    if missed:
        return f"score what was missed with `{healing_command(missed)}`"
    return "score the newest Sunday with `uncap score`" if overdue else None


def _headline(metrics: dict[str, float], most: int = 5) -> str:
    """Return the figures named ``headline.*``; there are none where the history was too short to judge the model."""
    chosen = {name.removeprefix("headline."): value for name, value in metrics.items() if name.startswith("headline.")}
    return ", ".join(f"{name} {value:.4g}" for name, value in list(chosen.items())[:most]) or "not judged"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _seconds(run: Run) -> int | None:
    return round((run.finished_at - run.started_at).total_seconds()) if run.finished_at else None


def _first_line(error: str | None) -> str:
    return (error or "").partition("\n")[0]
