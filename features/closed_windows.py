"""How much of the weeks after a cut-off did the wholesaler close to a retailer: by stock-outs, caps of zero, or because it rested?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import ibis
import ibis.expr.types as ir

from contracts.churn_targets import HOLIDAY_LEAST_RETAILERS, HOLIDAY_SHARE, USUAL_WEEKS
from contracts.weeks import last_week, target_week
from features.churn_population import since, was_ordered


def closed_windows(cells: ir.Table, as_of: date, horizons: Sequence[int]) -> ir.Table:
    """Return the share of each window in which a retailer could not order what it usually orders.

    Parameters
    ----------
    cells
        Retailer-SKU-weeks, those after ``as_of`` too.
    as_of
        The Sunday that ends the last week before the windows.
    horizons
        Lengths of the windows, weeks.

    Returns
    -------
    ibis.Table
        One row per retailer that ordered in the last USUAL_WEEKS weeks: retailer_id and, per horizon, ``closed_{h}w``, the closed
        weeks of its usual pairs ÷ all weeks of them, 0 to 1. A holiday closes every pair.
    """
    usual = _usual_pairs(cells, as_of)
    pairs = usual.group_by("retailer_id").aggregate(usual_pairs=usual.count())
    weeks = _served_weeks(cells, as_of, max(horizons))
    holidays = _holidays(weeks, as_of, horizons)
    shut = cells.filter(cells.censoring == "stockout", cells.week_start > last_week(as_of))
    shut = shut.anti_join(weeks.filter(~weeks.ordinary), "week_start").select("retailer_id", "sku_id", "week_start")
    shut = usual.inner_join(shut, ["retailer_id", "sku_id"])
    counted = shut.group_by("retailer_id").aggregate(
        **{f"shut_{weeks}w": shut.count(where=shut.week_start <= target_week(as_of, weeks)) for weeks in horizons}
    )
    rows = pairs.left_join(counted, "retailer_id").drop("retailer_id_right").cross_join(holidays)
    shares = {
        f"closed_{weeks}w": (
            ibis.coalesce(rows[f"shut_{weeks}w"], 0) / (rows.usual_pairs * float(weeks)) + rows[f"holidays_{weeks}w"] / float(weeks)
        )
        for weeks in horizons
    }
    return rows.select("retailer_id", **shares)


def _usual_pairs(cells: ir.Table, as_of: date) -> ir.Table:
    recent = cells.filter(cells.week_start >= since(as_of, USUAL_WEEKS), cells.week_start <= last_week(as_of), was_ordered(cells))
    return recent.select("retailer_id", "sku_id").distinct()


def _served_weeks(cells: ir.Table, as_of: date, farthest: int) -> ir.Table:
    """Weeks from the usual ones on in which anything happened, and whether as many retailers ordered as in an ordinary one."""
    around = cells.filter(cells.week_start >= since(as_of, USUAL_WEEKS), cells.week_start <= target_week(as_of, farthest))
    weeks = around.group_by("week_start").aggregate(served=around.retailer_id.nunique(where=was_ordered(around)))
    usual = ibis.coalesce(weeks.served.sum(where=weeks.week_start <= last_week(as_of)), 0) / float(USUAL_WEEKS)
    weeks = weeks.cross_join(weeks.aggregate(usual=usual))
    few = (weeks.usual >= HOLIDAY_LEAST_RETAILERS) & (weeks.served < HOLIDAY_SHARE * weeks.usual)
    return weeks.select("week_start", "usual", ordinary=~few)


def _holidays(weeks: ir.Table, as_of: date, horizons: Sequence[int]) -> ir.Table:
    """One row: the weeks of each window that were not ordinary; one in which nothing happened at all is no row of ``weeks``."""
    later = weeks.week_start > last_week(as_of)
    ordinary = {f"ordinary_{h}w": weeks.count(where=later & weeks.ordinary & (weeks.week_start <= target_week(as_of, h))) for h in horizons}
    counted = weeks.aggregate(usual=ibis.coalesce(weeks.usual.max(), 0.0), **ordinary)
    enough = counted.usual >= HOLIDAY_LEAST_RETAILERS
    return counted.select(**{f"holidays_{h}w": ibis.ifelse(enough, h - counted[f"ordinary_{h}w"], 0) for h in horizons})
