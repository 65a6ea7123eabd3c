"""What shops with a scanner sold on, beside what they ordered in the same weeks."""

from __future__ import annotations

import ibis.expr.types as ir

KEY = ["retailer_id", "sku_id", "week_start"]


def sold_and_ordered(sell_through: ir.Table, cells: ir.Table) -> ir.Table:
    """Return every week for which a shop told what it sold, with its order.

    Parameters
    ----------
    sell_through
        Table ``raw.sell_through``; may be empty.
    cells
        Table ``derived.cells``.

    Returns
    -------
    ibis.Table
        retailer_id, sku_id, week_start, sold_units, stock_units (null is not told), delivered_units, upper_units
        and censoring (null where the cells have no row: nothing was ordered). Knows nothing of any ``as_of``: each row is of its own week.
    """
    ordered = cells.select(*KEY, "delivered_units", "upper_units", "censoring")
    joined = sell_through.left_join(ordered, KEY)
    return joined.select(*KEY, "sold_units", "stock_units", "delivered_units", "upper_units", "censoring")
