"""What does the terminal show of a backtest: a few lines, and where the page is?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from flows.backtest_findings import DemandFindings, Findings
from flows.console import console_for_results, table_of

SHOWN = ("pair_8w_wape_loss", "tier_sku_week_wape_loss", "tier_sku_8w_wape_loss", "bias", "pinball_loss")


def print_backtest(findings: Findings, page: Path) -> None:
    """Print the figures over all origins together, the checks that need no truth, churn by horizon, and the path of the page."""
    console = console_for_results()
    console.print(*_demand(findings), "", sep="\n")
    slices = _slices(findings.demand)
    columns = ["pairs that", "pairs", "pair 8w wape", "bias", "pinball", "at most q90", "at most q95", "totals within 80 %"]
    console.print(table_of("Demand by how often a pair orders: the model", columns, slices, numbers=columns[1:]), "", sep="\n")
    checks = _checks(findings.demand)
    columns = ["", "rows", "forecast", "came"]
    console.print(table_of("Checks that need no truth", columns, checks, numbers=columns[1:]), "", sep="\n")
    churn = _churn(findings.churn.figures)
    columns = ["no order in", "forecast", "auc", "average precision", "brier skill", "calibration", "top decile lift"]
    if churn:
        console.print(
            table_of("Churn: the model against the weeks since the last order", columns, churn, numbers=columns[2:]), "", sep="\n"
        )
    console.print(f"tables and pictures: {page}")


def _demand(findings: Findings) -> list[object]:
    demand = findings.demand
    saved = demand.added[demand.added.slice_kind == "all"].set_index("baseline").pair_8w_wape_loss
    rows = [
        [row["forecast"], *(row[measure] for measure in SHOWN), _known(saved.get(row["forecast"]))]
        for row in demand.figures("all").to_dict("records")
    ]
    columns = ["forecast", *(measure.removesuffix("_loss").replace("_", " ") for measure in SHOWN), "model saves"]
    origins = f"{len(findings.origins)} origins together" if len(findings.origins) > 1 else f"as of {findings.origins[0]}"
    title = f"Demand: lower is better, bias below 0 is too little; {origins}"
    return [
        table_of(title, columns, rows, numbers=columns[1:]),
        *(f"{name} names {share:.1%} of the pair-weeks; the rest counts as a forecast of 0" for name, share in findings.covered.items()),
    ]


def _slices(demand: DemandFindings) -> list[list[object]]:
    ours = demand.figures("velocity").query("forecast == 'model'")
    within = demand.totals[demand.totals.kind == "velocity"].set_index("value").coverage_80
    shown = ("pair_8w_wape_loss", "bias", "pinball_loss", "at_most_q90", "at_most_q95")
    return [
        [row["slice_value"], row["pairs"], *(_known(row[name]) for name in shown), _known(within.get(row["slice_value"]))]
        for row in ours.to_dict("records")
    ]


def _checks(demand: DemandFindings) -> list[list[object]]:
    rows: list[list[object]] = []
    for check in demand.under_caps[demand.under_caps.kind == "all"].to_dict("records"):
        rows.append(["orders under caps, units", check["weeks"], round(check["expected_units"]), round(check["ordered_units"])])
        rows.append(["share of them at the cap", check["weeks"], check["p_at_cap"], check["at_cap"]])
    lifted = demand.lifted()
    if lifted is not None and np.isfinite(lifted.bias):
        rows.append(
            ["demand where a cap was lifted, units", int(lifted.weeks), round(lifted.units * (1 + lifted.bias)), round(lifted.units)]
        )
    whole = demand.totals[demand.totals.kind == "all"].to_dict("records")
    rows += [["share of 8-week totals within 80 %", total["totals"], 0.8, total["coverage_80"]] for total in whole]
    if demand.unlimited:
        at_most, expected = (np.average(demand.coverage[f"{kind}_0.9"], weights=demand.coverage.rows) for kind in ("at_most", "expected"))
        rows.append(["share at or below q90, no limit", demand.unlimited, float(expected), float(at_most)])
    return rows


def _churn(figures: Mapping[str, float]) -> list[list[object]]:
    metrics = ("auc_score", "average_precision_score", "brier_skill_score", "calibration_loss", "top_decile_lift_score")
    return [
        [f"{horizon} weeks", name, *(figures.get(f"churn.{name}.{metric}_{horizon}w") for metric in metrics)]
        for horizon in (4, 8, 13, 26)
        for name in ("model", "recency")
        if f"churn.{name}.brier_loss_{horizon}w" in figures
    ]


def _known(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else value
