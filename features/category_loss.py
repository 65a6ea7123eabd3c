"""Who goes on ordering in the 13 weeks after a cut-off, but nothing of a category that it used to buy?"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from contracts.churn_targets import (
    CATEGORY_HISTORY_WEEKS,
    CATEGORY_KNOWN_SHARE,
    CATEGORY_LEAST_ORDER_WEEKS,
    CATEGORY_LOSS_WEEKS,
    CATEGORY_RECENT_WEEKS,
    CLOSED_SHARE,
    USUAL_WEEKS,
)
from contracts.weeks import last_week, target_week
from features.churn_population import since, was_ordered
from features.indicators import one_or_zero


def category_losses(cells: ir.Table, skus: ir.Table, asked: ir.Table, as_of: date) -> ir.Table:
    """Return whether each retailer stopped a category; ``cells`` must reach to the end of the window.

    A category is one that a retailer used to buy where it ordered of it in at least CATEGORY_LEAST_ORDER_WEEKS of the last
    CATEGORY_HISTORY_WEEKS weeks, and in one of the last CATEGORY_RECENT_WEEKS. It does not count where nobody ordered of it in the
    window, or where more than half of the weeks of the retailer's usual SKUs of it were closed by the wholesaler.

    Parameters
    ----------
    cells
        Retailer-SKU-weeks, those of the 13 weeks after ``as_of`` too.
    skus
        The register; SKUs without a category are of none.
    asked
        Labels of 13 weeks: retailer_id and no_order.
    as_of
        The Sunday that ends the last week the features know.

    Returns
    -------
    ibis.Table
        One row per retailer asked that ordered in the window, used to buy a category, and at least CATEGORY_KNOWN_SHARE of whose
        orders are of a known category: retailer_id, loses_category (1.0 or 0.0), categories, lost_categories (numbers of them).
    """
    orders = _orders(cells, skus, as_of)
    used = _used_to_buy(orders, as_of)
    used = used.semi_join(_bought(orders, as_of, ["category"]), "category")
    used = used.anti_join(_closed_categories(cells, orders, as_of), ["retailer_id", "category"])
    still = _bought(orders, as_of, ["retailer_id", "category"]).mutate(still=ibis.literal(1))
    beside = used.left_join(still, ["retailer_id", "category"])
    counted = beside.group_by("retailer_id").aggregate(categories=beside.count(), kept=beside.still.count())
    goes_on = asked.filter(~asked.no_order).select("retailer_id")
    rows = counted.semi_join(goes_on, "retailer_id").semi_join(_of_known_categories(orders), "retailer_id")
    lost = rows.categories - rows.kept
    return rows.select("retailer_id", "categories", lost_categories=lost, loses_category=one_or_zero(lost > 0))


def _orders(cells: ir.Table, skus: ir.Table, as_of: date) -> ir.Table:
    """Orders of the weeks looked at, with their category; null where it is not known."""
    first, last = since(as_of, CATEGORY_HISTORY_WEEKS), target_week(as_of, CATEGORY_LOSS_WEEKS)
    orders = cells.filter(was_ordered(cells), cells.week_start >= first, cells.week_start <= last)
    categories = skus.select("sku_id", category=skus.category.nullif(""))
    return orders.select("retailer_id", "sku_id", "week_start").left_join(categories, "sku_id").drop("sku_id_right")


def _used_to_buy(orders: ir.Table, as_of: date) -> ir.Table:
    before = orders.filter(orders.week_start <= last_week(as_of), orders.category.notnull())
    weeks = before.group_by("retailer_id", "category").aggregate(
        order_weeks=before.week_start.nunique(), recent=before.count(where=before.week_start >= since(as_of, CATEGORY_RECENT_WEEKS))
    )
    return weeks.filter(weeks.order_weeks >= CATEGORY_LEAST_ORDER_WEEKS, weeks.recent > 0).select("retailer_id", "category")


def _bought(orders: ir.Table, as_of: date, keys: list[str]) -> ir.Table:
    later = orders.filter(orders.week_start > last_week(as_of), orders.category.notnull())
    return later.select(*keys).distinct()


def _closed_categories(cells: ir.Table, orders: ir.Table, as_of: date) -> ir.Table:
    """Retailer and category whose usual SKUs were closed for most of the window."""
    known = orders.filter(orders.week_start <= last_week(as_of), orders.week_start >= since(as_of, USUAL_WEEKS), orders.category.notnull())
    usual = known.select("retailer_id", "category", "sku_id").distinct()
    later = cells.filter(cells.week_start > last_week(as_of), cells.week_start <= target_week(as_of, CATEGORY_LOSS_WEEKS))
    shut = later.filter(later.censoring == "stockout").select("retailer_id", "sku_id", "week_start")
    shut = usual.inner_join(shut, ["retailer_id", "sku_id"])
    shut_weeks = shut.group_by("retailer_id", "category").aggregate(shut_weeks=shut.count())
    pairs = usual.group_by("retailer_id", "category").aggregate(pairs=usual.count())
    joined = pairs.inner_join(shut_weeks, ["retailer_id", "category"])
    return joined.filter(joined.shut_weeks > CLOSED_SHARE * CATEGORY_LOSS_WEEKS * joined.pairs).select("retailer_id", "category")


def _of_known_categories(orders: ir.Table) -> ir.Table:
    known = orders.group_by("retailer_id").aggregate(known_share=one_or_zero(orders.category.notnull()).mean())
    return known.filter(known.known_share >= CATEGORY_KNOWN_SHARE).select("retailer_id")
