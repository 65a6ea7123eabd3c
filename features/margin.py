"""What a retailer brings: the wholesaler's margin over the last year, per week."""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from features.rollups import ratio
from features.windows import in_last_weeks, weeks_since

MARGIN_WEEKS = 52


def weekly_margin(demand_cells: ir.Table, skus: ir.Table, as_of: date) -> ir.Table:
    """Return money per week of each retailer: what it paid less what the units cost.

    A retailer that began less than a year ago counts from its first order. Where an order has no amount, list price times units
    stands for it. SKUs without a known cost are taken to bring the same share of the money as the retailer's others.

    Returns
    -------
    ibis.Table
        One row per retailer with an order in the last 52 weeks: ``retailer_id``, ``weekly_margin`` (money; null where no price and
        cost is known).
    """
    recent = demand_cells.filter(in_last_weeks(demand_cells.week_start, as_of, MARGIN_WEEKS), demand_cells.delivered_units > 0)
    priced = recent.left_join(skus.select("sku_id", "unit_cost", "unit_price"), "sku_id")
    money = ibis.coalesce(priced.amount, priced.delivered_units * priced.unit_price)
    lines = priced.select("retailer_id", "week_start", money=money, cost=priced.delivered_units * priced.unit_cost)
    known = lines.money.notnull() & lines.cost.notnull()
    sums = lines.group_by("retailer_id").aggregate(
        first_week=lines.week_start.min(),
        money=lines.money.sum(),
        money_with_cost=lines.money.sum(where=known),
        cost=lines.cost.sum(where=known),
    )
    share = ratio(sums.money_with_cost - sums.cost, sums.money_with_cost)
    weeks = ibis.least(weeks_since(sums.first_week, as_of) + 1.0, float(MARGIN_WEEKS))
    return sums.select("retailer_id", weekly_margin=sums.money * share / weeks)
