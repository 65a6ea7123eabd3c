"""What did the same holiday of last year do to demand? Asked only of target weeks that a moving holiday reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from contracts.weeks import HORIZONS

WEEKS_AROUND = 13
"""The week is compared with so many weeks to both sides of it: a year's mean would count a trend as a holiday."""

_AROUND = timedelta(weeks=WEEKS_AROUND)


def holiday_units(demand_cells: ir.Table, weeks: Mapping[int, date]) -> ir.Table:
    """Sum the true demand of each SKU in and around the weeks of last year that target weeks are compared with.

    Parameters
    ----------
    demand_cells
        Cells with ``true_units``, up to a cut-off.
    weeks
        By horizon, the Monday of that week (``features.moving_holidays.weeks_of_same_holiday``).

    Returns
    -------
    ibis.Table
        One row per SKU with, for each horizon of ``weeks``: ``at_{h}`` and ``around_{h}``, units of that week and of the weeks around
        it; ``orders_{h}`` and ``closed_{h}``, open and closed cells of that week; ``first_{h}``, the first week with a cell of those
        around it.
    """
    first = ibis.least(*(ibis.literal(day - _AROUND) for day in weeks.values()))
    last = ibis.greatest(*(ibis.literal(day + _AROUND) for day in weeks.values()))
    # to weeks first: few rows are left to look at once per horizon
    sold = _sku_weeks(demand_cells.filter(demand_cells.week_start >= first, demand_cells.week_start <= last))
    week = sold.week_start
    sums: dict[str, ir.Value] = {}
    for horizon, day in weeks.items():
        at = week == ibis.literal(day)
        around = (week >= ibis.literal(day - _AROUND)) & (week <= ibis.literal(day + _AROUND))
        sums[f"at_{horizon}"] = sold.units.sum(where=at)
        sums[f"around_{horizon}"] = sold.units.sum(where=around)
        sums[f"orders_{horizon}"] = sold.orders.sum(where=at)
        sums[f"closed_{horizon}"] = sold.closed.sum(where=at)
        sums[f"first_{horizon}"] = week.min(where=around)
    return sold.group_by("sku_id").aggregate(**sums)


def _sku_weeks(cells: ir.Table) -> ir.Table:
    closed = cells.censoring == "stockout"
    return cells.group_by("sku_id", "week_start").aggregate(
        units=cells.true_units.sum(where=~closed), orders=(~closed).sum(), closed=closed.sum()
    )


def holiday_seasons(sku_units: ir.Table, keys: Sequence[str], prefix: str, weeks: Mapping[int, date]) -> ir.Table:
    """Compare the week of last year's holiday with the weeks around it.

    Parameters
    ----------
    sku_units
        As ``holiday_units`` gives them, with the columns of ``keys``.
    keys
        What makes a group; empty is everything in one row.
    prefix
        Put before each new column.

    Returns
    -------
    ibis.Table
        One row per group: ``{prefix}_holiday_{h}`` for every horizon, units of that week over the mean of the weeks around it since the
        group's first one (1 is an ordinary week). Null where no moving holiday reaches the target week, where the group did not order
        before that week, and where it could not order in it.
    """
    ratios: dict[str, ir.Value] = {}
    for horizon, week in weeks.items():
        first = sku_units[f"first_{horizon}"].min()
        seen = ibis.literal(week + _AROUND).delta(first, unit="day").cast("float64") / 7.0 + 1.0
        ratio = ibis.coalesce(sku_units[f"at_{horizon}"].sum(), 0.0) * seen / sku_units[f"around_{horizon}"].sum().nullif(0.0)
        shut = _none(sku_units[f"orders_{horizon}"]) & ~_none(sku_units[f"closed_{horizon}"])
        known = (first < ibis.literal(week)) & ~shut
        ratios[f"{prefix}_holiday_{horizon}"] = ibis.ifelse(known, ratio, ibis.null("float64"))
    seasons = sku_units.group_by(list(keys)).aggregate(**ratios) if keys else sku_units.aggregate(**ratios)
    unreached = {f"{prefix}_holiday_{h}": ibis.null("float64") for h in HORIZONS if h not in weeks}
    return seasons.mutate(**unreached)


def _none(counts: ir.IntegerColumn) -> ir.BooleanValue:
    return ibis.coalesce(counts.sum(), 0) == 0
