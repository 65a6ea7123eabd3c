"""What does a reader see of a backtest: one page, whose tables and pictures explain themselves?"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from contracts.scored import QUANTILES
from flows.backtest_findings import DemandFindings, Findings
from flows.html_page import heading, html_page, html_table, paragraph, picture
from flows.plots import calibration, coverage_by_group, dots_by_group, forecast_vs_naive, pit_bars, png_of
from models.breakdown import NEWCOMER, SILENT
from models.judged_totals import FIGURES

HEADINGS = {
    "pair_8w_wape_loss": "WAPE pair, 8 weeks",
    "tier_sku_week_wape_loss": "WAPE tier × SKU, week",
    "tier_sku_8w_wape_loss": "WAPE tier × SKU, 8 weeks",
    "bias": "bias",
    "pinball_loss": "pinball",
}
"""The figures that the page shows, with their headings."""

SLICED_BY = {
    "velocity": (
        "By how often a pair orders",
        (
            "Pairs of a retailer and a SKU by the share of their open weeks of the last year with an order: weekly half of them or more, "
            "every 2-4 weeks a quarter or more, rarer less."
        ),
    ),
    "tier": ("By supply tier of the retailer", "The tier decides the caps."),
    "censoring": (
        "By share of orders at a cap",
        (
            "Pairs by the share of their orders of the 26 weeks before the origin that took all that a cap allowed: none apart, the rest "
            "in up to ten groups of about equal size. If caps were taken for demand, the bias would fall from top to bottom."
        ),
    ),
    "rationing": (
        "By cap in the week, or lifted",
        (
            "In weeks with a cap in force what came is itself an estimate wherever the cap was reached. Where a cap was lifted (some in "
            "the 26 weeks before the origin, none in the week) demand was seen in full: a bias below 0 there says it learned caps."
        ),
    ),
}
"""What demand is divided by, with a heading and an explanation each."""


TOTALS_BY = {"all": "", "velocity": "orders", "limits": "limits", "origin": "origin"}
"""What totals are divided by, in the reader's words."""

CHECKED = {"tier": "tier", "velocity": "orders", "horizon_weeks": "weeks ahead"}
"""What orders under caps are divided by, in the reader's words."""


def backtest_page(findings: Findings) -> str:
    """Return the page of a backtest as HTML that needs no other file."""
    origins = ", ".join(str(origin) for origin in sorted(findings.origins))
    lead = (
        f"As of {findings.as_of}. The models were trained as of {origins} on nothing later, and each was judged on the eight weeks after."
        " What came is what was delivered, or the demand recovered as of today where a limit hid it; weeks closed to a pair are left out."
        " Quantiles are calibrated by what a model eight weeks older missed in the eight weeks before the origin."
    )
    demand = findings.demand
    parts = [*_headline(findings), *_over_time(demand)]
    for kind, (title, text) in SLICED_BY.items():
        parts += _sliced(demand, kind, title, text)
    return html_page("Backtest", lead, [*parts, *_totals(demand), *_under_caps(demand), *_without_limits(demand), *_churn(findings)])


def _headline(findings: Findings) -> list[str]:
    demand = findings.demand
    whole, added = demand.figures("all"), demand.added[demand.added.slice_kind == "all"]
    losses = [measure for measure in HEADINGS if measure != "bias"]
    gaps = [f"{name} names {share:.1%} of them; the rest counts as a forecast of 0." for name, share in findings.covered.items()]
    return [
        heading("Demand: the whole"),
        paragraph(
            "WAPE is the sum of all errors over the sum of all units, after both were summed to the grain named: lower is better. Bias is"
            " the units forecast too much (above 0) or too little (below 0) over the units that came. Pinball judges the seven quantiles"
            " together; a forecast without quantiles is taken for all of them. Most weeks of a pair are 0, so read WAPE with the bias."
        ),
        html_table(
            f"All origins together, {int(whole.weeks.iloc[0]):,} pair-weeks",
            ["forecast", *HEADINGS.values()],
            _cells(whole, ["forecast", *HEADINGS]),
            ours="model",
        ),
        html_table(
            "By origin",
            ["origin", "forecast", *HEADINGS.values()],
            _cells(demand.figures("origin"), ["slice_value", "forecast", *HEADINGS]),
            ours="model",
        ),
        heading("Forecast value added"),
        paragraph(
            "The share of each simpler forecast's error that the model saves: 0 is no better, 1 would be perfect, below 0 is worse."
            f" Seasonal naive is the same week a year before, recent mean that of the last 13 weeks. {' '.join(gaps)}"
        ),
        html_table("Saved of the error of", ["forecast", *(HEADINGS[name] for name in losses)], _cells(added, ["baseline", *losses])),
    ]


def _over_time(demand: DemandFindings) -> list[str]:
    rows = demand.figures("horizon_weeks")
    losses = {name: (100 * part.tier_sku_week_wape_loss).tolist() for name, part in _by_forecast(rows)}
    figure = forecast_vs_naive(losses, measure="WAPE per tier, SKU and week, %", title="Error by weeks ahead")
    caption = "Error per tier, SKU and week, by how many weeks ahead the week lay; lower is better. Weeks further ahead are harder."
    return [heading("How far ahead"), picture(png_of(figure), "Error by weeks ahead", caption)]


def _sliced(demand: DemandFindings, kind: str, title: str, text: str) -> list[str]:
    """Table and two pictures of one kind of slice; nothing where there is only one slice."""
    rows = demand.figures(kind)
    if rows.slice_value.nunique() < 2:
        return []
    named = rows.assign(slice_value=rows.slice_value.where(rows.slice_value != "", "no tier"))
    # what is no order yet has no baseline, and one that stopped a baseline of many times what came: both would squeeze the rest
    drawn = named[~named.slice_value.isin([NEWCOMER, SILENT])]
    pictures = []
    for measure, label, caption in (
        ("bias", "bias, %", "Left of the line too little was forecast, right of it too much."),
        ("pair_8w_wape_loss", "WAPE of a pair's eight weeks, %", "Error of a pair's eight weeks together: further left is better."),
    ):
        values = {name: (100 * part[measure]).tolist() for name, part in _by_forecast(drawn)}
        above = f"{'Bias' if measure == 'bias' else 'Error'} {title[0].lower()}{title[1:]}"
        groups = drawn.slice_value.drop_duplicates().tolist()
        figure = dots_by_group(groups, values, measure=label, title=above, reference=0.0 if measure == "bias" else None)
        pictures.append(picture(png_of(figure), above, caption))
    shown = ["slice_value", "pairs", "weeks", "units", *HEADINGS, "coverage_80", "at_most_q90", "at_most_q95"]
    columns = ["", "pairs", "weeks", "units", *HEADINGS.values(), "within q10-q90", "at most q90", "at most q95"]
    table = html_table(f"The model, {title[0].lower()}{title[1:]}", columns, _cells(named[named.forecast == "model"], shown))
    return [heading(title), paragraph(text), *pictures, table]


def _totals(demand: DemandFindings) -> list[str]:
    title = "Eight weeks together"
    if demand.totals.empty:
        return [heading(title), paragraph("The history is too short to calibrate any origin, so there are no totals to judge.")]
    rows = demand.totals.assign(kind=demand.totals.kind.replace(TOTALS_BY))
    columns = ["by", "", "totals", "bias", "pinball", "within 80 %", "below", "above", "at most q90", "at most q95"]
    return [
        heading(title),
        paragraph(
            "What a pair wants in eight weeks has an interval of its own, which should hold 80 % of the totals. Where most pairs order"
            " nothing at all the interval begins at 0, and the rest lies above it. Where a cap hid demand the total that came is partly an"
            " estimate, which varies less than demand does: judge by the pairs without a cap or floor in any of the weeks."
        ),
        html_table("Totals within their interval", columns, _cells(rows, ["kind", "value", *FIGURES])),
    ]


def _under_caps(demand: DemandFindings) -> list[str]:
    title = "Check without the truth: orders under caps"
    if demand.under_caps.empty:
        return [heading(title), paragraph("No judged week had a cap of the SKU alone, so there is nothing to compare.")]
    value = demand.under_caps.value.where(demand.under_caps.value != "", "no tier")
    rows = demand.under_caps.assign(value=value, kind=demand.under_caps.kind.replace(CHECKED))
    classes = rows[rows.kind.isin([CHECKED["tier"], CHECKED["velocity"]])]
    drawn = dots_by_group(
        (classes.kind + " " + classes.value).tolist(),
        {
            "expected under the cap": (classes.expected_units / classes.weeks).tolist(),
            "ordered": (classes.ordered_units / classes.weeks).tolist(),
        },
        measure="units per pair and week",
        title="What the forecast expects under caps, and what was ordered",
    )
    columns = ["by", "", "weeks", "expected", "ordered", "gap", "P(at cap)", "share at cap"]
    shown = ["kind", "value", "weeks", "expected_units", "ordered_units", "gap", "p_at_cap", "at_cap"]
    return [
        heading(title),
        paragraph(
            "A cap hides the demand above it, but not the order, the smaller of the two. So what the forecast expects of that smaller one,"
            " E[min(D, cap)], can be held against orders without knowing the demand, and the chance that demand reaches the cap against how"
            " often it did. Only weeks with a cap on the SKU itself count, without a band cap or a floor. Retailers who hoard order up to"
            " the cap more often than they want, which shows as orders above what is expected."
        ),
        html_table("Units expected and ordered", columns, _cells(rows, shown)),
        picture(
            png_of(drawn), "Orders under caps", "Both dots of a row should lie on each other: the forecast is right where it is checked."
        ),
        _dots_on_diagonal(
            demand.at_cap,
            "Chance that an order reaches its cap",
            "Each dot is a tenth of the capped weeks. On the dashed line caps are reached as often as forecast.",
        ),
    ]


def _without_limits(demand: DemandFindings) -> list[str]:
    title = "Check without the truth: weeks without a limit"
    if not demand.unlimited:
        return [heading(title), paragraph("Every judged week had a cap or a floor, so there is nothing to compare.")]
    bars = pit_bars(demand.pit.edges.tolist(), demand.pit.heights.tolist(), "Where demand fell within its forecast")
    parts = [
        heading(title),
        paragraph(
            f"In {demand.unlimited:,} pair-weeks no cap and no floor stood over the pair, so that demand was seen in full. They were chosen"
            f" by limits, not by what came. {demand.pit.distance:.1%} of them would have to fall elsewhere in their forecast for it to be"
            " calibrated as a whole."
        ),
        picture(
            png_of(bars),
            "PIT histogram",
            "How often demand fell into each part of its forecast distribution, over how often it should (PIT histogram of counts; Czado,"
            " Gneiting and Held 2009). All bars at 1 is calibrated; too high at the right end means that large orders are forecast too"
            " rarely, too high at both ends that quantiles are too narrow. Weeks without an order lie left of 1 - P(any demand).",
        ),
        *_coverage(demand),
    ]
    if len(demand.orders):
        caption = "Each dot is a tenth of the weeks. On the dashed line there was demand as often as forecast."
        parts.append(_dots_on_diagonal(demand.orders, "Probability of any demand", caption))
    return parts


def _coverage(demand: DemandFindings) -> list[str]:
    groups = demand.coverage.value.tolist()
    expected, observed = (
        dict(zip(groups, demand.coverage[[f"{kind}_{level}" for level in QUANTILES]].to_numpy().tolist(), strict=True))
        for kind in ("expected", "at_most")
    )
    lines = coverage_by_group(QUANTILES, expected, observed, "Coverage of the quantiles by how often a pair orders")
    caption = (
        "How much more often (above 0) or less often than it should demand was at or below each quantile. Where a quantile is 0, that"
        " should be as often as no demand was forecast. Orders come in packs, so a quantile that is a pack size lies above 0."
    )
    columns = ["", "weeks", *(f"q{100 * level:.0f}" for level in QUANTILES)]
    table = _cells(demand.coverage, ["value", "rows", *(f"at_most_{level}" for level in QUANTILES)])
    return [
        picture(png_of(lines), "Coverage by how often a pair orders", caption),
        html_table("Share of weeks with no more than the quantile", columns, table),
    ]


def _churn(findings: Findings) -> list[str]:
    figures, bins = findings.churn.figures, findings.churn.calibration
    if not figures:
        return [heading("Churn"), paragraph("The history is too short to judge the churn model.")]
    metrics = ("auc_score", "average_precision_score", "brier_skill_score", "calibration_loss", "top_decile_lift_score")
    rows = [
        [f"{horizon} weeks", name, *(figures.get(f"churn.{name}.{metric}_{horizon}w") for metric in metrics)]
        for horizon in (4, 8, 13, 26)
        for name in ("model", "recency")
        if f"churn.{name}.brier_loss_{horizon}w" in figures
    ]
    names = ["no order in", "forecast", "AUC", "average precision", "Brier skill", "calibration error", "lift of the top tenth"]
    parts = [
        heading("Churn"),
        paragraph(
            "Active retailers, and whether they ordered nothing in the weeks that followed. AUC is the chance that one who left was given a"
            " higher risk than one who stayed (.5 is a guess); Brier skill the share of the squared error that is saved against giving"
            " everybody the same risk; recency knows the weeks since the last order only."
        ),
        html_table("The model against the weeks since the last order", names, rows, ours="model"),
    ]
    if bins is not None:
        caption = "Each dot is a tenth of the retailers. On the dashed line as many ordered nothing as forecast."
        parts.append(_dots_on_diagonal(bins.rename(columns={"rows": "weeks"}), "Probability of no order in 13 weeks", caption))
    return parts


def _dots_on_diagonal(bins: pd.DataFrame, title: str, caption: str) -> str:
    figure = calibration(bins.predicted.tolist(), bins.observed.tolist(), bins.weeks.tolist(), title)
    return picture(png_of(figure), title, f"{caption} Bars are two standard errors.")


def _by_forecast(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(str(name).replace("_", " "), rows[rows.forecast == name]) for name in rows.forecast.drop_duplicates()]


def _cells(rows: pd.DataFrame, columns: Sequence[str]) -> list[list[object]]:
    """Rows of plain values, in the order of ``columns``; sums of units are rounded."""
    whole = {column: rows[column].round().astype("int64") for column in columns if column.endswith("units")}
    return [list(row) for row in zip(*(whole.get(column, rows[column]).tolist() for column in columns), strict=True)]
