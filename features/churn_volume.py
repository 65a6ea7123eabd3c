"""How much does a retailer order and spend, and is it more or less than before, as of a cut-off?"""

from __future__ import annotations

from datetime import date

import ibis

from features.catalogue import Feature
from features.churn_history import in_weeks

VOLUME_FEATURES = (
    Feature("true_units_4w", "true demand in units, last 4 weeks", "volume"),
    Feature("true_units_13w", "true demand in units, last 13 weeks", "volume"),
    Feature("true_units_prev_13w", "true demand in units, the 13 weeks before", "volume"),
    Feature("true_units_26w", "true demand in units, last 26 weeks", "volume"),
    Feature("true_units_52w", "true demand in units, last 52 weeks", "volume"),
    Feature("true_units_trend_4w", "true demand of the last 4 weeks ÷ 4/13 of the last 13", "volume"),
    Feature("true_units_trend_13w", "true demand of the last 13 weeks ÷ the 13 before", "volume"),
    Feature("true_units_trend_year", "true demand of the last 13 weeks ÷ the same 13 a year ago", "volume"),
    Feature("delivered_units_4w", "delivered units, last 4 weeks", "volume"),
    Feature("delivered_units_13w", "delivered units, last 13 weeks", "volume"),
    Feature("delivered_units_26w", "delivered units, last 26 weeks", "volume"),
    Feature("delivered_units_52w", "delivered units, last 52 weeks", "volume"),
    Feature("delivered_units_trend_13w", "delivered units of the last 13 weeks ÷ the 13 before", "volume"),
    Feature("amount_13w", "money spent, last 13 weeks", "money"),
    Feature("amount_prev_13w", "money spent, the 13 weeks before", "money"),
    Feature("amount_52w", "money spent, last 52 weeks", "money"),
    Feature("amount_trend_13w", "money of the last 13 weeks ÷ the 13 before", "money"),
    Feature("basket_13w", "money per week with an order, last 13 weeks", "money"),
    Feature("basket_trend_13w", "money per week with an order, last 13 weeks ÷ the 13 before", "money"),
)


def volume(weeks: ibis.Table, as_of: date) -> ibis.Table:
    """Return how much each retailer orders and spends, and whither it goes: retailer_id and VOLUME_FEATURES.

    Parameters
    ----------
    weeks
        Result of `retailer_weeks`.
    as_of
        The Sunday that ends the last known week.
    """
    latest = {n: in_weeks(weeks.week_start, as_of, n) for n in (4, 13, 26, 52)}
    before = in_weeks(weeks.week_start, as_of, 13, skip=13)
    year_ago = in_weeks(weeks.week_start, as_of, 13, skip=52)
    sums = weeks.group_by("retailer_id").aggregate(
        **{f"{name}_{n}w": weeks[name].sum(where=latest[n]) for name in ("true_units", "delivered_units", "amount") for n in latest},
        **{f"{name}_prev_13w": weeks[name].sum(where=before) for name in ("true_units", "delivered_units", "amount")},
        true_units_year_ago=weeks.true_units.sum(where=year_ago),
        ordering_13w=weeks.count(where=latest[13] & (weeks.orders > 0)),
        ordering_prev_13w=weeks.count(where=before & (weeks.orders > 0)),
    )
    units = [f"{name}_{n}w" for name in ("true_units", "delivered_units") for n in (4, 13, "prev_13", 26, 52)]
    sums = sums.mutate(**{name: ibis.coalesce(sums[name], 0.0) for name in units})
    sums = sums.mutate(
        basket_13w=sums.amount_13w / sums.ordering_13w.nullif(0),
        basket_prev_13w=sums.amount_prev_13w / sums.ordering_prev_13w.nullif(0),
    )
    return sums.mutate(
        true_units_trend_4w=sums.true_units_4w / (sums.true_units_13w * (4.0 / 13.0)).nullif(0),
        true_units_trend_13w=sums.true_units_13w / sums.true_units_prev_13w.nullif(0),
        true_units_trend_year=sums.true_units_13w / sums.true_units_year_ago.nullif(0),
        delivered_units_trend_13w=sums.delivered_units_13w / sums.delivered_units_prev_13w.nullif(0),
        amount_trend_13w=sums.amount_13w / sums.amount_prev_13w.nullif(0),
        basket_trend_13w=sums.basket_13w / sums.basket_prev_13w.nullif(0),
    )
