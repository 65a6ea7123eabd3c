"""From order lines to retailer-SKU-weeks, each with the interval that holds its true demand and why it is an interval."""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from contracts.cells import CELLS
from contracts.weeks import last_week
from features.limits import apply_limits
from features.windows import week_of

KEY = ["retailer_id", "sku_id", "week_start"]

UNIT_DECIMALS = 6
"""Sums of units are rounded: 0.7 + 0.1 is a little less than a cap of 0.8 in binary fractions."""


def retailer_sku_weeks(
    order_lines: ir.Table, retailers: ir.Table, skus: ir.Table, allocation_limits: ir.Table, supply: ir.Table
) -> ir.Table:
    """Sum order lines to weeks and say of each what is known of its true demand.

    Parameters
    ----------
    order_lines, retailers, skus, allocation_limits, supply
        The raw tables of the contract; all but the first may be empty.

    Returns
    -------
    ibis.Table
        One row per retailer, SKU and week with an order, and per week between a pair's first order and the newest order in
        which the pair could not order at all. Columns of ``contracts.cells.CELLS``. A week that is not there is a true zero.
        Knows nothing of any ``as_of``: what a row says depends on its own week only.
    """
    ordered = weekly_orders(order_lines)
    closed = _closed_weeks(ordered, skus, allocation_limits, supply)
    cells = _nullable(ordered).union(_nullable(closed.anti_join(ordered, KEY)))
    limited = _apply_all_limits(cells, retailers, skus, allocation_limits, supply)
    judged = _judge(limited)
    happened = (judged.delivered_units > 0) | (judged.requested_units > 0) | (judged.censoring == "stockout")
    return judged.filter(happened).select(*CELLS.column_names)


def with_true_units(cells: ir.Table, recovered: ir.Table, as_of: date) -> ir.Table:
    """Return the cells known as of a Sunday, with recovered demand where it was censored.

    Parameters
    ----------
    cells
        Table ``derived.cells``.
    recovered
        Table ``derived.recovered``; only its rows of this very ``as_of`` count, so that nothing later leaks in.

    Returns
    -------
    ibis.Table
        ``cells`` up to the last week, with ``true_units``: recovered, or else delivered. Weeks closed to the pair stay in, with
        ``censoring`` ``stockout``: they say that nothing was learned, not that nothing was wanted.
    """
    known = cells.filter(cells.week_start <= ibis.literal(last_week(as_of)))
    estimates = recovered.filter(recovered.as_of == ibis.literal(as_of)).select(*KEY, estimate="true_units")
    joined = known.left_join(estimates, KEY)
    return joined.select(*(joined[name] for name in cells.columns), true_units=ibis.coalesce(joined.estimate, joined.delivered_units))


def cells_to_recover(cells: ir.Table, retailers: ir.Table, skus: ir.Table, as_of: date, free_skus: int) -> ir.Table:
    """Return the cells that recovery as of a Sunday rests on.

    Parameters
    ----------
    cells, retailers, skus
        The derived cells and the raw registers.
    as_of
        A Sunday; later cells neither come along nor choose among the SKUs.
    free_skus
        How many SKUs without limits to learn from: those with most cells.

    Returns
    -------
    ibis.Table
        All cells of the SKUs that a limit censored so far, and of the free ones where there are such, with ``tier`` and ``category``
        (``""`` where there is none) and ``pack_units``.
    """
    known = cells.filter(cells.week_start <= ibis.literal(last_week(as_of)))
    hidden = known.filter(known.censoring.isin(["cap", "band", "floor"])).select("sku_id").distinct()
    unlimited = known.anti_join(hidden, "sku_id").cross_join(hidden.aggregate(limited=hidden.count())).filter(lambda rows: rows.limited > 0)
    counted = unlimited.group_by("sku_id").aggregate(cells=unlimited.count())
    free = counted.order_by(ibis.desc("cells"), "sku_id").limit(free_skus).select("sku_id")
    chosen = known.semi_join(_nullable(hidden).union(_nullable(free)), "sku_id")
    placed = chosen.left_join(retailers.select("retailer_id", "tier"), "retailer_id").drop("retailer_id_right")
    described = placed.left_join(skus.select("sku_id", "category", "pack_units"), "sku_id")
    tier, category = (ibis.coalesce(described[name], "") for name in ("tier", "category"))
    return described.select(*cells.columns, "pack_units", tier=tier, category=category)


def with_met_requests(cells: ir.Table, order_lines: ir.Table) -> ir.Table:
    """Return cells in which a request that was met under a cap or a band cap is the ``upper_units``, where none stands else.

    Parameters
    ----------
    cells
        With the columns of ``derived.cells`` and perhaps others.
    order_lines
        The lines that the cells were summed from.

    Returns
    -------
    ibis.Table
        ``cells``. Who asked for just what it got may have wanted no more, or known its cap: only recovery can tell
        (models.recorded_requests), to everybody else such a cell has no bound. A line without a request leaves the week without.
    """
    ordered = order_lines.group_by("retailer_id", "sku_id", week_start=week_of(order_lines.ordered_on)).aggregate(
        delivered=order_lines.delivered_units.sum().round(UNIT_DECIMALS),
        met_units=order_lines.requested_units.sum().round(UNIT_DECIMALS),
        untold=order_lines.count(where=order_lines.requested_units.isnull()),
    )
    met = ordered.filter(ordered.untold == 0, ordered.met_units == ordered.delivered).select(*KEY, "met_units")
    joined = cells.left_join(met, KEY)
    hidden = joined.censoring.isin(["cap", "band"]) & joined.upper_units.isnull()
    upper = ibis.cases((hidden, joined.met_units), else_=joined.upper_units)
    return joined.select(*(joined[name] for name in cells.columns if name != "upper_units"), upper_units=upper)


def weekly_orders(order_lines: ir.Table) -> ir.Table:
    """Sum order lines to weeks; ``requested_units`` stays null where no line recorded it.

    ``amount`` is null where a line that delivered something has none: part of the money would pass for that of all units.
    """
    unpriced = order_lines.count(where=order_lines.amount.isnull() & (order_lines.delivered_units > 0))
    asked = ibis.coalesce(order_lines.requested_units, order_lines.delivered_units).sum(where=order_lines.requested_units.notnull())
    unasked = order_lines.delivered_units.sum(where=order_lines.requested_units.isnull())
    return order_lines.group_by("retailer_id", "sku_id", week_start=week_of(order_lines.ordered_on)).aggregate(
        delivered_units=order_lines.delivered_units.sum().round(UNIT_DECIMALS),
        requested_units=(asked + ibis.coalesce(unasked, 0.0)).round(UNIT_DECIMALS),
        amount=ibis.cases((unpriced == 0, order_lines.amount.sum())),
    )


def _closed_weeks(ordered: ir.Table, skus: ir.Table, limits: ir.Table, supply: ir.Table) -> ir.Table:
    """Weeks in which a known pair may have been unable to order: candidates, with nothing ordered; judged with the others."""
    stock_outs = _sku_weeks(supply.filter(supply.available_units <= 0))
    shut = limits.filter(limits.cap_units <= ibis.coalesce(limits.floor_units, 0.0))
    shut_skus = _sku_weeks(shut.filter(shut.sku_id.notnull()))
    shut_bands = _sku_weeks(shut.select("price_band", "week_start").join(skus, "price_band"))
    weeks = stock_outs.union(shut_skus).union(shut_bands).distinct()
    newest = ordered.aggregate(newest_week=ordered.week_start.max())
    pairs = ordered.group_by("retailer_id", "sku_id").aggregate(first_week=ordered.week_start.min())
    candidates = pairs.join(weeks, "sku_id").cross_join(newest)
    between = candidates.filter(candidates.week_start >= candidates.first_week, candidates.week_start <= candidates.newest_week)
    return between.select(
        *KEY,
        delivered_units=ibis.literal(0.0),
        requested_units=ibis.null("float64"),
        amount=ibis.null("float64"),
    )


def _sku_weeks(rows: ir.Table) -> ir.Table:
    return _nullable(rows.select("sku_id", "week_start"))


def _nullable(rows: ir.Table) -> ir.Table:
    """Forget which columns are never null: ibis unites only tables that agree on it."""
    return rows.cast({name: kind.copy(nullable=True) for name, kind in rows.schema().items()})


def _apply_all_limits(cells: ir.Table, retailers: ir.Table, skus: ir.Table, limits: ir.Table, supply: ir.Table) -> ir.Table:
    tiers = retailers.select("retailer_id", "tier")
    bands = skus.select("sku_id", "price_band")
    known = cells.left_join(tiers, "retailer_id").drop("retailer_id_right").left_join(bands, "sku_id").drop("sku_id_right")
    limited = apply_limits(known, limits, item="sku_id")
    in_band = limited.filter(limited.price_band.notnull())
    used = in_band.group_by("retailer_id", "tier", "price_band", "week_start").aggregate(
        band_units=in_band.delivered_units.sum().round(UNIT_DECIMALS)
    )
    band_limits = apply_limits(used, limits, item="price_band", prefix="band_").drop("tier")
    banded = limited.left_join(band_limits, ["retailer_id", "price_band", "week_start"])
    banded = banded.select(*limited.columns, "band_units", "band_cap_units", "band_floor_units")
    available = supply.select("sku_id", "week_start", "available_units")
    stocked = banded.left_join(available, ["sku_id", "week_start"])
    return stocked.select(*banded.columns, "available_units")


def _judge(cells: ir.Table) -> ir.Table:
    """Apply the contract's rules in their order: nothing learned, at a cap, at a band's cap, asked for more, at a floor, exact."""
    delivered, requested = cells.delivered_units, cells.requested_units
    nothing_learned = (
        (cells.available_units <= 0)
        | (cells.cap_units <= ibis.coalesce(cells.floor_units, 0.0))
        | (cells.band_cap_units <= ibis.coalesce(cells.band_floor_units, 0.0))
    )
    rules = (
        (nothing_learned, "stockout"),
        (delivered >= cells.cap_units, "cap"),
        (cells.band_units >= cells.band_cap_units, "band"),
        (requested > delivered, "cap"),  # a limit that the books do not name
        ((delivered == cells.floor_units) | (cells.band_units == cells.band_floor_units), "floor"),
    )
    censoring = ibis.cases(*((ibis.coalesce(rule, False), word) for rule, word in rules), else_="none")
    judged = cells.mutate(censoring=censoring)
    at_least = judged.censoring.isin(["cap", "band"])
    return judged.mutate(
        lower_units=ibis.cases((judged.censoring.isin(["floor", "stockout"]), 0.0), else_=judged.delivered_units),
        upper_units=ibis.cases(
            (judged.censoring.isin(["none", "floor"]), judged.delivered_units),
            (at_least & (judged.requested_units > judged.delivered_units), judged.requested_units),
        ),
    )
