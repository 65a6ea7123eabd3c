"""Which retailer-SKU pairs get a forecast as of a cut-off: those with a history, and those that have none yet but soon may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from contracts.weeks import HORIZONS, PAIR_WEEKS
from features.windows import weeks_since

KEY = ["retailer_id", "sku_id"]


@dataclass(frozen=True)
class ColdStart:
    """Who counts as new, and how many pairs a newcomer gets.

    Attributes
    ----------
    new_weeks
        A retailer or SKU is new for so many weeks after its first order, or its opening or launch.
    skus_per_retailer
        A new retailer is paired with the so many SKUs that most of its tier's retailers buy.
    retailers_per_sku
        A new SKU is paired with the so many retailers that buy most of its category.
    """

    new_weeks: int
    skus_per_retailer: int
    retailers_per_sku: int


def forecast_pairs(history: ir.Table, retailers: ir.Table, skus: ir.Table, as_of: date, cold_start: ColdStart) -> ir.Table:
    """List the pairs to forecast.

    Parameters
    ----------
    history
        Pair histories of ``features.pair_history`` at ``as_of``.
    retailers, skus
        The registers: everybody in ``history``, with ``tier``, ``opened_on``, ``closed_on`` and ``category``, ``launched_on``,
        ``delisted_on``.

    Returns
    -------
    ibis.Table
        ``retailer_id``, ``sku_id`` and ``method``: ``history`` for pairs ordered in the last 52 weeks, ``cold_start`` for the rest. No pair
        of a retailer that closed on or before ``as_of``, and no new pair of a SKU that was delisted by then.
    """
    open_retailers = retailers.filter(ibis.coalesce(retailers.closed_on > ibis.literal(as_of), True))
    known = history.filter(weeks_since(history.last_week_any, as_of) < PAIR_WEEKS).select(*KEY)
    ordered = known.semi_join(open_retailers, "retailer_id").mutate(method=ibis.literal("history"))
    listed = skus.filter(ibis.coalesce(skus.delisted_on > ibis.literal(as_of), True))
    newcomers = _new_retailer_pairs(history, open_retailers, listed, as_of, cold_start)
    launches = _new_sku_pairs(history, open_retailers, skus, listed, as_of, cold_start)
    cold = newcomers.union(launches, distinct=True).anti_join(known, KEY).mutate(method=ibis.literal("cold_start"))
    return ordered.union(cold)


def _new_retailer_pairs(history: ir.Table, retailers: ir.Table, listed: ir.Table, as_of: date, cold_start: ColdStart) -> ir.Table:
    """New retailers with the SKUs that most of their tier's retailers bought in the last 13 weeks."""
    begun = history.group_by("retailer_id").aggregate(first_week=history.first_week.min())
    known = retailers.left_join(begun, "retailer_id").select("retailer_id", "tier", "opened_on", "first_week")
    new = known.filter(_is_new(known.first_week, known.opened_on, as_of, cold_start.new_weeks)).select("retailer_id", "tier")
    bought = history.filter(history.orders_13w > 0).semi_join(listed, "sku_id").join(retailers, "retailer_id")
    carried = bought.group_by("tier", "sku_id").aggregate(carriers=bought.retailer_id.nunique())
    rank = ibis.row_number().over(group_by="tier", order_by=[ibis.desc("carriers"), "sku_id"])
    best = carried.mutate(rank=rank).filter(lambda rows: rows.rank < cold_start.skus_per_retailer)
    return _nullable_keys(new.join(best, "tier").select(*KEY))


def _new_sku_pairs(
    history: ir.Table, retailers: ir.Table, skus: ir.Table, listed: ir.Table, as_of: date, cold_start: ColdStart
) -> ir.Table:
    """New SKUs with the retailers that bought most of their category (of everything, where it has none) in the last 13 weeks."""
    begun = history.group_by("sku_id").aggregate(first_week=history.first_week.min())
    known = listed.left_join(begun, "sku_id").select("sku_id", "category", "launched_on", "first_week")
    new = known.filter(_is_new(known.first_week, known.launched_on, as_of, cold_start.new_weeks)).select("sku_id", "category")
    bought = history.filter(history.units_13w > 0).semi_join(retailers, "retailer_id").join(skus, "sku_id")
    volumes = bought.group_by("category", "retailer_id").aggregate(units=bought.units_13w.sum())
    rank = ibis.row_number().over(group_by="category", order_by=[ibis.desc("units"), "retailer_id"])
    best = volumes.mutate(rank=rank).filter(lambda rows: rows.rank < cold_start.retailers_per_sku)
    return _nullable_keys(new.join(best, "category").select(*KEY))


def _is_new(first_week: ir.DateValue, begins_on: ir.DateValue, as_of: date, new_weeks: int) -> ir.BooleanValue:
    """New: first ordered lately; or never, but opened or launched lately or within the weeks to forecast."""
    earliest = ibis.literal(as_of - timedelta(weeks=new_weeks))
    latest = ibis.literal(as_of + timedelta(weeks=len(HORIZONS)))
    announced = first_week.isnull() & (begins_on > earliest) & (begins_on <= latest)
    return ibis.coalesce(first_week > earliest, False) | ibis.coalesce(announced, False)


def _nullable_keys(pairs: ir.Table) -> ir.Table:
    return pairs.select(*(pairs[name].cast("string").name(name) for name in KEY))
