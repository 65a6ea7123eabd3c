"""How often does a shop order, and is the target week one of its weeks: shops that order every second, third or fourth week."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from contracts.weeks import HORIZONS, last_week
from features.catalogue import Feature
from features.windows import in_last_weeks, weeks_since

RHYTHMS = (1, 2, 3, 4)
"""Weeks from one order to the next that are told apart; a longer gap counts as four."""

RHYTHM_WINDOW = 26
"""Weeks in which a rhythm is looked for: thirteen orders of a shop that orders every second week."""

FEWEST_GAPS = 3
"""Fewer gaps between orders make no rhythm."""

RHYTHM_FEATURES = (
    Feature("rhythm_weeks", "median gap between the retailer's weeks with an order in 26 weeks, 1 to 4 weeks", "rhythm"),
    Feature("rhythm_share", "share of the gaps between the retailer's weeks with an order that are as long as the median", "rhythm"),
)

RHYTHM_SEASON_FEATURES = (
    Feature("rhythm_phase", "weeks from the last week in which the retailer was due to order to the target week", "rhythm"),
    Feature("due_share", "share of the weeks of 26 that lie whole rhythms before the target week in which the retailer ordered", "rhythm"),
    Feature(
        "pair_parity_share", "share of the orders of the SKU in 26 weeks that lie an even number of weeks before the target week", "rhythm"
    ),
)
"""These have a column per horizon, ``{name}_{h}``."""


def retailer_rhythms(demand_cells: ir.Table, as_of: date) -> ir.Table:
    """Describe the weeks in which each retailer orders anything.

    Parameters
    ----------
    demand_cells
        Cells up to ``as_of``.

    Returns
    -------
    ibis.Table
        One row per retailer with an order in 26 weeks: ``rhythm_weeks``, ``rhythm_share``, ``rhythm_phase_{h}`` (0 is a week in which it
        is due) and ``due_share_{h}``, all float64. Null where there are too few gaps for a rhythm.
    """
    weeks = _order_weeks(demand_cells, as_of)
    own = ibis.window(group_by=weeks.retailer_id, order_by=weeks.week_start)
    gaps = weeks.mutate(gap_weeks=weeks.week_start.delta(weeks.week_start.lag().over(own), unit="day") / 7.0)
    counts = gaps.group_by("retailer_id").aggregate(
        last_order=gaps.week_start.max(),
        first_order=gaps.week_start.min(),
        gaps=gaps.gap_weeks.count(),
        **{f"gaps_{rhythm}": (gaps.gap_weeks <= rhythm + 0.5).sum() for rhythm in RHYTHMS[:-1]},
        **{
            f"orders_{rhythm}_{rest}": gaps.count(where=_any_of(gaps.week_start, as_of, range(rest, RHYTHM_WINDOW, rhythm)))
            for rhythm in RHYTHMS
            for rest in range(rhythm)
        },
    )
    known = counts.mutate(rhythm=_median_gap(counts), age=weeks_since(counts.first_order, as_of) + 1.0)
    return known.select(
        "retailer_id",
        rhythm_weeks=known.rhythm.cast("float64"),
        rhythm_share=_share_of_median(known),
        **{f"rhythm_phase_{horizon}": _phase(known, as_of, horizon) for horizon in HORIZONS},
        **{f"due_share_{horizon}": _due_share(known, horizon) for horizon in HORIZONS},
    )


def even_orders(demand_cells: ir.Table, as_of: date) -> ir.IntegerScalar:
    """Count, within a ``GROUP BY``, the orders of 26 weeks that lie an even number of weeks before the last known week."""
    even = _any_of(demand_cells.week_start, as_of, range(0, RHYTHM_WINDOW, 2))
    return (even & (demand_cells.censoring != "stockout")).sum()


def parity_share(even: ir.NumericValue, orders: ir.NumericValue, horizon: int) -> ir.FloatingValue:
    """Return the share of the orders that lie an even number of weeks before the target week; unknown without orders.

    >>> t = ibis.table({"even": "float64", "orders": "float64"}, name="t")
    >>> "NULLIF" in ibis.to_sql(t.select(share=parity_share(t.even, t.orders, 2)))
    True
    """
    same = even if horizon % 2 == 0 else orders - even
    return same.cast("float64") / orders.cast("float64").nullif(0.0)


def _order_weeks(demand_cells: ir.Table, as_of: date) -> ir.Table:
    ordered = (demand_cells.censoring != "stockout") | (demand_cells.delivered_units > 0)
    recent = demand_cells.filter(in_last_weeks(demand_cells.week_start, as_of, RHYTHM_WINDOW), ordered)
    return recent.select("retailer_id", "week_start").distinct()


def _any_of(week_start: ir.DateColumn, as_of: date, weeks_ago: Iterable[int]) -> ir.BooleanColumn:
    return week_start.isin([ibis.literal(last_week(as_of) - timedelta(weeks=ago)) for ago in weeks_ago])


def _median_gap(counts: ir.Table) -> ir.IntegerValue:
    """The lower median, from the counts of gaps up to each length: medians differ between engines."""
    at_most = ((2 * counts[f"gaps_{rhythm}"] >= counts.gaps, rhythm) for rhythm in RHYTHMS[:-1])
    return ibis.cases((counts.gaps < FEWEST_GAPS, ibis.null("int64")), *at_most, else_=RHYTHMS[-1])


def _share_of_median(known: ir.Table) -> ir.FloatingValue:
    upper = {rhythm: known[f"gaps_{rhythm}"] for rhythm in RHYTHMS[:-1]} | {RHYTHMS[-1]: known.gaps}
    as_long = [(known.rhythm == rhythm, upper[rhythm] - (upper[rhythm - 1] if rhythm > 1 else 0)) for rhythm in RHYTHMS]
    return ibis.cases(*as_long).cast("float64") / known.gaps.cast("float64").nullif(0.0)


def _phase(known: ir.Table, as_of: date, horizon: int) -> ir.FloatingValue:
    since = weeks_since(known.last_order, as_of) + float(horizon)
    cycles = (since / known.rhythm.cast("float64")).floor()
    return since - cycles * known.rhythm.cast("float64")


def _due_share(known: ir.Table, horizon: int) -> ir.FloatingValue:
    """Orders in the weeks whole rhythms before the target week over the number of those weeks since its first order in the window."""
    shares = []
    for rhythm in RHYTHMS:
        rest = -horizon % rhythm
        weeks = ((ibis.least(known.age, float(RHYTHM_WINDOW)) - rest - 1.0) / rhythm).floor() + 1.0
        share = known[f"orders_{rhythm}_{rest}"].cast("float64") / weeks.nullif(0.0)
        shares.append((known.rhythm == rhythm, share))
    return ibis.cases(*shares)
