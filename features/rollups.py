"""Sums of pair histories over a group (a SKU, a retailer, a tier's SKU, a district, a category, everything), and its trends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import ibis
import ibis.expr.types as ir

from contracts.weeks import HORIZONS, PAIR_WEEKS
from features.windows import weeks_since

WEEKS_AROUND_YEAR_BEFORE = 3
"""The same week of last year is taken with its two neighbours: orders are lumpy, and weeks shift against the calendar."""


def reach_weeks(horizon_weeks: int) -> float:
    """Weeks of history it takes to have seen all weeks around the target week a year before."""
    return float(PAIR_WEEKS - horizon_weeks + WEEKS_AROUND_YEAR_BEFORE // 2 + 1)


def roll_up(history: ir.Table, keys: Sequence[str], prefix: str, as_of: date) -> ir.Table:
    """Sum pair histories over groups.

    Parameters
    ----------
    history
        Pair histories of ``features.pair_history`` with the columns of ``keys``.
    keys
        What makes a group; empty is everything in one row.
    prefix
        Put before each new column.
    as_of
        The cut-off the histories were taken at.

    Returns
    -------
    ibis.Table
        One row per group: pairs, retailers and SKUs with an order in 13 weeks, units and order rate of 13 weeks, the trends of four
        weeks against thirteen and of thirteen against a year (1 is no change), cap-hit rate over 26 weeks, share of closed weeks,
        weeks since the first and last order of the pairs of the last year, and for each horizon the season: units around the target
        week a year before over the mean of that year (1 is an average week; null where the group is younger).
    """
    units = {weeks: history[f"units_{weeks}w"].sum() for weeks in (4, 13, 52)}
    bought = history.orders_13w > 0
    age = weeks_since(history.first_week.min(), as_of) + 1.0
    weekly = (units[52] / ibis.least(age, 52.0)).nullif(0.0)
    sums = {
        "units_13w": units[13],
        "pairs_13w": bought.sum(),
        "retailers_13w": history.retailer_id.nunique(where=bought),
        "skus_13w": history.sku_id.nunique(where=bought),
        "order_rate_13w": (history.orders_13w.sum() / (13.0 * history.count() - history.closed_13w.sum()).nullif(0.0)),
        "trend_4w": (units[4] / ibis.least(age, 4.0)) / (units[13] / ibis.least(age, 13.0)).nullif(0.0),
        "trend_13w": (units[13] / ibis.least(age, 13.0)) / weekly,
        "cap_hit_rate_26w": history.capped_26w.sum() / history.orders_26w.sum().nullif(0.0),
        "closed_share_4w": history.closed_4w.sum() / (4.0 * history.count()),
        "weeks_since_order": weeks_since(history.last_week.max(), as_of),
        "weeks_since_first_order": weeks_since(history.first_week.min(), as_of),
    }
    for horizon in HORIZONS:
        around = history[f"units_year_before_{horizon}"].sum() / WEEKS_AROUND_YEAR_BEFORE
        sums[f"season_{horizon}"] = ibis.ifelse(age > reach_weeks(horizon), around / weekly, ibis.null("float64"))
    named = {f"{prefix}_{name}": value.cast("float64") for name, value in sums.items()}
    return history.group_by(list(keys)).aggregate(**named) if keys else history.aggregate(**named)


def attach(rows: ir.Table, groups: ir.Table, keys: Sequence[str]) -> ir.Table:
    """Add a group's columns to each row that belongs to it; rows without a group get nulls."""
    fresh = [name for name in groups.columns if name not in keys]
    if not keys:
        return rows.cross_join(groups.select(*fresh))
    joined = rows.left_join(groups, list(keys))
    return joined.select(*rows.columns, *fresh)


def ratio(part: ir.NumericValue, whole: ir.NumericValue) -> ir.FloatingValue:
    """Divide, and stay unknown where the whole is nothing.

    >>> t = ibis.table({"a": "float64", "b": "float64"}, name="t")
    >>> "NULLIF" in ibis.to_sql(t.select(share=ratio(t.a, t.b)))
    True
    """
    return part.cast("float64") / whole.cast("float64").nullif(0.0)
