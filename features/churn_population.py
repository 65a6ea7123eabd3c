"""Which retailers are active as of a cut-off, and so can churn at all?"""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from contracts.churn_targets import LEAST_RECENT_WEEKS
from contracts.weeks import last_week
from features.relicensing import successions


def since(as_of: date, weeks: int) -> date:
    """Return the Monday of the first of the last ``weeks`` whole weeks.

    >>> since(date(2019, 9, 29), 1), since(date(2019, 9, 29), 13)
    (datetime.date(2019, 9, 23), datetime.date(2019, 7, 1))
    """
    return last_week(as_of) - timedelta(weeks=weeks - 1)


def order_spans(cells: ibis.Table) -> ibis.Table:
    """Return the first and the last week with an order of each retailer.

    Parameters
    ----------
    cells
        Retailer-SKU-weeks; what counts as an order says `was_ordered`.

    Returns
    -------
    ibis.Table
        One row per retailer that ever ordered: retailer_id, first_order, last_order (Mondays).
    """
    orders = cells.filter(was_ordered(cells))
    return orders.group_by("retailer_id").aggregate(first_order=orders.week_start.min(), last_order=orders.week_start.max())


def gone_retailers(cells: ibis.Table, retailers: ibis.Table, as_of: date) -> ibis.Table:
    """Return the retailers that had closed, or were known to be replaced, by a cut-off: retailer_id only.

    Parameters
    ----------
    cells
        Retailer-SKU-weeks up to ``as_of``.
    retailers
        The register; may be empty.
    as_of
        The Sunday that ends the last known week.
    """
    replaced = successions(order_spans(cells), retailers, last_week(as_of)).select("retailer_id")
    register = retailers.select("retailer_id", "closed_on").left_join(replaced.mutate(replaced=ibis.literal(True)), "retailer_id")
    return register.filter((register.closed_on <= as_of) | register.replaced).select("retailer_id")


def was_ordered(cells: ibis.Table) -> ir.BooleanValue:
    """Tell which cells are orders: something was delivered, or a limit refused all that was asked for."""
    return (cells.delivered_units > 0) | cells.censoring.isin(["cap", "band"])


def active_retailers(cells: ibis.Table, retailers: ibis.Table, as_of: date) -> ibis.Table:
    """Return the retailers that can churn as of a cut-off.

    Active is: ordered in the last LEAST_RECENT_WEEKS weeks, licence not closed on or before ``as_of``, and not
    known to be replaced (``features.relicensing``). Scoring shops long gone would flatter every figure.

    Parameters
    ----------
    cells
        Retailer-SKU-weeks; weeks after ``as_of`` are left aside.
    retailers
        The register; may be empty.
    as_of
        The Sunday that ends the last known week.

    Returns
    -------
    ibis.Table
        One row per active retailer: retailer_id.
    """
    known = cells.filter(cells.week_start <= last_week(as_of))
    spans = order_spans(known)
    recent = spans.filter(spans.last_order >= since(as_of, LEAST_RECENT_WEEKS)).select("retailer_id")
    return recent.anti_join(gone_retailers(known, retailers, as_of), "retailer_id")
