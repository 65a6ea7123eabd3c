"""Who placed no order in the weeks after a cut-off, and of whom may that be said at all?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from contracts.churn_targets import AGAIN_WEEKS, CLOSED_SHARE, CLOSURE_LATEST_WEEKS, LEAST_RECENT_WEEKS
from contracts.weeks import last_week, require_sunday, target_week
from features.churn_population import active_retailers, order_spans, since, was_ordered
from features.closed_windows import closed_windows
from features.indicators import one_or_zero
from features.relicensing import TO_SUNDAY, successions


def churn_labels(cells: ibis.Table, retailers: ibis.Table, as_of: date, horizons: Sequence[int], last_known_week: date) -> ibis.Table:
    """Return, for each retailer active as of a cut-off and each horizon, whether it placed no order.

    A retailer and horizon is left out where the answer is not churn's: its licence closed or was replaced within the
    window, or it was silent because more than half of its usual pairs' weeks were closed by the wholesaler.
    A horizon whose window is not over by ``last_known_week`` is left out for everybody.

    Parameters
    ----------
    cells
        Retailer-SKU-weeks, those after ``as_of`` too; those after ``last_known_week`` do not count.
    retailers
        The register; may be empty.
    as_of
        The Sunday that ends the last week the features know.
    horizons
        Lengths of the windows, weeks.
    last_known_week
        Monday of the newest whole week there is.

    Returns
    -------
    ibis.Table
        retailer_id, horizon_weeks (integer), no_order (boolean), ordered_again_26w (1.0, 0.0 or null) and void_from (date or null):
        see ``contracts.churn_targets``.

    Raises
    ------
    UsageError
        If ``as_of`` is not a Sunday.
    """
    require_sunday(as_of)
    outcomes = _outcomes(cells, retailers, as_of, horizons, last_known_week)
    labels = [_labels(outcomes, as_of, weeks, last_known_week) for weeks in horizons]
    return ibis.union(*labels, distinct=False) if len(labels) > 1 else labels[0]


def _outcomes(cells: ibis.Table, retailers: ibis.Table, as_of: date, horizons: Sequence[int], last_known_week: date) -> ibis.Table:
    """One row per active retailer: its next orders, its end in the register, and how far its usual pairs were closed."""
    # A filter for each part: one for all would be a copy of the cells. To weeks first, which leaves few rows to look at once per horizon.
    asked = cells.week_start.between(since(as_of, LEAST_RECENT_WEEKS), target_week(as_of, max(horizons) + AGAIN_WEEKS))
    orders = cells.filter(asked, cells.week_start <= last_known_week, was_ordered(cells)).select("retailer_id", "week_start").distinct()
    week = orders.week_start
    ordered = orders.group_by("retailer_id").aggregate(
        last_before=week.max(where=week <= last_week(as_of)),
        next_order=week.min(where=week > last_week(as_of)),
        **{f"after_{weeks}w": week.min(where=week > target_week(as_of, weeks)) for weeks in horizons},
    )
    spans = order_spans(cells.filter(cells.week_start <= last_known_week))
    replaced = successions(spans, retailers, last_known_week).select("retailer_id", "taken_over_week", "evident_from")
    rows = active_retailers(cells, retailers, as_of)
    for part in (ordered, retailers.select("retailer_id", "closed_on"), replaced, closed_windows(cells, as_of, horizons)):
        rows = rows.left_join(part, "retailer_id").drop("retailer_id_right")
    return rows


def _labels(outcomes: ibis.Table, as_of: date, weeks: int, last_known_week: date) -> ibis.Table:
    """Labels of one horizon; none before its window is over, which is asked in SQL so that the days do not change the statement."""
    last_day = as_of + timedelta(weeks=weeks)
    no_order = ~_true(outcomes.next_order <= target_week(as_of, weeks))
    replaced = _true(outcomes.taken_over_week <= target_week(as_of, weeks))
    ended = _true(outcomes.closed_on <= last_day) | (replaced & _true(outcomes.evident_from <= last_day))
    wholesalers = _true(outcomes[f"closed_{weeks}w"] > CLOSED_SHARE)
    rows = outcomes.mutate(
        horizon_weeks=ibis.literal(weeks, "int64"),
        no_order=no_order,
        ordered_again_26w=_again(outcomes, no_order, as_of, weeks, last_known_week),
        void_from=_void_from(outcomes, replaced, last_known_week),
    )
    over = ibis.literal(target_week(as_of, weeks)) <= ibis.literal(last_known_week)
    kept = rows.filter(~ended & ~(no_order & wholesalers), over)
    return kept.select("retailer_id", "horizon_weeks", "no_order", "ordered_again_26w", "void_from")


def _void_from(outcomes: ibis.Table, replaced: ir.BooleanValue, last_known_week: date) -> ir.DateValue:
    """When it came out that who never ordered again, or was replaced within the window, had changed licence or closed."""
    never_again = outcomes.next_order.isnull()
    soon = outcomes.closed_on.delta(outcomes.last_before, unit="day") <= 7 * CLOSURE_LATEST_WEEKS + TO_SUNDAY
    known = outcomes.closed_on <= last_known_week + timedelta(days=TO_SUNDAY)
    closed = ibis.ifelse(never_again & soon & known, outcomes.closed_on, ibis.null("date"))
    return ibis.least(closed, ibis.ifelse(never_again | replaced, outcomes.evident_from, ibis.null("date")))


def _again(outcomes: ibis.Table, no_order: ir.BooleanValue, as_of: date, weeks: int, last_known_week: date) -> ir.FloatingValue:
    """Whether the silent of a window ordered within AGAIN_WEEKS weeks after it; null for the others and while those weeks are not over."""
    until = target_week(as_of, weeks + AGAIN_WEEKS)
    over = ibis.literal(until) <= ibis.literal(last_known_week)
    again = one_or_zero(_true(outcomes[f"after_{weeks}w"] <= until))
    return ibis.ifelse(no_order & over, again, ibis.null("float64"))


def _true(condition: ir.BooleanValue) -> ir.BooleanValue:
    """The condition, false where it is unknown."""
    return ibis.coalesce(condition, ibis.literal(False))
