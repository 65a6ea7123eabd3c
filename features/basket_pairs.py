"""What does each retailer carry as of a cut-off, and what could it not be offered?"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from contracts.weeks import ACTIVE_WEEKS, last_week
from features.churn_population import gone_retailers
from features.limits import apply_limits
from features.windows import in_last_weeks

CARRIED_WEEKS = 26
"""A retailer carries a SKU when it got some in the last so many weeks."""

RECENT_WEEKS = 13
"""What peers got in so many weeks counts as selling now."""

SUPPLY_WEEKS = 4
"""An entry of the supply older than so many weeks says nothing of today's stock."""


def carried_pairs(cells: ir.Table, retailers: ir.Table, as_of: date) -> ir.Table:
    """Return what the active retailers carry.

    Parameters
    ----------
    cells
        Table ``derived.cells``.
    retailers
        Table ``raw.retailers``; may be empty.
    as_of
        The Sunday that ends the last known week.

    Returns
    -------
    ibis.Table
        One row per retailer that ordered in the last 8 weeks and has neither closed nor been replaced, and SKU that it got in the last
        26 weeks: ``retailer_id``, ``sku_id``, ``units_26w`` (delivered units) and ``is_recent`` (got in the last 13 weeks).
    """
    got = cells.filter(in_last_weeks(cells.week_start, as_of, CARRIED_WEEKS), cells.delivered_units > 0)
    active = got.filter(in_last_weeks(got.week_start, as_of, ACTIVE_WEEKS)).select("retailer_id").distinct()
    gone = gone_retailers(cells.filter(cells.week_start <= last_week(as_of)), retailers, as_of)
    theirs = got.semi_join(active, "retailer_id").anti_join(gone, "retailer_id")
    recent = in_last_weeks(theirs.week_start, as_of, RECENT_WEEKS)
    return theirs.group_by("retailer_id", "sku_id").aggregate(units_26w=theirs.delivered_units.sum(), is_recent=recent.max())


def withdrawn_skus(skus: ir.Table, supply: ir.Table, as_of: date) -> ir.Table:
    """Return SKUs that nobody can be offered: delisted by then, or out of stock in their newest entry of the last 4 weeks: ``sku_id``."""
    delisted = skus.filter(skus.delisted_on <= ibis.literal(as_of)).select("sku_id")
    known = supply.filter(in_last_weeks(supply.week_start, as_of, SUPPLY_WEEKS))
    newest = known.group_by("sku_id").aggregate(week_start=known.week_start.max())
    empty = known.filter(known.available_units <= 0).semi_join(newest, ["sku_id", "week_start"]).select("sku_id")
    return _nullable(delisted).union(_nullable(empty), distinct=True)


def shut_pairs(cells: ir.Table, retailers: ir.Table, skus: ir.Table, limits: ir.Table, as_of: date) -> ir.Table:
    """Return pairs whose cap of the last known week is zero, by a limit on the SKU or on its price band: ``retailer_id``, ``sku_id``.

    Asked of every retailer of the cells, registered or not. The most specific limit decides, so a retailer's own cap opens what its tier's
    shuts.
    """
    ordering = cells.select("retailer_id").distinct()
    known = ordering.left_join(retailers.select("retailer_id", "tier"), "retailer_id").select("retailer_id", "tier")
    shut = [_shut_items(known, limits, item, as_of) for item in ("sku_id", "price_band")]
    bands = shut[1].join(skus.select("sku_id", "price_band"), "price_band").select("retailer_id", "sku_id")
    return _nullable(shut[0].select("retailer_id", "sku_id")).union(_nullable(bands), distinct=True)


def _shut_items(retailers: ir.Table, limits: ir.Table, item: str, as_of: date) -> ir.Table:
    """Retailers and items of which at least one limit is zero, with the limit that applies."""
    zero = limits.filter(limits.week_start == ibis.literal(last_week(as_of)), limits.cap_units <= 0, limits[item].notnull())
    pairs = retailers.select("retailer_id", "tier").cross_join(zero.select(item, "week_start").distinct())
    limited = apply_limits(pairs, limits, item=item)
    return limited.filter(limited.cap_units <= 0)


def _nullable(rows: ir.Table) -> ir.Table:
    """Forget which columns are never null: ibis unites only tables that agree on it."""
    return rows.cast({name: kind.copy(nullable=True) for name, kind in rows.schema().items()})
