"""Are orders, recovery and runs as they have been: volumes, shares capped and identified, Sundays missed, runs that failed?"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from contracts.cells import CELLS
from contracts.scored import DEMAND_FORECAST, RUNS, TRUE_DEMAND
from contracts.weeks import last_week
from features.monitored_totals import recovered_totals, scored_days, weekly_totals
from models.estimates import Estimate, Measured
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

RECENT_WEEKS = 13
"""Weeks that the last one is held against."""

MISSED_AMONG = 8
"""Sundays among which one that was not scored is missed: so far back forecasts mature."""

VOLUMES = ("orders", "retailers", "units")


def recent_demand(con: Warehouse, as_of: date) -> float:
    """Return the true demand of the last 13 weeks, units a week: delivered where nothing censored it, else recovered."""
    totals = fetch(con, weekly_totals(contract_table(CELLS), as_of, RECENT_WEEKS)).to_pylist()
    recovered = fetch(con, recovered_totals(contract_table(TRUE_DEMAND), as_of, RECENT_WEEKS)).to_pylist()[0]
    return float(sum(week["uncensored_units"] for week in totals) + recovered["all_true_units"]) / RECENT_WEEKS


def order_measures(con: Warehouse, as_of: date) -> list[Measured]:
    """Measure the last week's orders against the thirteen before it."""
    totals = fetch(con, weekly_totals(contract_table(CELLS), as_of, RECENT_WEEKS + 1)).to_pylist()
    nothing = dict.fromkeys(("orders", *VOLUMES, "at_cap"), 0)
    last = next((week for week in totals if week["week_start"] == last_week(as_of)), nothing)
    before = [week for week in totals if week["week_start"] < last_week(as_of)]
    measured = []
    for name in VOLUMES:
        usual = float(np.median([week[name] for week in before])) if before else 0.0
        if usual > 0:
            figure = Estimate(last[name] / usual, 0.0, int(last["orders"]), 1.0)
            measured.append(
                Measured("data", "weekly_volume", "count", name, figure, f"{last[name]:,.0f} {name}, {usual:,.0f} in a usual week")
            )
    if last["orders"]:
        capped = Estimate(last["at_cap"] / last["orders"], 0.0, int(last["orders"]))
        measured.append(Measured("recovery", "share_at_cap", "all", "all", capped))
    return measured


def recovery_measures(con: Warehouse, as_of: date) -> list[Measured]:
    """Measure what recovery made of the censored cells of the last 13 weeks."""
    found = fetch(con, recovered_totals(contract_table(TRUE_DEMAND), as_of, RECENT_WEEKS)).to_pylist()[0]
    if not found["cells"]:
        return []
    cells = int(found["cells"])
    measured = [Measured("recovery", "share_identified", "all", "all", Estimate(found["identified"] / cells, 0.0, cells))]
    if found["delivered_units"] > 0:
        uplift = Estimate(found["true_units"] / found["delivered_units"], 0.0, cells)
        measured.append(Measured("recovery", "uplift_at_cap", "all", "all", uplift))
    return measured


def run_measures(con: Warehouse, as_of: date) -> list[Measured]:
    """Count the Sundays that were not scored, and the runs of the week that failed or died."""
    days = [day["as_of"] for day in fetch(con, scored_days(contract_table(DEMAND_FORECAST), as_of)).to_pylist()]
    wanted = [as_of - timedelta(weeks=ago) for ago in range(1, MISSED_AMONG + 1)]
    missed = [day for day in wanted if days and day > min(days) and day not in days]
    told = f"not scored: {', '.join(str(day) for day in sorted(missed))}" if missed else ""
    runs = contract_table(RUNS)
    begun = fetch(con, runs.select("run_id", "flow", "status", "started_at").order_by("started_at")).to_pylist()
    looked = max((run["started_at"] for run in begun if run["flow"] == "monitor" and run["status"] == "succeeded"), default=None)
    recent = [run for run in begun if looked is None or run["started_at"] > looked]
    broken = [f"{run['flow']} {run['status']}" for run in recent if run["status"] in ("failed", "died")]
    return [
        Measured("data", "missed_weeks", "all", "all", Estimate(float(len(missed)), 0.0, MISSED_AMONG), told),
        Measured("data", "broken_runs", "all", "all", Estimate(float(len(broken)), 0.0, len(recent)), ", ".join(broken)),
    ]
