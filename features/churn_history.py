"""When does a retailer order, and is it overdue by its own rhythm, as of a cut-off?"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from contracts.weeks import last_week
from features.catalogue import Feature
from features.churn_population import since, was_ordered

HISTORY_WEEKS = 104
"""Nothing older is read: a retailer's tenure is counted up to here."""

RHYTHM_FEATURES = (
    Feature("recency_weeks", "weeks since the last week with an order; 0 is the last known week", "silence"),
    Feature("recency_gap_ratio", "weeks since the last order ÷ the retailer's own mean gap", "silence"),
    Feature("longer_gaps_share", "share of its gaps of two years, with the running one, at least as long as that will be", "silence"),
    Feature("recency_longest_ratio", "weeks since the last order ÷ the retailer's longest gap of 52 weeks", "silence"),
    Feature("last_order_ratio", "units of the last week with an order ÷ those of its mean one, 52 weeks", "silence"),
    Feature("mean_gap_weeks", "mean weeks between weeks with an order, 52 weeks", "order rhythm"),
    Feature("gap_spread_weeks", "standard deviation of the weeks between orders, 52 weeks", "order rhythm"),
    Feature("longest_gap_weeks", "most weeks between two orders, 52 weeks", "order rhythm"),
    Feature("order_share_8w", "share of the last 8 weeks with an order", "order rhythm"),
    Feature("order_share_13w", "share of the last 13 weeks with an order", "order rhythm"),
    Feature("order_share_26w", "share of the last 26 weeks with an order", "order rhythm"),
    Feature("order_share_52w", "share of the last 52 weeks with an order, or of those since its first", "order rhythm"),
    Feature("order_weeks_13w", "weeks with an order, last 13 weeks", "order rhythm"),
    Feature("order_weeks_prev_13w", "weeks with an order, the 13 weeks before", "order rhythm"),
    Feature("order_weeks_trend_13w", "weeks with an order of the last 13 ÷ those of the 13 before", "order rhythm"),
    Feature("order_share_ahead_4w", "share of the next 4 weeks, a year ago, with an order", "season"),
    Feature("order_share_ahead_13w", "share of the next 13 weeks, a year ago, with an order", "season"),
    Feature("order_share_ahead_26w", "share of the next 26 weeks, a year ago, with an order", "season"),
    Feature("tenure_weeks", "weeks since the first order, at most 103", "tenure"),
)


def in_weeks(week_start: ir.DateColumn, as_of: date, weeks: int, *, skip: int = 0) -> ir.BooleanColumn:
    """Return whether a week is one of ``weeks`` weeks, those before the ``skip`` last known ones.

    Parameters
    ----------
    week_start
        Mondays.
    as_of
        The Sunday that ends the last known week.
    weeks, skip
        13 and 0 are the last 13 weeks; 13 and 13 the 13 weeks before.
    """
    return (week_start >= since(as_of, weeks + skip)) & (week_start <= since(as_of, skip + 1))


def retailer_weeks(demand_cells: ibis.Table, as_of: date) -> ibis.Table:
    """Return what each retailer ordered in each of the last HISTORY_WEEKS weeks in which anything happened.

    Returns
    -------
    ibis.Table
        retailer_id, week_start, orders (SKUs that were asked for), true_units, delivered_units, amount.
    """
    cells = demand_cells.filter(in_weeks(demand_cells.week_start, as_of, HISTORY_WEEKS))
    return cells.group_by("retailer_id", "week_start").aggregate(
        orders=cells.count(where=was_ordered(cells)),
        true_units=cells.true_units.sum(),
        delivered_units=cells.delivered_units.sum(),
        amount=cells.amount.sum(),
    )


def rhythm(weeks: ibis.Table, as_of: date) -> ibis.Table:
    """Return when each retailer orders: retailer_id and RHYTHM_FEATURES.

    Parameters
    ----------
    weeks
        Result of `retailer_weeks`.
    as_of
        The Sunday that ends the last known week.
    """
    spans = _ordering_spans(weeks, as_of)
    newest = ibis.literal(last_week(as_of))
    spans = spans.mutate(
        recency_weeks=newest.delta(spans.last_order, unit="day") / 7.0,
        tenure_weeks=newest.delta(spans.first_order, unit="day") / 7.0,
        mean_gap_weeks=spans.gap_sum / spans.gaps.nullif(0),
    )
    variance = spans.gap_squares / spans.gaps.nullif(0) - spans.mean_gap_weeks * spans.mean_gap_weeks
    unknown = ibis.null("float64")
    ahead = {n: (spans.tenure_weeks >= 51).ifelse(spans[f"ahead_{n}w"] / float(n), unknown) for n in (4, 13, 26)}
    return spans.mutate(
        # greatest(null, 0) is 0: without a gap the spread is unknown, not none.
        gap_spread_weeks=(spans.gaps > 0).ifelse(ibis.greatest(variance, 0.0).sqrt(), unknown),
        recency_gap_ratio=spans.recency_weeks / spans.mean_gap_weeks.nullif(0),
        # As in a permutation test the running gap counts among its like, so that few gaps never give 0.
        longer_gaps_share=(spans.gaps_as_long + 1.0) / (spans.gaps_104w + 1.0),
        order_weeks_trend_13w=spans.order_weeks_13w / spans.order_weeks_prev_13w.cast("float64").nullif(0),
        recency_longest_ratio=spans.recency_weeks / spans.longest_gap_weeks.nullif(0),
        last_order_ratio=spans.last_units * spans.order_weeks_52w / spans.units_52w.nullif(0),
        **{f"order_share_ahead_{n}w": share for n, share in ahead.items()},
        **{f"order_share_{n}w": _share_of_weeks(spans[f"order_weeks_{n}w"], spans.tenure_weeks, n) for n in (8, 13, 26, 52)},
    )


def _ordering_spans(weeks: ibis.Table, as_of: date) -> ibis.Table:
    """Counts, sums and ends of each retailer's weeks with an order, and of the gaps that end in the last 52."""
    ordering = weeks.filter(weeks.orders > 0)
    own = ibis.window(group_by=ordering.retailer_id, order_by=ordering.week_start)
    ordering = ordering.mutate(
        gap_weeks=ordering.week_start.delta(ordering.week_start.lag().over(own), unit="day") / 7.0,
        last_order=ordering.week_start.max().over(group_by=ordering.retailer_id),
    )
    # The next order comes in the first week after as_of at the earliest.
    running_gap = ibis.literal(last_week(as_of)).delta(ordering.last_order, unit="day") / 7.0 + 1.0
    week, gap = ordering.week_start, ordering.gap_weeks
    year = in_weeks(week, as_of, 52)
    return ordering.group_by("retailer_id").aggregate(
        last_order=ordering.last_order.max(),
        first_order=week.min(),
        gaps=gap.count(where=year).cast("float64"),
        gap_sum=gap.sum(where=year),
        gaps_104w=gap.count().cast("float64"),
        gaps_as_long=gap.count(where=gap >= running_gap).cast("float64"),
        gap_squares=(gap * gap).sum(where=year),
        longest_gap_weeks=gap.max(where=year),
        last_units=ordering.delivered_units.sum(where=week == ordering.last_order),
        units_52w=ordering.delivered_units.sum(where=year),
        order_weeks_prev_13w=ordering.count(where=in_weeks(week, as_of, 13, skip=13)),
        **{f"order_weeks_{n}w": ordering.count(where=in_weeks(week, as_of, n)) for n in (8, 13, 26, 52)},
        # The week a year before the first one after as_of is the oldest of the last 52.
        **{f"ahead_{n}w": ordering.count(where=in_weeks(week, as_of, n, skip=52 - n)) for n in (4, 13, 26)},
    )


def _share_of_weeks(order_weeks: ir.NumericColumn, tenure_weeks: ir.NumericColumn, window: int) -> ir.NumericColumn:
    """Share of the weeks of a window; a newcomer's window begins with its first order."""
    return order_weeks / ibis.least(tenure_weeks + 1.0, float(window))
