"""What does judging a forecast need of a pair besides its demand: how often it ordered, and what limited it before and after?

These are facts about limits and orders, not features: no model sees them, and ``limits_ahead`` reads the weeks after the cut-off.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from contracts.weeks import HORIZONS, PAIR_WEEKS, RATIONED_WEEKS, last_week, target_week
from features.limits import apply_limits
from features.windows import in_last_weeks, weeks_since

KEY = ["retailer_id", "sku_id"]


def limits_ahead(pairs: ir.Table, cells: ir.Table, retailers: ir.Table, skus: ir.Table, limits: ir.Table, as_of: date) -> ir.Table:
    """Tell under which limits each pair stood in each of the eight weeks after a cut-off, and what it got.

    Parameters
    ----------
    pairs
        ``retailer_id`` and ``sku_id``, one row each.
    cells
        Table ``derived.cells``, with the weeks after ``as_of``.
    retailers, skus, limits
        The raw tables; may be empty.

    Returns
    -------
    ibis.Table
        One row per pair and horizon: ``retailer_id``, ``sku_id``, ``horizon_weeks``, ``delivered_units`` (0 where nothing was ordered),
        ``cap_units`` and ``band_cap_units`` (units a week, the second shared by the band; null is none) and ``floored`` (a floor held).
    """
    placed = _placed(pairs, retailers, skus)
    weeks = [placed.mutate(horizon_weeks=h, week_start=ibis.literal(target_week(as_of, h))) for h in HORIZONS]
    limited = _limited(ibis.union(*weeks), limits)
    got = cells.select(*KEY, "week_start", "delivered_units")
    joined = limited.left_join(got, [*KEY, "week_start"])
    floored = (ibis.coalesce(joined.floor_units, 0.0) > 0) | (ibis.coalesce(joined.band_floor_units, 0.0) > 0)
    return joined.select(
        *KEY,
        horizon_weeks=joined.horizon_weeks.cast("int64"),
        delivered_units=ibis.coalesce(joined.delivered_units, 0.0),
        cap_units=joined.cap_units,
        band_cap_units=joined.band_cap_units,
        floored=floored,
    )


def records_before(pairs: ir.Table, cells: ir.Table, retailers: ir.Table, skus: ir.Table, limits: ir.Table, as_of: date) -> ir.Table:
    """Count what each pair did up to a cut-off, and in how many weeks a cap stood over it.

    Parameters
    ----------
    pairs, cells, retailers, skus, limits
        As in `limits_ahead`; nothing after ``as_of`` counts.

    Returns
    -------
    ibis.Table
        One row per pair: ``retailer_id``, ``sku_id``, ``tier`` (``""`` is none), ``orders_52w``, ``open_weeks_52w`` (weeks since its first
        order, at most 52, that were not closed to it), ``orders_26w``, ``capped_orders_26w`` (those that took all that a cap or band
        cap allowed) and ``capped_weeks_26w`` (weeks with a cap or band cap over it, whether it ordered or not).
    """
    placed = _placed(pairs, retailers, skus)
    known = cells.filter(cells.week_start <= ibis.literal(last_week(as_of))).semi_join(pairs, KEY)
    counted, capped = _counts(known, as_of), _capped_weeks(placed, limits, as_of)
    joined = placed.left_join(counted, KEY).select(*placed.columns, *(name for name in counted.columns if name not in KEY))
    joined = joined.left_join(capped, KEY).select(*joined.columns, "capped_weeks_26w")
    age = ibis.least(ibis.coalesce(weeks_since(joined.first_week, as_of) + 1.0, 0.0), float(PAIR_WEEKS))
    zeros = {name: ibis.coalesce(joined[name].cast("float64"), 0.0) for name in (*COUNTS, "capped_weeks_26w")}
    return joined.select(
        *KEY,
        "tier",
        open_weeks_52w=ibis.greatest(age - zeros.pop("closed_52w"), 0.0),
        **zeros,
    )


COUNTS = ("orders_52w", "closed_52w", "orders_26w", "capped_orders_26w")


def _counts(cells: ir.Table, as_of: date) -> ir.Table:
    closed, at_cap = cells.censoring == "stockout", cells.censoring.isin(["cap", "band"])
    year, half = in_last_weeks(cells.week_start, as_of, PAIR_WEEKS), in_last_weeks(cells.week_start, as_of, RATIONED_WEEKS)
    return cells.group_by(*KEY).aggregate(
        orders_52w=(~closed).sum(where=year),
        closed_52w=closed.sum(where=year),
        orders_26w=(~closed).sum(where=half),
        capped_orders_26w=at_cap.sum(where=half),
        first_week=cells.week_start.min(),
    )


def _capped_weeks(placed: ir.Table, limits: ir.Table, as_of: date) -> ir.Table:
    """Count the weeks with a cap over a pair; only weeks with any limit are laid out."""
    weeks = limits.filter(in_last_weeks(limits.week_start, as_of, RATIONED_WEEKS)).select("week_start").distinct()
    laid_out = placed.cross_join(weeks).select(*placed.columns, "week_start")
    # a filter at its end keeps ibis from merging this join with the next, which reads the limits again and would be refused
    limited = _limited(laid_out.filter(laid_out.week_start.notnull()), limits)
    held = limited.filter(limited.cap_units.notnull() | limited.band_cap_units.notnull())
    return held.group_by(*KEY).aggregate(capped_weeks_26w=held.count())


def _placed(pairs: ir.Table, retailers: ir.Table, skus: ir.Table) -> ir.Table:
    tiered = pairs.select(*KEY).left_join(retailers.select("retailer_id", "tier"), "retailer_id")
    tiered = tiered.select(*KEY, tier=ibis.coalesce(tiered.tier, ""))
    return tiered.left_join(skus.select("sku_id", "price_band"), "sku_id").select(*tiered.columns, "price_band")


def _limited(weeks: ir.Table, limits: ir.Table) -> ir.Table:
    return apply_limits(apply_limits(weeks, limits, item="sku_id"), limits, item="price_band", prefix="band_")
