"""What do limits and supply say of the newest week, and what did they say of the weeks before?"""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from features.cells import retailer_sku_weeks

WEEKS_BEFORE = 8
"""Weeks that say what is usual of limits and supply."""


def limit_weeks(limits: ir.Table, week: date) -> ir.Table:
    """Count the limits of a week and of those before: ``week_start``, ``limits``, ``zero_caps``."""
    rows = _in_weeks(limits, week)
    return rows.group_by("week_start").aggregate(limits=rows.count(), zero_caps=rows.count(where=rows.cap_units <= 0))


def supply_weeks(supply: ir.Table, week: date) -> ir.Table:
    """Count the SKUs of a week and of those before: ``week_start``, ``skus``, ``stock_outs``."""
    rows = _in_weeks(supply, week)
    return rows.group_by("week_start").aggregate(skus=rows.count(), stock_outs=rows.count(where=rows.available_units <= 0))


def sku_states(limits: ir.Table, supply: ir.Table, skus: ir.Table, retailers: ir.Table, *, week: date) -> ir.Table:
    """List what a week says of SKUs.

    ``sku_id``, ``state``: ``capped``; ``out``, a stock-out; ``shut``, a cap of 0 for everybody or for each tier, or no longer on sale.
    """
    capped, out = limits.filter(limits.week_start == ibis.literal(week)), supply.filter(supply.week_start == ibis.literal(week))
    parts = (
        (capped.filter(capped.cap_units > 0), "capped"),
        (_shut_to_all(capped.filter(capped.sku_id.notnull()), retailers), "shut"),
        (out.filter(out.available_units <= 0), "out"),
        (skus.filter(skus.delisted_on <= ibis.literal(week + timedelta(days=6))), "shut"),
    )
    listed = [rows.filter(rows.sku_id.notnull()).select(sku_id=_nullable(rows.sku_id), state=ibis.literal(word)) for rows, word in parts]
    return listed[0].union(*listed[1:]).distinct()


def weeks_above_cap(order_lines: ir.Table, retailers: ir.Table, skus: ir.Table, limits: ir.Table, supply: ir.Table, week: date) -> ir.Table:
    """Count, by ``week_start``, the retailer-SKU-weeks with an order and a cap (``capped``), and those above it (``above``)."""
    first = week - timedelta(weeks=WEEKS_BEFORE)
    lines = order_lines.filter(order_lines.ordered_on.between(ibis.literal(first), ibis.literal(week + timedelta(days=6))))
    cells = retailer_sku_weeks(lines, retailers, skus, _in_weeks(limits, week), _in_weeks(supply, week))
    ordered = cells.filter(cells.delivered_units > 0, cells.cap_units.notnull())
    return ordered.group_by("week_start").aggregate(
        capped=ordered.count(), above=ordered.count(where=ordered.delivered_units > ordered.cap_units)
    )


def far_limits(limits: ir.Table, last: date) -> ir.Table:
    """Count the limits of weeks after a day: one row, ``limits`` and the farthest ``week_start``."""
    far = limits.filter(limits.week_start > ibis.literal(last))
    return far.aggregate(limits=far.count(), farthest=far.week_start.max())


def _shut_to_all(capped: ir.Table, retailers: ir.Table) -> ir.Table:
    """SKUs that no limit of the week lets anybody order: one tier's cap of 0 leaves a SKU to the others."""
    none, all_retailers = capped.cap_units <= 0, capped.retailer_id.isnull()
    by_sku = capped.group_by("sku_id").aggregate(
        open=capped.count(where=~ibis.coalesce(none, False)),
        everybody=capped.count(where=none & all_retailers & capped.tier.isnull()),
        tiers=capped.tier.nunique(where=none & all_retailers),
    )
    beside = by_sku.cross_join(retailers.aggregate(all_tiers=retailers.tier.nunique()))
    each_tier = (beside.all_tiers > 0) & (beside.tiers >= beside.all_tiers)
    return beside.filter(beside.open == 0, (beside.everybody > 0) | each_tier)


def _in_weeks(rows: ir.Table, week: date) -> ir.Table:
    first = week - timedelta(weeks=WEEKS_BEFORE)
    return rows.filter(rows.week_start >= ibis.literal(first), rows.week_start <= ibis.literal(week))


def _nullable(column: ir.StringValue) -> ir.StringValue:
    """Forget that a column is never null: ibis unites only tables that agree on it."""
    return column.cast(column.type().copy(nullable=True))
