"""What was ordered, wanted and capped in recent weeks, and what is forecast, added up: the totals that monitoring follows."""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from features.windows import in_last_weeks


def weekly_totals(cells: ir.Table, as_of: date, weeks: int) -> ir.Table:
    """Add up what was ordered in each of the last weeks.

    Parameters
    ----------
    cells
        Table ``derived.cells``; nothing after ``as_of`` counts.

    Returns
    -------
    ibis.Table
        One row per week with an order: ``week_start``, ``orders`` (retailer-SKU-weeks), ``retailers``, ``units`` (delivered), ``at_cap``
        (orders at a cap or band cap) and ``uncensored_units`` (delivered where no limit censored).
    """
    ordered = cells.filter(in_last_weeks(cells.week_start, as_of, weeks), cells.censoring != "stockout")
    return ordered.group_by("week_start").aggregate(
        orders=ordered.count(),
        retailers=ordered.retailer_id.nunique(),
        units=ordered.delivered_units.sum(),
        at_cap=ordered.censoring.isin(["cap", "band"]).sum(),
        uncensored_units=ibis.coalesce(ordered.delivered_units.sum(where=ordered.censoring == "none"), 0.0),
    )


def recovered_totals(true_demand: ir.Table, as_of: date, weeks: int) -> ir.Table:
    """Add up recovered demand over the last weeks.

    Parameters
    ----------
    true_demand
        Table ``scored.true_demand``.

    Returns
    -------
    ibis.Table
        One row: ``cells``, ``identified`` (cells), ``delivered_units`` and ``true_units`` of those at a cap or band cap, and
        ``all_true_units`` of all that were censored; 0 where there is none.
    """
    recent = true_demand.filter(in_last_weeks(true_demand.week_start, as_of, weeks))
    capped = recent.censoring.isin(["cap", "band"])
    sums = {
        "identified": recent.identified.sum(),
        "delivered_units": recent.delivered_units.sum(where=capped),
        "true_units": recent.true_units.sum(where=capped),
        "all_true_units": recent.true_units.sum(),
    }
    return recent.aggregate(cells=recent.count(), **{name: ibis.coalesce(total, 0).cast("float64") for name, total in sums.items()})


def pair_totals(forecasts: ir.Table, as_of: date) -> ir.Table:
    """Add up the eight weeks of each forecast of one Sunday: ``retailer_id``, ``sku_id``, ``mean_units``."""
    of_day = forecasts.filter(forecasts.as_of == as_of)
    return of_day.group_by("retailer_id", "sku_id").aggregate(mean_units=of_day.mean_units.sum())


def week_totals(forecasts: ir.Table, as_of: date) -> ir.Table:
    """Add up all pairs of each week forecast on one Sunday: ``horizon_weeks``, ``mean_units``, ``pairs``."""
    of_day = forecasts.filter(forecasts.as_of == as_of)
    return of_day.group_by("horizon_weeks").aggregate(mean_units=of_day.mean_units.sum(), pairs=of_day.count())


def churn_days(scores: ir.Table, as_of: date) -> ir.Table:
    """List the Sundays up to one on which churn was scored: ``as_of`` and ``model_version``."""
    known = scores.filter(scores.as_of <= as_of)
    return known.group_by("as_of").aggregate(model_version=known.model_version.max())


def scored_days(forecasts: ir.Table, as_of: date) -> ir.Table:
    """List the Sundays scored up to one: ``as_of`` and ``model_version`` of its forecasts."""
    known = forecasts.filter(forecasts.as_of <= as_of, forecasts.horizon_weeks == 1)
    return known.group_by("as_of").aggregate(model_version=known.model_version.max())
