"""Who placed no order in the weeks after a cut-off, and of whom may that be said at all?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from contracts.weeks import last_week, require_sunday, target_week
from features.churn_population import active_retailers, since, successor_begins, was_ordered

USUAL_WEEKS = 13
"""A pair ordered in the last so many weeks is one of the retailer's usual ones."""

CLOSED_SHARE = 0.5
"""A silence is the wholesaler's when more than this share of the usual pairs' weeks was closed."""


def churn_labels(
    demand_cells_all: ibis.Table, retailers: ibis.Table, as_of: date, horizons: Sequence[int], last_known_week: date
) -> ibis.Table:
    """Return, for each retailer active as of a cut-off and each horizon, whether it placed no order.

    A retailer and horizon is left out where the answer is not churn's: its licence closed or was replaced within the
    window, or it was silent because more than half of its usual pairs' weeks were closed by the wholesaler.
    A horizon whose window is not over by ``last_known_week`` is left out for everybody.

    Parameters
    ----------
    demand_cells_all
        Retailer-SKU-weeks, those after ``as_of`` too; columns of the cells suffice.
    retailers
        The register; may be empty.
    as_of
        The Sunday that ends the last week the features know.
    horizons
        Lengths of the windows, weeks.
    last_known_week
        Monday of the newest whole week there is.

    Returns
    -------
    ibis.Table
        retailer_id, horizon_weeks (integer), no_order (boolean).

    Raises
    ------
    UsageError
        If ``as_of`` is not a Sunday.
    """
    require_sunday(as_of)
    cells = demand_cells_all.filter(demand_cells_all.week_start <= last_known_week)
    outcomes = _outcomes(cells, retailers, as_of, horizons)
    labels = [_labels(outcomes, as_of, weeks, last_known_week) for weeks in horizons]
    return ibis.union(*labels, distinct=False) if len(labels) > 1 else labels[0]


def _outcomes(cells: ibis.Table, retailers: ibis.Table, as_of: date, horizons: Sequence[int]) -> ibis.Table:
    """One row per active retailer: its next order, its end in the register, and how far its usual pairs were closed."""
    later = cells.filter(cells.week_start > last_week(as_of))
    orders = later.filter(was_ordered(later))
    next_orders = orders.group_by("retailer_id").aggregate(next_order=orders.week_start.min())
    rows = active_retailers(cells, retailers, as_of)
    for part in (next_orders, successor_begins(cells, retailers), _closures(cells, later, as_of, horizons)):
        rows = rows.left_join(part, "retailer_id").drop("retailer_id_right")
    return rows


def _closures(cells: ibis.Table, later: ibis.Table, as_of: date, horizons: Sequence[int]) -> ibis.Table:
    """Per retailer: its usual pairs, and in how many pair-weeks of each window they could not be ordered."""
    recent = cells.filter(cells.week_start >= since(as_of, USUAL_WEEKS), cells.week_start <= last_week(as_of), was_ordered(cells))
    usual = recent.select("retailer_id", "sku_id").distinct()
    closed = later.filter(later.censoring == "stockout").select("retailer_id", "sku_id", "week_start")
    closed = usual.inner_join(closed, ["retailer_id", "sku_id"])
    closed_weeks = closed.group_by("retailer_id").aggregate(
        **{f"closed_{weeks}w": closed.count(where=closed.week_start <= target_week(as_of, weeks)) for weeks in horizons},
        any_closed=closed.count(),
    )
    pairs = usual.group_by("retailer_id").aggregate(usual_pairs=usual.count())
    return pairs.left_join(closed_weeks, "retailer_id").drop("retailer_id_right")


def _labels(outcomes: ibis.Table, as_of: date, weeks: int, last_known_week: date) -> ibis.Table:
    """Labels of one horizon; none before its window is over, which is asked in SQL so that the days do not change the statement."""
    last_day = as_of + timedelta(weeks=weeks)
    no_order = ~_true(outcomes.next_order <= target_week(as_of, weeks))
    ended = _true(outcomes.closed_on <= last_day) | _true(outcomes.successor_week <= last_day)
    closed = ibis.coalesce(outcomes[f"closed_{weeks}w"], 0)
    wholesalers = _true(closed > CLOSED_SHARE * weeks * outcomes.usual_pairs)
    rows = outcomes.mutate(horizon_weeks=ibis.literal(weeks, "int64"), no_order=no_order)
    over = ibis.literal(target_week(as_of, weeks)) <= ibis.literal(last_known_week)
    return rows.filter(~ended & ~(no_order & wholesalers), over).select("retailer_id", "horizon_weeks", "no_order")


def _true(condition: ir.BooleanValue) -> ir.BooleanValue:
    """The condition, false where it is unknown."""
    return ibis.coalesce(condition, ibis.literal(False))
