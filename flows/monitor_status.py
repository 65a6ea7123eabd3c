"""How many exceptions did monitoring leave, for the status of a warehouse?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from contracts.monitoring import MONITORING
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch


@dataclass(frozen=True)
class MonitoringCount:
    """Measures of the newest monitored Sunday: all, those to watch, and alerts."""

    as_of: date
    measures: int
    watched: int
    alerts: int


def newest_counts(con: Warehouse) -> MonitoringCount | None:
    """Return the counts of the newest monitored Sunday, None before the first."""
    stored = contract_table(MONITORING)
    newest = stored.filter(stored.as_of == stored.as_of.max())
    counted = fetch(con, newest.group_by("as_of", "status").aggregate(measures=newest.count())).to_pylist()
    if not counted:
        return None
    by_status = {row["status"]: int(row["measures"]) for row in counted}
    return MonitoringCount(counted[0]["as_of"], sum(by_status.values()), by_status.get("watch", 0), by_status.get("alert", 0))
