"""What a retailer did with a SKU up to a cut-off: one GROUP BY with conditional sums over the sparse cells."""

from __future__ import annotations

from datetime import date

from ibis import ir

from contracts.weeks import HORIZONS, PAIR_WEEKS
from features.windows import WINDOWS, between_weeks_ago, in_last_weeks, weeks_since

LAGS = tuple(range(8))
"""Weeks back of which each has a column of its own."""

REMEMBERED_WEEKS = 53
"""A pair that did nothing for longer has no row: one week more than a year, for the same weeks of last year."""


def pair_history(demand_cells: ir.Table, as_of: date) -> ir.Table:
    """Sum up each pair that did something in the last year.

    Parameters
    ----------
    demand_cells
        Cells with ``true_units``, up to ``as_of``.

    Returns
    -------
    ibis.Table
        One row per retailer and SKU: units of true demand, orders, orders at a cap and closed weeks by window; units of each of the
        last eight weeks; units of the three weeks around each target week a year before; first and last week of an order.
        Units are null nowhere: no row of a week is a true zero.
    """
    week, units = demand_cells.week_start, demand_cells.true_units
    closed = demand_cells.censoring == "stockout"
    open_week = ~closed
    ordered = (demand_cells.delivered_units > 0) & open_week
    capped = demand_cells.censoring.isin(["cap", "band"])
    sums: dict[str, ir.Value] = {}
    for weeks in WINDOWS:
        inside = in_last_weeks(week, as_of, weeks)
        sums[f"units_{weeks}w"] = units.sum(where=inside & open_week)
        sums[f"orders_{weeks}w"] = ordered.sum(where=inside)
        sums[f"closed_{weeks}w"] = closed.sum(where=inside)
    for ago in LAGS:
        sums[f"units_{ago}_ago"] = units.sum(where=between_weeks_ago(week, as_of, ago, ago) & open_week)
    for horizon in HORIZONS:
        year_before = between_weeks_ago(week, as_of, PAIR_WEEKS - horizon - 1, PAIR_WEEKS - horizon + 1)
        sums[f"units_year_before_{horizon}"] = units.sum(where=year_before & open_week)
    year, half = in_last_weeks(week, as_of, 52), in_last_weeks(week, as_of, 26)
    sums |= {
        "square_units_52w": (units * units).sum(where=year & open_week),
        "largest_52w": units.max(where=year & open_week),
        "capped_26w": capped.sum(where=half),
        "unmet_26w": (units - demand_cells.delivered_units).sum(where=half & capped),
        "amount_52w": demand_cells.amount.sum(where=year),
        "priced_units_52w": demand_cells.delivered_units.sum(where=year & demand_cells.amount.notnull()),
        "first_week": week.min(where=ordered),
        "last_week": week.max(where=ordered),
        "first_week_52w": week.min(where=ordered & year),
    }
    history = demand_cells.group_by("retailer_id", "sku_id").aggregate(**sums)
    # Only true sums are zero where nothing fell into the window; dates, money and maxima stay unknown.
    zero = {name: history[name].cast("float64").fill_null(0.0) for name in sums if name.startswith(_SUMMED)}
    recent = history.mutate(**zero).filter(history.last_week.notnull())
    return recent.filter(weeks_since(recent.last_week, as_of) < REMEMBERED_WEEKS)


_SUMMED = ("units_", "orders_", "closed_", "square_", "capped_", "unmet_", "priced_")
