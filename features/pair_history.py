"""What a retailer did with a SKU up to a cut-off: one GROUP BY with conditional sums over the sparse cells of a year."""

from __future__ import annotations

from datetime import date

import ibis.expr.types as ir

from contracts.weeks import HORIZONS, PAIR_WEEKS
from features.rhythm import even_orders
from features.windows import WINDOWS, between_weeks_ago, in_last_weeks

LAGS = tuple(range(8))
"""Weeks back of which each has a column of its own."""

REMEMBERED_WEEKS = 53
"""A pair that ordered nothing for longer has no row: one week more than a year, for the same weeks of last year."""


def pair_history(demand_cells: ir.Table, as_of: date) -> ir.Table:
    """Sum up each pair that ordered in the last year.

    Parameters
    ----------
    demand_cells
        Cells with ``true_units``, up to ``as_of``.

    Returns
    -------
    ibis.Table
        One row per retailer and SKU: units of true demand, orders, orders at a cap and closed weeks by window; orders of 26 weeks that
        lie an even number of weeks back; units of each of the last eight weeks; units of the three weeks around each target week a year
        before; first and last week of an order.
        Sums are 0 where nothing happened: no row of a week is a true zero. A closed week teaches nothing, so orders in it do not
        count; only ``first_week`` and ``last_week_any`` are those of any order, so that a pair that ordered in closed weeks only is
        not lost.
    """
    recent = demand_cells.filter(in_last_weeks(demand_cells.week_start, as_of, REMEMBERED_WEEKS))
    sums, facts = _sums(recent, as_of), _facts(recent, as_of)
    history = recent.group_by("retailer_id", "sku_id").aggregate(**sums, **facts)
    zeros = {name: history[name].cast("float64").fill_null(0.0) for name in sums}
    counted = history.mutate(**zeros)
    # The first order may lie years back: one column over all cells, where the rest needs a year of them. A pair's cells begin with it.
    first = demand_cells.group_by("retailer_id", "sku_id").aggregate(first_week=demand_cells.week_start.min())
    joined = counted.join(first, ["retailer_id", "sku_id"]).select(*counted.columns, "first_week")
    # Ending on a filter keeps ibis from merging the join into those that follow, which would repeat the whole GROUP BY in the SQL.
    return joined.filter(joined.last_week_any.notnull())


def _sums(cells: ir.Table, as_of: date) -> dict[str, ir.Value]:
    week, units, closed = cells.week_start, cells.true_units, cells.censoring == "stockout"
    ordered = ~closed  # a cell of an open week is an order, even where nothing of it was delivered
    capped = cells.censoring.isin(["cap", "band"])
    year, half = in_last_weeks(week, as_of, 52), in_last_weeks(week, as_of, 26)
    sums: dict[str, ir.Value] = {}
    for weeks in WINDOWS:
        inside = in_last_weeks(week, as_of, weeks)
        sums[f"units_{weeks}w"] = units.sum(where=inside & ~closed)
        sums[f"orders_{weeks}w"] = ordered.sum(where=inside)
        sums[f"closed_{weeks}w"] = closed.sum(where=inside)
    for ago in LAGS:
        sums[f"units_{ago}_ago"] = units.sum(where=between_weeks_ago(week, as_of, ago, ago) & ~closed)
    for horizon in HORIZONS:
        year_before = between_weeks_ago(week, as_of, PAIR_WEEKS - horizon - 1, PAIR_WEEKS - horizon + 1)
        sums[f"units_year_before_{horizon}"] = units.sum(where=year_before & ~closed)
    return sums | {
        "square_units_52w": (units * units).sum(where=year & ~closed),
        "even_26w": even_orders(cells, as_of),
        "capped_26w": capped.sum(where=half),
        "unmet_26w": (units - cells.delivered_units).sum(where=half & capped),
        "priced_units_52w": cells.delivered_units.sum(where=year & cells.amount.notnull()),
    }


def _facts(cells: ir.Table, as_of: date) -> dict[str, ir.Value]:
    """What stays unknown where nothing happened: money, the largest order, dates."""
    week, ordered = cells.week_start, cells.censoring != "stockout"
    year = in_last_weeks(week, as_of, 52)
    return {
        "largest_52w": cells.true_units.max(where=year & ordered),
        "amount_52w": cells.amount.sum(where=year),
        "last_week": week.max(where=ordered),
        "last_week_any": week.max(where=ordered | (cells.delivered_units > 0)),
        "first_week_52w": week.min(where=ordered & year),
    }
