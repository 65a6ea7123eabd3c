"""How broad is the range that a retailer orders, as of a cut-off?"""

from __future__ import annotations

from datetime import date

import ibis

from features.catalogue import Feature
from features.churn_history import in_weeks
from features.churn_population import since

RANGE_FEATURES = (
    Feature("skus_4w", "distinct SKUs ordered, last 4 weeks", "range"),
    Feature("skus_13w", "distinct SKUs ordered, last 13 weeks", "range"),
    Feature("skus_prev_13w", "distinct SKUs ordered, the 13 weeks before", "range"),
    Feature("skus_26w", "distinct SKUs ordered, last 26 weeks", "range"),
    Feature("skus_52w", "distinct SKUs ordered, last 52 weeks", "range"),
    Feature("skus_trend_13w", "distinct SKUs of the last 13 weeks ÷ the 13 before", "range"),
    Feature("top_sku_share_26w", "share of the largest SKU in the delivered units of 26 weeks", "range"),
    Feature("top_sku_share_change_13w", "share of the largest SKU in the delivered units of 13 weeks, less that of the 13 before", "range"),
    Feature("delisted_share_52w", "share of the delivered units of 52 weeks in SKUs delisted since", "delisted SKUs"),
)


def sku_range(demand_cells: ibis.Table, skus: ibis.Table, as_of: date) -> ibis.Table:
    """Return how broad each retailer's range is: retailer_id and RANGE_FEATURES.

    Parameters
    ----------
    demand_cells
        Retailer-SKU-weeks.
    skus
        The SKU register, for the dates of delisting; may be empty.
    as_of
        The Sunday that ends the last known week.
    """
    orders = demand_cells.filter(in_weeks(demand_cells.week_start, as_of, 52), demand_cells.delivered_units > 0)
    pairs = orders.group_by("retailer_id", "sku_id").aggregate(
        last_order=orders.week_start.max(),
        before=orders.count(where=in_weeks(orders.week_start, as_of, 13, skip=13)),
        units_13w=orders.delivered_units.sum(where=in_weeks(orders.week_start, as_of, 13)),
        units_prev_13w=orders.delivered_units.sum(where=in_weeks(orders.week_start, as_of, 13, skip=13)),
        units_26w=orders.delivered_units.sum(where=in_weeks(orders.week_start, as_of, 26)),
        units_52w=orders.delivered_units.sum(),
    )
    delisted = skus.filter(skus.delisted_on <= as_of).select(delisted_sku="sku_id")
    pairs = pairs.left_join(delisted, pairs.sku_id == delisted.delisted_sku)
    ranges = pairs.group_by("retailer_id").aggregate(
        **{f"skus_{n}w": pairs.count(where=pairs.last_order >= since(as_of, n)) for n in (4, 13, 26, 52)},
        skus_prev_13w=pairs.count(where=pairs.before > 0),
        **{f"top_{window}": pairs[f"units_{window}"].max() for window in ("13w", "prev_13w", "26w")},
        **{f"units_{window}": pairs[f"units_{window}"].sum() for window in ("13w", "prev_13w", "26w", "52w")},
        delisted_units=pairs.units_52w.sum(where=pairs.delisted_sku.notnull()),
    )
    shares = {window: ranges[f"top_{window}"] / ranges[f"units_{window}"].nullif(0) for window in ("13w", "prev_13w", "26w")}
    return ranges.mutate(
        skus_trend_13w=ranges.skus_13w / ranges.skus_prev_13w.cast("float64").nullif(0),
        top_sku_share_26w=shares["26w"],
        top_sku_share_change_13w=shares["13w"] - shares["prev_13w"],
        delisted_share_52w=ibis.coalesce(ranges.delisted_units, 0.0) / ranges.units_52w.nullif(0),
    )
