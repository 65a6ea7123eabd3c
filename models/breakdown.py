"""For which pairs and weeks is a forecast good, and for which is it not: figures by velocity class, supply tier, rationing and time?

A figure over everything is ruled by the pairs that order much and often. Caps hide most where most is rationed, and there a forecast can be
wrong while the total looks right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.metrics import bias, coverage, forecast_value_added_score, grouped_wape_loss, pinball_loss

VELOCITY_CLASSES = {"weekly": 0.5, "every 2-4 weeks": 0.25, "rarer": 0.0}
"""Least share of a pair's open weeks of the last year that had an order, from the fastest class to the slowest."""

NEWCOMER, SILENT = "no order yet", "no order in 26 weeks"
"""Class of a pair without an order to count, in the last year and in the weeks that censoring is judged by."""

NEVER_CAPPED, CAP_LIFTED, CAPPED = "no cap before or now", "cap lifted", "cap in force"
"""Whether a cap stood over the pair in the target week, or only in some of the 26 weeks before the origin."""

CENSORING_BINS = 10
GRAINS: dict[str, tuple[str, ...]] = {
    "pair_8w_wape_loss": ("origin", "retailer_id", "sku_id"),
    "tier_sku_week_wape_loss": ("origin", "tier", "sku_id", "horizon_weeks"),
    "tier_sku_8w_wape_loss": ("origin", "tier", "sku_id"),
    "sku_week_wape_loss": ("origin", "sku_id", "horizon_weeks"),
    "sku_8w_wape_loss": ("origin", "sku_id"),
}
"""Each error with the columns that its units are summed by."""

MEASURES = (*GRAINS, "bias", "pinball_loss")
UPPER_LEVELS = (0.9, 0.95)
SLICES = ("all", "origin", "horizon_weeks", "velocity", "tier", "censoring", "rationing")
"""What the judged weeks are divided by."""


@dataclass(frozen=True)
class Slice:
    """One part of the judged weeks: what it was divided by, its value, and its rows."""

    kind: str
    value: str
    rows: pd.DataFrame


def velocity_class(orders: npt.ArrayLike, open_weeks: npt.ArrayLike) -> npt.NDArray[np.object_]:
    """Name how often pairs order.

    Parameters
    ----------
    orders
        Weeks with an order in the last year (n,).
    open_weeks
        Weeks of that year since the first order in which the pair could order (n,).

    Examples
    --------
    >>> velocity_class([52, 13, 3, 0], [52, 52, 52, 0]).tolist()
    ['weekly', 'every 2-4 weeks', 'rarer', 'no order yet']
    """
    counted = np.asarray(orders, dtype=np.float64)
    share = counted / np.maximum(np.asarray(open_weeks, dtype=np.float64), 1.0)
    named = np.full(counted.shape, NEWCOMER, dtype=object)
    for name, least in reversed(VELOCITY_CLASSES.items()):
        named[(counted > 0) & (share >= least)] = name
    return named


def censoring_class(orders: npt.ArrayLike, capped_orders: npt.ArrayLike, bins: int = CENSORING_BINS) -> pd.Series:
    """Name how much of a pair's orders a cap held down: none apart, the others in bins of about equally many rows.

    Parameters
    ----------
    orders
        Weeks with an order in the last 26 weeks (n,).
    capped_orders
        Those of them at a cap (n,).

    Returns
    -------
    pandas.Series
        An ordered category (n,), from ``no order in 26 weeks`` over ``0 %`` to the most. A share that many rows have ends a bin, so there
        may be fewer bins.

    Examples
    --------
    >>> censoring_class([0, 10, 10, 10], [0, 0, 1, 5], bins=2).tolist()
    ['no order in 26 weeks', '0 %', '10 %', '50 %']
    """
    counted = np.asarray(orders, dtype=np.float64)
    share = 100.0 * np.asarray(capped_orders, dtype=np.float64) / np.maximum(counted, 1.0)
    some = share > 0
    edges = np.unique(np.quantile(share[some], np.arange(1, bins + 1) / bins, method="inverted_cdf")) if some.any() else np.empty(0)
    code = np.where(counted == 0, 0, np.where(some, 2 + np.searchsorted(edges, share), 1)).astype(np.int64)
    names = [SILENT, "0 %"]
    for position in range(edges.size):
        inside = share[code == 2 + position]
        low, high = f"{inside.min():.0f}", f"{inside.max():.0f}"
        names.append(f"{low} %" if low == high else f"{low}-{high} %")
    return pd.Series(pd.Categorical.from_codes(code, categories=pd.Index(_distinct(names)), ordered=True))


def with_slices(weeks: pd.DataFrame) -> pd.DataFrame:
    """Add the classes that judged weeks are divided by.

    Parameters
    ----------
    weeks
        One row per origin, pair and week, with the columns of ``features.judged_pairs``: ``tier``, ``orders_52w``, ``open_weeks_52w``,
        ``orders_26w``, ``capped_orders_26w``, ``capped_weeks_26w``, ``cap_units``, ``band_cap_units``.

    Returns
    -------
    pandas.DataFrame
        The same with ``velocity``, ``censoring`` and ``rationing``, each an ordered category.
    """
    capped_now = weeks.cap_units.notna() | weeks.band_cap_units.notna()
    rationing = np.select([capped_now, weeks.capped_weeks_26w > 0], [CAPPED, CAP_LIFTED], NEVER_CAPPED)
    velocity = velocity_class(weeks.orders_52w, weeks.open_weeks_52w)
    return weeks.assign(
        velocity=pd.Categorical(velocity, [*VELOCITY_CLASSES, NEWCOMER], ordered=True),
        censoring=censoring_class(weeks.orders_26w, weeks.capped_orders_26w).array,
        rationing=pd.Categorical(rationing, [NEVER_CAPPED, CAP_LIFTED, CAPPED], ordered=True),
    )


def break_down(weeks: pd.DataFrame, forecasts: Mapping[str, str], levels: Sequence[float], kinds: Sequence[str] = SLICES) -> pd.DataFrame:
    """Measure every forecast on every slice.

    Parameters
    ----------
    weeks
        As ``with_slices`` gives them, with ``origin``, ``actual``, a column per forecast and ``q{level}``, all units.
    forecasts
        By name, the column with the expected units; ``model`` has the quantiles too.
    levels
        Of the quantiles, rising.
    kinds
        Columns to divide by; ``all`` is everything.

    Returns
    -------
    pandas.DataFrame
        One row per slice and forecast: ``slice_kind``, ``slice_value``, ``forecast``, ``weeks``, ``pairs`` (counts), ``units`` (that came),
        ``MEASURES``, and of the model ``coverage_80``, ``at_most_q90`` and ``at_most_q95`` (share of weeks with no more than that
        quantile). A slice in which nothing was wanted has weeks, and no errors (NaN).
    """
    grained = _with_grains(weeks)
    found = [
        {
            "slice_kind": part.kind,
            "slice_value": part.value,
            "forecast": name,
            **_size(part.rows),
            **_figures(part.rows, name, column, levels),
        }
        for kind in kinds
        for part in _slices(grained, kind)
        for name, column in forecasts.items()
    ]
    return pd.DataFrame(found)


def value_added(breakdown: pd.DataFrame, measures: Sequence[str]) -> pd.DataFrame:
    """Return the share of each other forecast's error that the model saves (Gilliland 2010): 0 is no better, 1 is perfect.

    Parameters
    ----------
    breakdown
        As ``break_down`` gives it.
    measures
        Errors to compare.

    Returns
    -------
    pandas.DataFrame
        One row per slice and baseline: ``slice_kind``, ``slice_value``, ``baseline``, and a share per measure.
    """
    slices = ["slice_kind", "slice_value"]
    ours = breakdown[breakdown.forecast == "model"].set_index(slices)
    rows = []
    for theirs in breakdown[breakdown.forecast != "model"].to_dict("records"):
        own = ours.loc[(theirs["slice_kind"], theirs["slice_value"])]
        shares = {measure: _share_saved(float(own[measure]), float(theirs[measure])) for measure in measures}
        rows.append({**{name: theirs[name] for name in slices}, "baseline": theirs["forecast"], **shares})
    return pd.DataFrame(rows, columns=[*slices, "baseline", *measures])


def _share_saved(loss: float, baseline_loss: float) -> float:
    return forecast_value_added_score(loss, baseline_loss) if baseline_loss > 0 else float("nan")


def _with_grains(weeks: pd.DataFrame) -> pd.DataFrame:
    """Number the groups of each grain once: every slice sums by them."""
    codes = {measure: weeks.groupby(list(columns), sort=False, observed=True).ngroup() for measure, columns in GRAINS.items()}
    return weeks.assign(**codes)


def _slices(weeks: pd.DataFrame, kind: str) -> list[Slice]:
    if kind == "all":
        return [Slice("all", "all", weeks)]
    return [Slice(kind, str(value), rows) for value, rows in weeks.groupby(kind, observed=True)]


def _size(rows: pd.DataFrame) -> dict[str, float]:
    return {"weeks": len(rows), "pairs": int(rows.pair_8w_wape_loss.nunique()), "units": float(rows.actual.sum())}


def _figures(rows: pd.DataFrame, name: str, column: str, levels: Sequence[float]) -> Mapping[str, float]:
    actual, forecast = rows.actual.to_numpy(dtype=np.float64), rows[column].to_numpy(dtype=np.float64)
    if not actual.sum() > 0:
        return dict.fromkeys(MEASURES, float("nan"))
    quantiles = rows[[f"q{level}" for level in levels]].to_numpy(dtype=np.float64)
    points = quantiles if name == "model" else np.repeat(forecast[:, None], len(levels), axis=1)
    figures = {measure: grouped_wape_loss(actual, forecast, [rows[measure]]) for measure in GRAINS}
    figures |= {"bias": bias(actual, forecast), "pinball_loss": pinball_loss(actual, points, levels)}
    if name == "model":
        figures["coverage_80"] = coverage(actual, rows["q0.1"].to_numpy(), rows["q0.9"].to_numpy())
        figures |= {f"at_most_q{100 * level:.0f}": float(np.mean(actual <= rows[f"q{level}"].to_numpy())) for level in UPPER_LEVELS}
    return figures


def _distinct(names: Sequence[str]) -> list[str]:
    """Return the names, with a tick on each that is there already: two bins within one percent round to the same.

    >>> _distinct(["0 %", "7 %", "7 %"])
    ['0 %', '7 %', "7 %'"]
    """
    kept: list[str] = []
    for name in names:
        while name in kept:
            name += "'"  # noqa: PLW2901 - made longer until it is its own
        kept.append(name)
    return kept
