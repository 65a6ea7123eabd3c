"""What do SKUs bring, and what did each retailer pay and cost in the last year, as of a cut-off?"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from features.churn_history import in_weeks
from features.rollups import ratio

MONEY_WEEKS = 52
FILL_WEEKS = 26


def sku_prices(demand_cells: ir.Table, skus: ir.Table, as_of: date) -> ir.Table:
    """Return what a unit of each SKU is paid with and what it costs.

    Parameters
    ----------
    demand_cells
        Retailer-SKU-weeks with ``true_units``; weeks after ``as_of`` are left aside.
    skus
        The register; may be empty. Its costs hold for all weeks: it keeps no history of them.
    as_of
        The Sunday that ends the last known week.

    Returns
    -------
    ibis.Table
        One row per SKU with a cell in 52 weeks or in the register: ``sku_id``, ``price`` (money per unit paid in 52 weeks, or else the list
        price; null where neither is known), ``unit_cost`` (money; null where not known).
    """
    recent = demand_cells.filter(in_weeks(demand_cells.week_start, as_of, MONEY_WEEKS))
    priced = recent.amount.notnull() & (recent.delivered_units > 0)
    paid = recent.group_by("sku_id").aggregate(
        paid=recent.amount.sum(where=priced), units=recent.delivered_units.sum(where=priced), cells=recent.count()
    )
    everything = paid.outer_join(skus.select("sku_id", "unit_cost", "unit_price"), "sku_id")
    return everything.select(
        sku_id=ibis.coalesce(everything.sku_id, everything.sku_id_right),
        price=ibis.coalesce(ratio(everything.paid, everything.units), everything.unit_price.cast("float64")),
        unit_cost=everything.unit_cost.cast("float64"),
    )


def retailer_money(demand_cells: ir.Table, skus: ir.Table, as_of: date) -> ir.Table:
    """Return the money of each retailer that had a cell in 52 weeks.

    Returns
    -------
    ibis.Table
        One row per retailer: ``money_52w`` (paid; where no amount is recorded, units times what the SKU is paid on average, or its
        list price; null where neither is known),
        ``money_with_cost_52w`` (the part of it whose cost is known) and ``cost_52w`` of that part; ``money_ahead_8w`` (paid
        in the eight weeks that follow ``as_of``, a year before); ``delivered_value_26w``,
        ``true_value_26w``, ``delivered_value_52w`` and ``true_value_52w`` (deliveries and true demand at the same prices, weeks without
        supply left out: nothing is known of what was wanted in them) and ``limited_52w`` (weeks of SKUs whose true demand a limit hid).
    """
    prices = sku_prices(demand_cells, skus, as_of)
    recent = demand_cells.filter(in_weeks(demand_cells.week_start, as_of, MONEY_WEEKS))
    cells = recent.left_join(prices, "sku_id").select(*recent.columns, "price", "unit_cost")
    cells = cells.mutate(
        money=ibis.coalesce(cells.amount.cast("float64"), cells.delivered_units * cells.price), cost=cells.delivered_units * cells.unit_cost
    )
    known = cells.money.notnull() & cells.cost.notnull()
    supplied = cells.censoring != "stockout"
    lately = supplied & in_weeks(cells.week_start, as_of, FILL_WEEKS)
    delivered, wanted = cells.delivered_units * cells.price, cells.true_units * cells.price
    return cells.group_by("retailer_id").aggregate(
        money_52w=cells.money.sum(),
        money_with_cost_52w=cells.money.sum(where=known),
        cost_52w=cells.cost.sum(where=known),
        # the week a year before the first one after as_of is the oldest of the last 52
        money_ahead_8w=cells.money.sum(where=in_weeks(cells.week_start, as_of, 8, skip=MONEY_WEEKS - 8)),
        delivered_value_26w=delivered.sum(where=lately),
        true_value_26w=wanted.sum(where=lately),
        delivered_value_52w=delivered.sum(where=supplied),
        true_value_52w=wanted.sum(where=supplied),
        limited_52w=cells.count(where=cells.censoring.isin(["cap", "band", "floor"])),
    )
