"""What does a reader see of monitoring: one page with the exceptions on top, and each measure with its past and its bounds?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from contracts.monitoring import MONITORING
from flows.html_page import heading, html_page, html_table, paragraph, picture
from flows.monitor import Monitored
from flows.opening import open_warehouse
from flows.plots import bars_in_bounds, measure_over_time, png_of
from flows.settings import Settings
from warehouse.tables import contract_table, fetch

OVER_TIME = (
    (
        "demand",
        "bias",
        "Bias of the forecasts of each week",
        "Σ forecast ÷ Σ what came, less 1; under a cap the forecast is E[min(D, cap)].",
    ),
    (
        "demand",
        "tier_sku_wape_loss",
        "WAPE per tier and SKU",
        "Sum of the errors of each tier and SKU over the units that came; lower is better.",
    ),
    (
        "demand",
        "value_added_recent_mean",
        "Forecast value added",
        "Share of the 13-week mean's error that the forecast saves; 0 is no better.",
    ),
    (
        "demand",
        "coverage_80",
        "Weeks within q10 and q90",
        "The dots are found, the dashes what is right: much more than 80 % where most weeks are without an order.",
    ),
    ("demand", "pinball_loss", "Pinball loss of the seven quantiles", "As a share of the mean order; lower is better."),
    (
        "churn",
        "observed_over_predicted",
        "Stopped over expected to stop",
        "All windows that closed on the Sunday; above 1 more stopped than was said.",
    ),
    ("scores", "total_forecast", "Forecast over recent demand", "Units forecast a week over the weekly true demand of the last 13 weeks."),
    ("recovery", "share_at_cap", "Orders at a cap", "Share of the week's orders that took all a cap allowed."),
    ("recovery", "share_identified", "Cells whose true demand is identified", "Of the censored cells of the last 13 weeks."),
)
"""Area, measure, title and caption of each picture of the whole over time."""

BASELINE_IS_OF_ANOTHER_KIND = ("observed_over_predicted", "tier_sku_wape_loss")
"""Measures whose baseline is no value that they should have, and is not drawn."""

INPUTS_SHOWN = 20


def write_page(settings: Settings, monitored: Monitored, file: Path) -> None:
    """Write the page of a monitored Sunday, with all Sundays up to it."""
    with open_warehouse(settings) as con:
        stored = contract_table(MONITORING)
        rows: pd.DataFrame = fetch(con, stored.filter(stored.as_of <= monitored.as_of).order_by("as_of")).to_pandas()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(monitoring_page(monitored, rows), encoding="utf-8")


def monitoring_page(monitored: Monitored, rows: pd.DataFrame) -> str:
    """Return the page as HTML that needs no other file.

    Parameters
    ----------
    monitored
        The Sunday.
    rows
        ``scored.monitoring`` up to it, in the order of the Sundays.
    """
    sundays = rows.as_of.nunique()
    found = f"{len(monitored.findings):,} measures, {monitored.count('alert')} alerts, {monitored.count('watch')} to watch"
    lead = (
        f"As of {monitored.as_of}: {found}; {sundays} Sundays measured so far. A measure is out where it is farther off than is"
        " harmless and farther than chance takes it."
    )
    parts = [*_exceptions(monitored), heading("Over time"), *_over_time(rows)]
    return html_page("Monitoring", lead, [*parts, *_parts_of_demand(rows), *_inputs(rows), *_everything(monitored)])


def _exceptions(monitored: Monitored) -> list[str]:
    if not monitored.exceptions:
        return [heading("Exceptions"), paragraph("None: everything is within its bounds.")]
    shown = [(e.status, e.area, e.finding, str(e.since), e.others, e.advice) for e in monitored.exceptions]
    columns = ["status", "area", "what", "since", "more like it", "what to do"]
    return [heading("Exceptions"), html_table("The gravest first", columns, shown)]


def _over_time(rows: pd.DataFrame) -> list[str]:
    pictures = []
    for area, measure, title, caption in OVER_TIME:
        past = rows[(rows.area == area) & (rows.measure == measure) & (rows.slice_kind == "all")]
        if measure in BASELINE_IS_OF_ANOTHER_KIND:
            past = past.assign(baseline=float("nan"))
        if len(past):
            pictures.append(picture(png_of(measure_over_time(past, title)), title, f"{caption} Shaded is what is ok; red is an alert."))
    return pictures


def _parts_of_demand(rows: pd.DataFrame) -> list[str]:
    newest = rows[rows.as_of == rows.as_of.max()]
    found = newest[(newest.area == "demand") & (newest.measure == "relative_bias")]
    if found.empty:
        return []
    title = "Bias of the parts beyond that of the whole"
    caption = "Of the week that ends on the Sunday, over all forecasts of it; the bars are what is ok, wider where few retailers tell."
    return [heading("Where forecasts were off"), picture(png_of(bars_in_bounds(found, title)), title, caption)]


def _inputs(rows: pd.DataFrame) -> list[str]:
    newest = rows[rows.as_of == rows.as_of.max()]
    moved = newest[(newest.area == "features") & (newest.measure == "psi_trained")].sort_values("value", ascending=False)
    if moved.empty:
        return []
    shown = [(r.slice_kind, r.slice_value, r.value, r.upper, r.status, r.message) for r in moved.head(INPUTS_SHOWN).itertuples()]
    lead = "Population stability index of each input against the newest cut-off of the training; ok is up to 0.1 beyond what chance gives."
    columns = ["model", "input", "PSI", "ok up to", "status", "what moved"]
    return [heading("Inputs of the models"), paragraph(lead), html_table("Those that moved most", columns, shown)]


def _everything(monitored: Monitored) -> list[str]:
    shown: Sequence[tuple[object, ...]] = [
        (
            each.area,
            each.measure,
            f"{each.slice_kind} {each.slice_value}",
            each.estimate.value,
            f.bounds.lower,
            f.bounds.upper,
            each.estimate.n,
            f.status,
        )
        for f in monitored.findings
        for each in (f.measured,)
        if each.area != "features"
    ]
    columns = ["area", "measure", "part", "value", "ok from", "to", "rows", "status"]
    return [heading("All measures"), html_table(f"As of {monitored.as_of}, inputs left out", columns, shown)]
