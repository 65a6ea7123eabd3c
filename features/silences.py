"""How much of a retailer's silence did the wholesaler cause, and which retailers are known to be closed or replaced?"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from contracts.churn_targets import USUAL_WEEKS
from contracts.weeks import ACTIVE_WEEKS, last_week
from features.churn_population import order_spans, since, was_ordered
from features.relicensing import successions
from features.windows import weeks_since


def closed_silences(cells: ir.Table, as_of: date) -> ir.Table:
    """Return what share of each silence was closed to the retailer by stock-outs and caps of zero.

    Parameters
    ----------
    cells
        Retailer-SKU-weeks; those after ``as_of`` are left aside.
    as_of
        The Sunday that ends the last known week.

    Returns
    -------
    ibis.Table
        One row per retailer without an order in the last 8 weeks: ``retailer_id``, ``closed_share``: of the weeks since its last order,
        times the SKUs it ordered in the 13 weeks up to that, the share that was closed to it, 0 to 1.
    """
    known = cells.filter(cells.week_start <= last_week(as_of))
    spans = order_spans(known)
    silent = spans.filter(spans.last_order < since(as_of, ACTIVE_WEEKS)).select("retailer_id", "last_order")
    placed = known.inner_join(silent, "retailer_id")
    usual = placed.filter(was_ordered(placed), placed.last_order.delta(placed.week_start, unit="day") < 7 * USUAL_WEEKS)
    usual = usual.select("retailer_id", "sku_id").distinct()
    pairs = usual.group_by("retailer_id").aggregate(pairs=usual.count())
    shut = placed.filter(placed.censoring == "stockout", placed.week_start > placed.last_order).semi_join(usual, ["retailer_id", "sku_id"])
    shut = shut.group_by("retailer_id").aggregate(shut=shut.count())
    rows = silent.inner_join(pairs, "retailer_id").left_join(shut, "retailer_id")
    weeks = rows.pairs * weeks_since(rows.last_order, as_of)
    return rows.select("retailer_id", closed_share=ibis.coalesce(rows.shut, 0) / weeks)


def gone_since(cells: ir.Table, retailers: ir.Table, as_of: date) -> ir.Table:
    """Return when it was known that a retailer had closed or was replaced, where it was by a cut-off.

    Returns
    -------
    ibis.Table
        ``retailer_id``, ``gone_on`` (date), one row per retailer that is gone as ``features.churn_population`` has it.
    """
    known = cells.filter(cells.week_start <= last_week(as_of))
    replaced = successions(order_spans(known), retailers, last_week(as_of)).select("retailer_id", "evident_from")
    register = retailers.select("retailer_id", "closed_on").left_join(replaced, "retailer_id").drop("retailer_id_right")
    closed = ibis.ifelse(register.closed_on <= as_of, register.closed_on, ibis.null("date"))
    rows = register.select("retailer_id", gone_on=ibis.least(closed, register.evident_from))
    return rows.filter(rows.gone_on.notnull())
