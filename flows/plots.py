"""Which pictures a training, a backtest and monitoring leave behind, each a figure of its own that touches no global state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import pairwise

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, ACCENT, MUTED = "#26323d", "#1f6fb2", "#a9b4be"
OTHERS = ("#d1782a", "#5b8f3c", "#8a5aa8", "#b0413e")
"""Colours after the first; each also has a shape or a line of its own."""

STATUS_COLOURS = {"ok": ACCENT, "watch": "#d1782a", "alert": "#b0413e"}
"""Of a dot, by status; each also has a shape of its own."""

STATUS_SHAPES = {"ok": "o", "watch": "s", "alert": "D"}


def feature_importance(names: Sequence[str], gains: Sequence[float], title: str, *, top: int = 25) -> Figure:
    """Draw the share of the total gain that each feature brought.

    Parameters
    ----------
    names
        Features.
    gains
        Gain of each, in any unit, as LightGBM's ``feature_importance("gain")`` has it.
    title
        Above the picture.
    top
        How many features are drawn; the rest is one bar.

    Returns
    -------
    Figure
        Bars, the largest on top, in percent of the total gain.
    """
    total = sum(gains) or 1.0
    ranked = sorted(((100 * gain / total, name) for name, gain in zip(names, gains, strict=True)), reverse=True)
    shown = ranked[:top]
    if len(ranked) > top:
        shown.append((sum(share for share, _ in ranked[top:]), f"{len(ranked) - top} others"))
    figure, axes = _figure(title, height=1.2 + 0.24 * len(shown))
    bars = axes.barh([name for _, name in shown], [share for share, _ in shown], color=ACCENT)
    axes.bar_label(bars, fmt="%.1f", padding=3, fontsize=8, color=INK)
    axes.invert_yaxis()
    axes.set_xlabel("share of the total gain, %")
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.1)
    return figure


def calibration(predicted: Sequence[float], observed: Sequence[float], counts: Sequence[int], title: str) -> Figure:
    """Draw how often what was given a probability happened.

    Parameters
    ----------
    predicted
        Mean predicted probability of each bin.
    observed
        Share of each bin in which it happened.
    counts
        Cases in each bin; the area of a dot.
    title
        Above the picture.

    Returns
    -------
    Figure
        One dot per bin against the diagonal, in percent, with bars of two standard errors.
    """
    figure, axes = _figure(title, height=5.2)
    shares = [100 * share for share in observed]
    errors = [200 * (share * (1 - share) / max(count, 1)) ** 0.5 for share, count in zip(observed, counts, strict=True)]
    most = max(counts, default=1)
    highest = 1.08 * max([*shares, *(100 * p for p in predicted), 1.0])
    axes.plot([0, highest], [0, highest], color=MUTED, linestyle="--", label="perfect")
    axes.errorbar([100 * p for p in predicted], shares, yerr=errors, fmt="none", ecolor=MUTED, capsize=2)
    axes.scatter([100 * p for p in predicted], shares, s=[20 + 180 * count / most for count in counts], color=ACCENT, zorder=3)
    for p, share, count in zip(predicted, shares, counts, strict=True):
        axes.annotate(f"{count:,}", (100 * p, share), xytext=(7, -11), textcoords="offset points", fontsize=8, color=INK)
    axes.set_xlim(0, highest)
    axes.set_ylim(0, highest)
    axes.set_xlabel("predicted probability, %")
    axes.set_ylabel("observed share, %  (number of cases beside each dot)")
    axes.legend(frameon=False, loc="upper left")
    return figure


def quantile_coverage(nominal: Sequence[float], observed: Sequence[float], title: str = "Coverage of the quantiles") -> Figure:
    """Draw the share of targets at or below each forecast quantile.

    Parameters
    ----------
    nominal
        Levels of the quantiles, 0 to 1.
    observed
        Share of targets at or below each.
    title
        Above the picture.

    Returns
    -------
    Figure
        A line against the diagonal, in percent. Demand that is often zero lies above it at low levels: a quantile of zero
        holds every zero.
    """
    figure, axes = _figure(title, height=5.2)
    axes.plot([0, 100], [0, 100], color=MUTED, linestyle="--", label="perfect")
    axes.plot([100 * level for level in nominal], [100 * share for share in observed], color=ACCENT, marker="o", label="observed")
    for level, share in zip(nominal, observed, strict=True):
        axes.annotate(f"{100 * share:.0f}", (100 * level, 100 * share), xytext=(6, -12), textcoords="offset points", fontsize=8, color=INK)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 102)
    axes.set_xlabel("level of the quantile, %")
    axes.set_ylabel("targets at or below it, %")
    axes.legend(frameon=False, loc="upper left")
    return figure


def forecast_vs_naive(
    losses_by_horizon: Mapping[str, Sequence[float | None]], *, measure: str = "WAPE, %", title: str = "Forecast error"
) -> Figure:
    """Draw the error of the model and of the baselines by horizon.

    Parameters
    ----------
    losses_by_horizon
        For each forecaster, the model first, its error one week ahead, two weeks ahead, and so on; None leaves a gap.
    measure
        What the error is, with its unit.
    title
        Above the picture.

    Returns
    -------
    Figure
        One line per forecaster, the model's in colour.
    """
    figure, axes = _figure(title, height=4.4)
    for position, (forecaster, by_horizon) in enumerate(losses_by_horizon.items()):
        losses = pd.Series(dict(enumerate(by_horizon, 1)), dtype="float64")
        if position == 0:
            axes.plot(losses.index, losses, marker="o", markersize=4, label=forecaster, color=ACCENT, linewidth=2.4)
        else:
            line = ("--", ":", "-.")[(position - 1) % 3]
            axes.plot(losses.index, losses, marker="o", markersize=4, label=forecaster, color=INK, alpha=0.75, linestyle=line)
        axes.set_xticks(losses.index)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("weeks ahead")
    axes.set_ylabel(measure)
    axes.legend(frameon=False, loc="best")
    return figure


def dots_by_group(
    groups: Sequence[str],
    values: Mapping[str, Sequence[float]],
    *,
    measure: str,
    title: str,
    reference: float | None = None,
) -> Figure:
    """Draw one row of dots per group, a dot for each of what is compared.

    Parameters
    ----------
    groups
        Names of the rows, the first on top.
    values
        For each of what is compared, the one in question first, a value per group; NaN is left out.
    measure
        What the values are, with their unit.
    title
        Above the picture.
    reference
        Where a line is drawn, such as a bias of 0.

    Returns
    -------
    Figure
        Dots of several shapes and colours, with a line through each row.
    """
    figure, axes = _figure(title, height=1.5 + 0.36 * len(groups))
    rows = range(len(groups))
    for position, (name, series) in enumerate(values.items()):
        colour, marker = (ACCENT, *OTHERS)[position % (1 + len(OTHERS))], "osD^v"[position % 5]
        axes.scatter(series, rows, label=name, color=colour, marker=marker, s=54 if position == 0 else 34, zorder=4 - position / 10)
    if reference is not None:
        axes.axvline(reference, color=INK, linewidth=1)
    axes.set_yticks(rows, groups)
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_xlabel(measure)
    if reference is None:
        axes.set_xlim(left=0)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=9)
    return figure


def pit_bars(edges: Sequence[float], heights: Sequence[float], title: str) -> Figure:
    """Draw where demand fell within its forecast distribution.

    Parameters
    ----------
    edges
        Probabilities from 0 to 1 (bins + 1).
    heights
        Share of the weeks in each bin over the share that is right there (bins).
    title
        Above the picture.

    Returns
    -------
    Figure
        A bar per bin, as wide as it is, against the line at 1.
    """
    figure, axes = _figure(title, height=3.8)
    widths = [100 * (right - left) for left, right in pairwise(edges)]
    axes.bar([100 * edge for edge in edges[:-1]], heights, widths, align="edge", color=ACCENT, alpha=0.85, edgecolor="white")
    axes.axhline(1.0, color=INK, linestyle="--", label="calibrated")
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 1.25 * max([*heights, 1.0]))
    axes.set_xticks(range(0, 101, 10))
    axes.set_xlabel("place of the demand within its forecast distribution, %")
    axes.set_ylabel("weeks found ÷ weeks expected")
    axes.legend(frameon=False, loc="upper left")
    return figure


def coverage_by_group(
    levels: Sequence[float], expected: Mapping[str, Sequence[float]], observed: Mapping[str, Sequence[float]], title: str
) -> Figure:
    """Draw, for each group, how much more or less often than it should the demand was at or below each quantile.

    Parameters
    ----------
    levels
        Of the quantiles, 0 to 1.
    expected, observed
        By group, the share at or below each quantile that is right, and the one found.
    title
        Above the picture.

    Returns
    -------
    Figure
        A line per group, in percentage points around 0.
    """
    figure, axes = _figure(title, height=4.2)
    for position, (group, shares) in enumerate(observed.items()):
        gaps = [100 * (share - right) for share, right in zip(shares, expected[group], strict=True)]
        colour, marker = (ACCENT, *OTHERS)[position % (1 + len(OTHERS))], "osD^v"[position % 5]
        axes.plot(range(len(levels)), gaps, color=colour, marker=marker, markersize=5, label=group)
    axes.axhline(0.0, color=INK, linewidth=1)
    axes.axhspan(-3, 3, color=MUTED, alpha=0.2, linewidth=0, label="within 3 points")
    axes.set_xticks(range(len(levels)), [f"{100 * level:.0f} %" for level in levels])
    axes.set_xlabel("quantile")
    axes.set_ylabel("found less expected, percentage points")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=9)
    return figure


def measure_over_time(past: pd.DataFrame, title: str) -> Figure:
    """Draw a measure over the Sundays it was taken, with what was ok.

    Parameters
    ----------
    past
        Rows of ``scored.monitoring`` of one measure: ``as_of``, ``value``, ``lower``, ``upper``, ``baseline``, ``status``.
    title
        Above the picture.
    """
    figure, axes = _figure(title, height=2.9)
    days = [f"{day:%d %b %y}" for day in pd.to_datetime(past.as_of)]
    places = list(range(len(days)))
    seen = [*past.value, *past.baseline.dropna()]
    spread = max(max(seen) - min(seen), 0.02)
    low, high = min(seen) - 0.6 * spread, max(seen) + 0.6 * spread
    axes.fill_between(
        places, past.lower.fillna(low).clip(low), past.upper.fillna(high).clip(upper=high), color=MUTED, alpha=0.2, linewidth=0, label="ok"
    )
    if past.baseline.notna().any():
        axes.plot(places, past.baseline, color=INK, linestyle="--", linewidth=1, label="expected")
    axes.plot(places, past.value, color=ACCENT, linewidth=1)
    for status, colour in STATUS_COLOURS.items():
        which = [place for place, found in zip(places, past.status, strict=True) if found == status]
        if which:
            axes.scatter(
                which,
                past.value.iloc[which],
                color=colour,
                marker=STATUS_SHAPES[status],
                s=30,
                zorder=3,
                label=None if status == "ok" else status,
            )
    step = -(-len(days) // 6)
    axes.set_xticks(places[::step], days[::step])
    axes.set_ylim(low, high)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=9)
    return figure


def bars_in_bounds(parts: pd.DataFrame, title: str) -> Figure:
    """Draw the parts of one week, each with a dot for its value and a bar for what is ok, in percent.

    Parameters
    ----------
    parts
        Rows of ``scored.monitoring``: ``slice_kind``, ``slice_value``, ``value``, ``lower``, ``upper``, ``status``.
    title
        Above the picture.
    """
    figure, axes = _figure(title, height=1.3 + 0.26 * len(parts))
    places = range(len(parts))
    named = [f"{kind}: {value or 'none'}" for kind, value in zip(parts.slice_kind, parts.slice_value, strict=True)]
    axes.barh(list(places), 100 * (parts.upper - parts.lower), left=100 * parts.lower, color=MUTED, alpha=0.35, height=0.6, label="ok")
    for status, colour in STATUS_COLOURS.items():
        which = [place for place, found in zip(places, parts.status, strict=True) if found == status]
        if which:
            axes.scatter(100 * parts.value.iloc[which], which, color=colour, marker=STATUS_SHAPES[status], s=34, zorder=3, label=status)
    axes.axvline(0.0, color=INK, linewidth=1)
    axes.set_yticks(list(places), named)
    axes.set_ylim(len(parts) - 0.5, -0.5)
    axes.set_xlabel("forecast over what came, beyond that of the whole, %")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=9)
    return figure


def png_of(figure: Figure) -> bytes:
    """Return a picture as the bytes of a PNG file."""
    written = BytesIO()
    figure.savefig(written, format="png")
    return written.getvalue()


def _figure(title: str, *, height: float, width: float = 7.5) -> tuple[Figure, Axes]:
    """Return an empty picture in the house's look, sizes in inches."""
    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e6eaee")
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, labelsize=9)
    return figure, axes
