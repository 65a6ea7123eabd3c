"""How do the neighbours of a retailer fare, as of a cut-off?"""

from __future__ import annotations

from datetime import date

import ibis

from contracts.weeks import ACTIVE_WEEKS
from features.catalogue import Feature
from features.churn_history import in_weeks
from features.churn_population import gone_retailers

QUARTER_WEEKS = 13

DISTRICT_FEATURES = (
    Feature("district_silent_share", "share of the district's retailers active a quarter ago and silent for over 8 weeks now", "district"),
    Feature("district_trend_13w", "true demand of the district, last 13 weeks ÷ the 13 before", "district"),
)


def districts(activity: ibis.Table, retailers: ibis.Table) -> ibis.Table:
    """Return how each district fares: neighbours_of (the district) and DISTRICT_FEATURES.

    Parameters
    ----------
    activity
        Result of `quarters_activity`.
    retailers
        The register; those without a district are left aside.
    """
    located = retailers.filter(retailers.district.notnull()).select("retailer_id", neighbours_of="district")
    neighbours = activity.inner_join(located, "retailer_id")
    then = neighbours.orders_then > 0
    sums = neighbours.group_by("neighbours_of").aggregate(
        then=neighbours.count(where=then),
        silent=neighbours.count(where=then & (neighbours.orders_now == 0)),
        units_13w=neighbours.units_13w.sum(),
        units_prev_13w=neighbours.units_prev_13w.sum(),
    )
    return sums.select(
        "neighbours_of",
        district_silent_share=sums.silent / sums.then.cast("float64").nullif(0),
        district_trend_13w=sums.units_13w / sums.units_prev_13w.nullif(0),
    )


def quarters_activity(demand_cells: ibis.Table, weeks: ibis.Table, retailers: ibis.Table, as_of: date) -> ibis.Table:
    """Return what each retailer that is not gone ordered now and a quarter ago.

    Parameters
    ----------
    demand_cells
        Retailer-SKU-weeks, for the first orders of successors.
    weeks
        Result of `churn_history.retailer_weeks`.
    retailers
        The register.
    as_of
        The Sunday that ends the last known week.

    Returns
    -------
    ibis.Table
        retailer_id; orders_now, orders_then: weeks with an order among the last 8, and among the 8 that ended a quarter ago;
        units_13w, units_prev_13w: true demand of the last 13 weeks, and of the 13 before.
    """
    known = demand_cells.filter(demand_cells.week_start <= as_of)
    # A shop that closed or was relicensed did not fall silent.
    gone = gone_retailers(known, retailers, as_of)
    activity = weeks.group_by("retailer_id").aggregate(
        orders_now=weeks.count(where=(weeks.orders > 0) & in_weeks(weeks.week_start, as_of, ACTIVE_WEEKS)),
        orders_then=weeks.count(where=(weeks.orders > 0) & in_weeks(weeks.week_start, as_of, ACTIVE_WEEKS, skip=QUARTER_WEEKS)),
        units_13w=weeks.true_units.sum(where=in_weeks(weeks.week_start, as_of, 13)),
        units_prev_13w=weeks.true_units.sum(where=in_weeks(weeks.week_start, as_of, 13, skip=13)),
    )
    return activity.anti_join(gone, "retailer_id")
