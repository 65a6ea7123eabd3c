"""Do the newest orders come from retailers and of SKUs that the registers know, that are open or on sale, and that ordered before?"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir


def register_faults(order_lines: ir.Table, retailers: ir.Table, skus: ir.Table, first: date, as_of: date) -> ir.Table:
    """Count the lines between two days that the registers contradict.

    Returns
    -------
    ibis.Table
        One row: ``lines``; for ``unknown_retailers``, ``unknown_skus``, ``closed_retailers`` and ``delisted_skus`` the lines, and in
        ``{name}_first`` the first identifier. Where a register is empty, every line counts as unknown.
    """
    lines = order_lines.filter(order_lines.ordered_on.between(ibis.literal(first), ibis.literal(as_of)))
    shops = retailers.select(known_retailer=retailers.retailer_id, closed_on=retailers.closed_on)
    products = skus.select(known_sku=skus.sku_id, delisted_on=skus.delisted_on)
    told = lines.left_join(shops, lines.retailer_id == shops.known_retailer)
    told = told.left_join(products, told.sku_id == products.known_sku)
    faults = {
        "unknown_retailers": (told.known_retailer.isnull(), told.retailer_id),
        "unknown_skus": (told.known_sku.isnull(), told.sku_id),
        "closed_retailers": (told.ordered_on > told.closed_on, told.retailer_id),
        "delisted_skus": (told.ordered_on > told.delisted_on, told.sku_id),
    }
    counts = {name: told.count(where=fault) for name, (fault, _) in faults.items()}
    firsts = {f"{name}_first": column.min(where=fault) for name, (fault, column) in faults.items()}
    return told.aggregate(lines=told.count(), **counts, **firsts)


def newcomers(order_lines: ir.Table, key: str, first: date, as_of: date) -> ir.Table:
    """Count the lines between two days of those who never ordered, or were never ordered, before.

    Parameters
    ----------
    key
        ``retailer_id`` or ``sku_id``.

    Returns
    -------
    ibis.Table
        One row: ``newcomers``, their ``lines``, and the ``first_one`` by identifier.
    """
    known = order_lines.filter(order_lines.ordered_on <= ibis.literal(as_of))
    began = known.group_by(key).aggregate(began_on=known.ordered_on.min(), lines=known.count())
    new = began.filter(began.began_on >= ibis.literal(first))
    return new.aggregate(newcomers=new.count(), lines=ibis.coalesce(new.lines.sum(), 0), first_one=new[key].min().cast("string"))
