"""What is known of a pair before its first order: like items, like shops, and the week from which it can order at all."""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from contracts.weeks import HORIZONS, PAIR_WEEKS, target_week
from features.catalogue import Feature
from features.rollups import ratio

NEWCOMER_FEATURES = (
    Feature(
        "peer_units", "what a retailer of its tier and size buys of the SKU or, before its first order, of like ones, units a week", "peers"
    ),
    Feature("like_units", "what the retailer would buy of an average young SKU of the category, units a week", "peers"),
    Feature("carried_share_13w", "share of the tier's retailers that ordered the SKU in 13 weeks", "peers"),
    Feature("units_per_carrier", "true demand of the SKU over 13 weeks by retailer that ordered it, units a week", "peers"),
    Feature("retailer_category_share", "share of the retailer's demand of 13 weeks that is of the SKU's category", "peers"),
    Feature(
        "weeks_on_offer", "weeks from the launch or opening to the first week ahead, negative before it; unknown once ordered", "peers"
    ),
)

LARGEST_SIZE = 10.0
"""A retailer counts at most so many times its tier's mean, and at least one so-manieth, when peers speak for it."""

PEER_WEEKS = 13.0
"""Weeks over which peers are looked at."""


def category_units(placed: ir.Table) -> ir.Table:
    """Return the units of 13 weeks of each retailer and category (``retailer_category_units_13w``), from histories with a category."""
    return placed.group_by("retailer_id", "category").aggregate(retailer_category_units_13w=placed.units_13w.sum())


def young_skus(by_sku: ir.Table) -> ir.Table:
    """Return one row with what an average SKU sells that was first ordered within a year, ``young_sku_units``, units a week.

    Parameters
    ----------
    by_sku
        Roll-up of all pairs by SKU (``features.rollups.roll_up`` with the prefix ``sku``).
    """
    young = by_sku.filter(by_sku.sku_weeks_since_first_order < PAIR_WEEKS)
    weekly = young.sku_units_13w / _weeks_seen(young.sku_weeks_since_first_order)
    return young.aggregate(young_sku_units=weekly.sum() / young.count().cast("float64").nullif(0.0))


def newcomer_values(rows: ir.Table, as_of: date) -> dict[str, ir.NumericValue]:
    """Return ``NEWCOMER_FEATURES`` of pairs with the sums of their groups.

    Parameters
    ----------
    rows
        One row per pair with ``retailer_category_units_13w`` and the roll-ups (``features.rollups``) of the SKU, the retailer, the
        category, the tier and its SKU, and everything, ``young_sku_units``, ``opened_on`` and ``launched_on``.
    as_of
        The cut-off they were taken at.
    """
    like = _like_units(rows)
    return {
        "peer_units": _peer_units(rows, like),
        "like_units": like,
        "carried_share_13w": ratio(ibis.coalesce(rows.tier_sku_pairs_13w, 0.0), rows.tier_retailers_13w),
        "units_per_carrier": ratio(ratio(rows.sku_units_13w, rows.sku_pairs_13w), _weeks_seen(rows.sku_weeks_since_first_order)),
        "retailer_category_share": ratio(ibis.coalesce(rows.retailer_category_units_13w, 0.0), rows.retailer_units_13w),
        "weeks_on_offer": -(_days_to_begin(rows, as_of).cast("float64") / 7.0).floor(),
    }


def open_from_horizon(rows: ir.Table, as_of: date) -> ir.IntegerValue:
    """Return the first horizon in whose week a pair can order: 1, unless its retailer opens or its SKU is launched later.

    Who ordered already has begun, whatever the register says. The week of the opening or launch counts.

    Parameters
    ----------
    rows
        One row per pair with ``opened_on``, ``launched_on``, and the weeks since the first order of the retailer and the SKU.
    """
    weeks = ibis.coalesce(_days_to_begin(rows, as_of), 0) / 7.0
    return ibis.greatest(weeks.floor().cast("int64") + HORIZONS[0], HORIZONS[0])


def open_until_horizon(rows: ir.Table, as_of: date) -> ir.IntegerValue:
    """Return the last horizon in whose week a pair can order: 8, unless its SKU is delisted sooner; 0 is none.

    The week of the delisting counts. Where the pair ordered in a later week, the register is not believed.

    Parameters
    ----------
    rows
        One row per pair with ``delisted_on`` and ``last_week_any``, the week of its last order.
    """
    ends_on = ibis.ifelse(ibis.coalesce(rows.last_week_any > rows.delisted_on, False), ibis.null("date"), rows.delisted_on)
    days = ends_on.delta(ibis.literal(target_week(as_of, HORIZONS[0])), unit="day")
    weeks = ibis.coalesce((days / 7.0).floor().cast("int64") + HORIZONS[0], HORIZONS[-1])
    return ibis.greatest(ibis.least(weeks, HORIZONS[-1]), 0)


def _days_to_begin(rows: ir.Table, as_of: date) -> ir.IntegerValue:
    """Days from the first target week to the later of opening and launch; null where both the retailer and the SKU were ordered of."""
    first = ibis.literal(target_week(as_of, HORIZONS[0]))
    days = [
        ibis.ifelse(since.isnull(), begins_on.delta(first, unit="day"), ibis.null("int64"))
        for since, begins_on in (
            (rows.retailer_weeks_since_first_order, rows.opened_on),
            (rows.sku_weeks_since_first_order, rows.launched_on),
        )
    ]
    return ibis.ifelse(days[0].isnull() | (days[1] > days[0]), days[1], days[0])


def _like_units(rows: ir.Table) -> ir.FloatingValue:
    """Units a week of the category per SKU that is bought, times what young SKUs sell of what an average one does.

    The category's units are the retailer's own or, before its first order, those of an average one. Most new SKUs never sell like an
    average one that is there: on the Iowa liquor orders a tenth of it.
    """
    own = ratio(rows.retailer_category_units_13w, _weeks_seen(rows.retailer_weeks_since_first_order))
    average = ratio(rows.category_units_13w, rows.total_retailers_13w) / PEER_WEEKS
    known = ibis.ifelse(rows.retailer_units_13w > 0, ibis.coalesce(own, 0.0), average)
    young = ratio(rows.young_sku_units, ratio(rows.total_units_13w, rows.total_skus_13w) / PEER_WEEKS)
    return ratio(ibis.coalesce(known, average), rows.category_skus_13w) * ibis.coalesce(young, 1.0)


def _peer_units(rows: ir.Table, like: ir.FloatingValue) -> ir.FloatingValue:
    """Units a week of the SKU per retailer of the tier, times how large this retailer is among them (unknown: average).

    Of the weeks before the SKU's first order in the tier it is taken that it sells like others of its category.
    """
    seen = _weeks_seen(rows.tier_sku_weeks_since_first_order)
    per_retailer = ibis.coalesce(ratio(rows.tier_sku_units_13w, rows.tier_retailers_13w), 0.0)
    size = ratio(rows.retailer_units_13w, ratio(rows.tier_units_13w, rows.tier_retailers_13w))
    bounded = ibis.greatest(ibis.least(ibis.coalesce(size, 1.0), LARGEST_SIZE), 1.0 / LARGEST_SIZE)
    unseen = ibis.coalesce(like, 0.0) * (PEER_WEEKS - seen)
    return (per_retailer * bounded + unseen) / PEER_WEEKS


def _weeks_seen(weeks_since_first_order: ir.NumericValue) -> ir.FloatingValue:
    """Weeks of 13 since the first order, 0 without one; LEAST alone would skip the null and call it 13."""
    return ibis.least(ibis.coalesce(weeks_since_first_order.cast("float64") + 1.0, 0.0), PEER_WEEKS)
