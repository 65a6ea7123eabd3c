"""What came of the pairs that were forecast for one week, under which limits, and what would simple forecasts have said?

These are facts that judge forecasts, not features: no model sees them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from contracts.weeks import PAIR_WEEKS, last_week, target_week
from features.limits import apply_limits
from features.windows import in_last_weeks, weeks_since

KEY = ["retailer_id", "sku_id"]

RECENT_WEEKS = 13
"""Weeks of the moving average that a forecast has to beat."""


def matured_outcomes(
    forecasts: ir.Table, cells: ir.Table, retailers: ir.Table, skus: ir.Table, limits: ir.Table, as_of: date, horizons: Sequence[int]
) -> ir.Table:
    """Tell of each pair forecast for the last known week what it got, what it was allowed, and what simple forecasts had said.

    Parameters
    ----------
    forecasts
        Table ``scored.demand_forecast``.
    cells
        Table ``derived.cells``; nothing after ``as_of`` counts.
    retailers, skus, limits
        The raw tables; may be empty.
    as_of
        The Sunday that ends the week.
    horizons
        Weeks ahead: the forecasts of so many weeks before ``as_of`` are looked at.

    Returns
    -------
    ibis.Table
        One row per pair with such a forecast for the week, without those to whom the week was closed (a stock-out, or a cap of 0):
        ``retailer_id``, ``sku_id``, ``tier`` and ``district`` (``""`` is none), ``delivered_units``, ``cap_units`` (null is none),
        ``shared_or_floored`` (a cap of the price band or a floor held, so that what came says little of what was wanted), ``orders_52w``
        and ``open_weeks_52w`` (of the year before the farthest origin), and per horizon ``naive_{h}`` (units of the last week known then)
        and ``recent_{h}`` (mean units of the last 13 weeks known then).
    """
    week = last_week(as_of)
    origins = {horizon: as_of - timedelta(weeks=horizon) for horizon in horizons}
    matured = forecasts.filter(forecasts.week_start == ibis.literal(week), forecasts.as_of.isin(list(origins.values())))
    rows = _limited(matured.select(*KEY).distinct(), retailers, skus, limits, week)
    rows = _with(rows, _this_week(cells, week))
    rows = _with(rows, _history(cells, as_of, max(horizons), origins))
    shut = _shut_skus(cells, week)
    rows = rows.left_join(shut, "sku_id").select(*rows.columns, "shut")
    caps = ibis.coalesce(rows.cap_units, rows.band_cap_units, 1.0)
    floored = (ibis.coalesce(rows.floor_units, 0.0) > 0) | (ibis.coalesce(rows.band_floor_units, 0.0) > 0)
    open_pairs = rows.filter(~ibis.coalesce(rows.closed, False), ~ibis.coalesce(rows.shut, False), caps > 0)
    zeros = {name: ibis.coalesce(open_pairs[name], 0.0) for name in ("delivered_units", "orders_52w", *_simple(origins))}
    age = ibis.least(ibis.coalesce(weeks_since(open_pairs.first_week, as_of) + 1.0 - max(horizons), 0.0), float(PAIR_WEEKS))
    return open_pairs.select(
        *KEY,
        "tier",
        "district",
        cap_units=open_pairs.cap_units,
        shared_or_floored=open_pairs.band_cap_units.notnull() | floored,
        open_weeks_52w=ibis.greatest(age - ibis.coalesce(open_pairs.closed_52w, 0.0), 0.0),
        **zeros,
    )


def _simple(origins: dict[int, date]) -> list[str]:
    return [f"{name}_{horizon}" for horizon in origins for name in ("naive", "recent")]


def _limited(pairs: ir.Table, retailers: ir.Table, skus: ir.Table, limits: ir.Table, week: date) -> ir.Table:
    """Add tier, district and all limits of the week to pairs."""
    shops = retailers.select("retailer_id", "tier", "district")
    placed = pairs.left_join(shops, "retailer_id").select(*KEY, "tier", "district")
    placed = placed.mutate(tier=ibis.coalesce(placed.tier, ""), district=ibis.coalesce(placed.district, ""))
    banded = placed.left_join(skus.select("sku_id", "price_band"), "sku_id").select(*placed.columns, "price_band")
    weeks = banded.mutate(week_start=ibis.literal(week))
    of_week = limits.filter(limits.week_start == ibis.literal(week))
    return apply_limits(apply_limits(weeks, of_week, item="sku_id"), of_week, item="price_band", prefix="band_")


def _this_week(cells: ir.Table, week: date) -> ir.Table:
    of_week = cells.filter(cells.week_start == ibis.literal(week))
    return of_week.select(*KEY, delivered_units="delivered_units", closed=of_week.censoring == "stockout")


def _shut_skus(cells: ir.Table, week: date) -> ir.Table:
    """SKUs closed to everybody who has a cell in the week: a newcomer without a cell could not order them either."""
    of_week = cells.filter(cells.week_start == ibis.literal(week))
    by_sku = of_week.group_by("sku_id").aggregate(cells=of_week.count(), closed=(of_week.censoring == "stockout").sum())
    return by_sku.select("sku_id", shut=by_sku.cells == by_sku.closed)


def _history(cells: ir.Table, as_of: date, farthest: int, origins: dict[int, date]) -> ir.Table:
    """What each pair did up to each origin; velocity as of the farthest one, so that it is the same for all horizons."""
    known = cells.filter(cells.week_start < ibis.literal(target_week(as_of, 1)))
    closed, begins = known.censoring == "stockout", as_of - timedelta(weeks=farthest)
    year = in_last_weeks(known.week_start, begins, PAIR_WEEKS)
    simple: dict[str, ir.Value] = {}
    for horizon, origin in origins.items():
        simple[f"naive_{horizon}"] = known.delivered_units.sum(where=known.week_start == ibis.literal(last_week(origin)))
        recent = known.delivered_units.sum(where=in_last_weeks(known.week_start, origin, RECENT_WEEKS))
        simple[f"recent_{horizon}"] = recent / float(RECENT_WEEKS)
    return known.group_by(*KEY).aggregate(
        orders_52w=(~closed).sum(where=year).cast("float64"),
        closed_52w=closed.sum(where=year).cast("float64"),
        first_week=known.week_start.min(),
        **simple,
    )


def _with(rows: ir.Table, part: ir.Table) -> ir.Table:
    return rows.left_join(part, KEY).select(*rows.columns, *(name for name in part.columns if name not in KEY))
