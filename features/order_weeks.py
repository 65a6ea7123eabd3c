"""In which weeks did each retailer order, and what did each of them bring?"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from features.churn_population import was_ordered
from features.windows import in_last_weeks

HISTORY_WEEKS = 208
"""Weeks looked back."""


def order_weeks(cells: ir.Table, skus: ir.Table, as_of: date) -> ir.Table:
    """Sum the money of each retailer-week with an order.

    Where an order has no amount, list price times units stands for it, as in ``features.margin``.

    Parameters
    ----------
    cells
        Retailer-SKU-weeks; those after ``as_of`` are left aside.
    skus
        The register; may be empty.
    as_of
        The Sunday that ends the last known week.

    Returns
    -------
    ibis.Table
        One row per retailer and week with an order of the last 208: ``retailer_id``, ``week_start``, ``money`` (null where no price is
        known), ``money_with_cost`` and ``cost`` (of the SKUs with a known cost).
    """
    orders = cells.filter(in_last_weeks(cells.week_start, as_of, HISTORY_WEEKS), was_ordered(cells))
    priced = orders.left_join(skus.select("sku_id", "unit_cost", "unit_price"), "sku_id")
    money = ibis.coalesce(priced.amount, priced.delivered_units * priced.unit_price)
    lines = priced.select("retailer_id", "week_start", money=money, cost=priced.delivered_units * priced.unit_cost)
    known = lines.money.notnull() & lines.cost.notnull()
    return lines.group_by("retailer_id", "week_start").aggregate(
        money=lines.money.sum(), money_with_cost=lines.money.sum(where=known), cost=lines.cost.sum(where=known)
    )
