"""How often did a retailer order again, when last, and for how long is it known: what a buy-till-you-die model sees as of a cut-off."""

from __future__ import annotations

from datetime import date

import ibis

from features.windows import weeks_since


def repeat_orders(weeks: ibis.Table, as_of: date) -> ibis.Table:
    """Return x, t_x and T of every retailer that ordered within the history, those that stopped too.

    An order is a week with one: what falls into one week is one order. Of a retailer older than the history, the first order in it
    counts as its first.

    Parameters
    ----------
    weeks
        Result of `features.churn_history.retailer_weeks`: nothing after ``as_of`` is in it.
    as_of
        The Sunday that ends the last known week.

    Returns
    -------
    ibis.Table
        One row per retailer: retailer_id, repeat_orders (x: weeks with an order after the first such week), last_order_age_weeks (t_x:
        weeks from the first to the last week with an order), age_weeks (T: weeks from the first one to the last known week); all float64.
    """
    ordering = weeks.filter(weeks.orders > 0)
    spans = ordering.group_by("retailer_id").aggregate(
        order_weeks=ordering.count(), first_order=ordering.week_start.min(), last_order=ordering.week_start.max()
    )
    return spans.select(
        "retailer_id",
        repeat_orders=spans.order_weeks.cast("float64") - 1.0,
        last_order_age_weeks=weeks_since(spans.first_order, as_of) - weeks_since(spans.last_order, as_of),
        age_weeks=weeks_since(spans.first_order, as_of),
    )
