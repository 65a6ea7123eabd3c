"""What is known of each retailer that is to be classified, as of a cut-off?"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from contracts.segment_definitions import POPULATION_WEEKS
from contracts.weeks import last_week, require_sunday
from features.churn_history import in_weeks, retailer_weeks, rhythm
from features.churn_population import gone_retailers, order_spans, since
from features.segment_contacts import yearly_contacts
from features.segment_money import retailer_money
from features.windows import weeks_since

SHOP_ATTRIBUTES = ("area", "channel", "consumption_level", "tier")

RHYTHM_COLUMNS = ("recency_weeks", "mean_gap_weeks", "gap_spread_weeks", "longest_gap_weeks", "tenure_weeks", "order_weeks_52w")


def segment_population(cells: ir.Table, retailers: ir.Table, as_of: date) -> ir.Table:
    """Return the retailers to classify: ``retailer_id`` of those that ordered in 52 weeks and are neither closed nor replaced.

    Those silent for long are among them: they are the ones to win back.

    Parameters
    ----------
    cells
        Retailer-SKU-weeks; weeks after ``as_of`` are left aside.
    retailers
        The register; may be empty.
    as_of
        The Sunday that ends the last known week.
    """
    known = cells.filter(cells.week_start <= last_week(as_of))
    spans = order_spans(known)
    recent = spans.filter(spans.last_order >= since(as_of, POPULATION_WEEKS)).select("retailer_id")
    return recent.anti_join(gone_retailers(known, retailers, as_of), "retailer_id")


def segment_history(demand_cells: ir.Table, retailers: ir.Table, skus: ir.Table, interactions: ir.Table, as_of: date) -> ir.Table:
    """Return the sums that segments are made of; nothing after ``as_of`` is read.

    Parameters
    ----------
    demand_cells
        Retailer-SKU-weeks with ``true_units``.
    retailers, skus, interactions
        Contract tables; may be empty. The registers are as they stand: they keep no history.
    as_of
        The Sunday that ends the last known week.

    Returns
    -------
    ibis.Table
        One row per retailer to classify: ``retailer_id``; its rhythm (``RHYTHM_COLUMNS`` of ``features.churn_history``); money as of
        ``features.segment_money``; ``true_units_13w``, ``_prev_13w``, ``_year_ago_13w`` and ``_52w`` (true demand);
        ``order_weeks_26w``; ``skus_52w``, ``skus_before`` (SKUs still on sale that it bought 27 to 52 weeks ago) and ``skus_kept`` (those
        of them it bought since); contacts as of ``features.segment_contacts``, null where it never had one; ``weeks_on_record`` (weeks
        since the first one of anybody); the shop's ``area``, ``channel``, ``consumption_level`` and ``tier``.

    Raises
    ------
    UsageError
        If ``as_of`` is not a Sunday.
    """
    require_sunday(as_of)
    known = demand_cells.filter(demand_cells.week_start <= last_week(as_of))
    weeks = retailer_weeks(known, as_of)
    parts = (
        rhythm(weeks, as_of).select("retailer_id", *RHYTHM_COLUMNS),
        retailer_money(known, skus, as_of),
        _volumes(weeks, as_of),
        _breadth(known, skus, as_of),
        yearly_contacts(interactions, as_of),
        retailers.select("retailer_id", *SHOP_ATTRIBUTES),
    )
    rows = segment_population(known, retailers, as_of)
    for part in parts:
        joined = rows.left_join(part, "retailer_id")
        rows = joined.select(*rows.columns, *(name for name in part.columns if name != "retailer_id"))
    return rows.cross_join(known.aggregate(weeks_on_record=weeks_since(known.week_start.min(), as_of)))


def _volumes(weeks: ir.Table, as_of: date) -> ir.Table:
    windows = {"13w": (13, 0), "prev_13w": (13, 13), "year_ago_13w": (13, 52), "52w": (52, 0)}
    return weeks.group_by("retailer_id").aggregate(
        order_weeks_26w=weeks.count(where=in_weeks(weeks.week_start, as_of, 26) & (weeks.orders > 0)),
        **{
            f"true_units_{name}": ibis.coalesce(weeks.true_units.sum(where=in_weeks(weeks.week_start, as_of, length, skip=skip)), 0.0)
            for name, (length, skip) in windows.items()
        },
    )


def _breadth(cells: ir.Table, skus: ir.Table, as_of: date) -> ir.Table:
    orders = cells.filter(in_weeks(cells.week_start, as_of, 52), cells.delivered_units > 0)
    pairs = orders.group_by("retailer_id", "sku_id").aggregate(
        before=orders.count(where=in_weeks(orders.week_start, as_of, 26, skip=26)),
        lately=orders.count(where=in_weeks(orders.week_start, as_of, 26)),
    )
    delisted = skus.filter(skus.delisted_on <= as_of).select(delisted_sku="sku_id")
    pairs = pairs.left_join(delisted, pairs.sku_id == delisted.delisted_sku)
    had = (pairs.before > 0) & pairs.delisted_sku.isnull()
    return pairs.group_by("retailer_id").aggregate(
        skus_52w=pairs.count(), skus_before=pairs.count(where=had), skus_kept=pairs.count(where=had & (pairs.lately > 0))
    )
