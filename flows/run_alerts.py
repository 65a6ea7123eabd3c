"""Who is told that a run failed, or that one died without a word?"""

from __future__ import annotations

from collections.abc import Sequence

from contracts.scored import RUNS
from flows.alerts import NO_WEBHOOK, SENT, send_alert
from flows.settings import Settings
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

LINES_TOLD = 5
"""Of the reason of a failure; the rest stands in ``scored.runs``."""


def runs_under_way(con: Warehouse, flow: str) -> list[str]:
    """Return the runs of a flow that are recorded as running."""
    runs = contract_table(RUNS)
    running = runs.filter(runs.flow == flow, runs.status == "running")
    return [str(run_id) for run_id in fetch(con, running.select("run_id"))["run_id"].to_pylist()]


def died_among(con: Warehouse, run_ids: Sequence[str]) -> list[str]:
    """Return those runs that are recorded as died."""
    if not run_ids:
        return []
    runs = contract_table(RUNS)
    died = runs.filter(runs.run_id.isin(list(run_ids)), runs.status == "died")
    return sorted(str(run_id) for run_id in fetch(con, died.select("run_id"))["run_id"].to_pylist())


def tell_died(settings: Settings, run_ids: Sequence[str]) -> None:
    """Post that runs died: their process ended without a word, killed or with its machine; the next run of the flow noticed."""
    if run_ids:
        told = [f"{run_id}: what it had not published is lost; a run of the same flow has begun and heals it" for run_id in run_ids]
        send_alert(settings.alerts, f"uncap: {len(run_ids)} runs died", told)


def tell_failed(settings: Settings, run_id: str, reason: str) -> str | None:
    """Post that a run failed, and return why that could not be posted; None where it was, or where no webhook is set."""
    became = send_alert(settings.alerts, f"uncap: {run_id} failed", reason.splitlines()[:LINES_TOLD])
    return None if became in (SENT, NO_WEBHOOK) else became
