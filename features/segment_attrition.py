"""How many retailers like this one were still ordering half a year and a year later: what past cut-offs show, as of a later one?"""

from __future__ import annotations

from datetime import date, timedelta
from functools import reduce

import ibis
import ibis.expr.types as ir

from contracts.segment_definitions import POPULATION_WEEKS
from contracts.weeks import last_week
from features.churn_history import in_weeks
from features.churn_population import was_ordered
from features.windows import weeks_since

HALF_YEAR = 26
MOST_GAPS = 20
LOOKED_BACK_WEEKS = (52, 65, 78)
"""Cut-offs so many weeks before ``as_of`` are looked at: both half-years after each are over."""


def past_cohorts(cells: ir.Table, as_of: date) -> ir.Table:
    """Return what became of the retailers that had ordered in the year before past cut-offs.

    A licence that ended counts as one that stopped: its margin ended, too.

    Parameters
    ----------
    cells
        Retailer-SKU-weeks; weeks after ``as_of`` are left aside.
    as_of
        The Sunday that ends the last known week.

    Returns
    -------
    ibis.Table
        One row per cut-off, silence and weeks with an order: ``weeks_ago`` (of the cut-off), ``silent_weeks`` (since the last order, 0 to
        51), ``silent_gaps`` (whole own mean gaps of the 52 weeks that the silence lasts, at most 20; null for a single order),
        ``order_weeks`` (of the 26 before the cut-off), ``retailers``, ``ordered_first`` (of them, those that ordered in
        the 26 weeks after), ``ordered_second`` (those that did in the 26 weeks after these) and ``ordered_either``.
    """
    known = cells.filter(cells.week_start <= last_week(as_of), was_ordered(cells))
    weeks = known.select("retailer_id", "week_start").distinct()
    return reduce(lambda rows, more: rows.union(more), (_cohort(weeks, as_of, ago) for ago in LOOKED_BACK_WEEKS))


def _cohort(weeks: ir.Table, as_of: date, weeks_ago: int) -> ir.Table:
    cut_off = as_of - timedelta(weeks=weeks_ago)
    before = in_weeks(weeks.week_start, cut_off, POPULATION_WEEKS)
    first = in_weeks(weeks.week_start, cut_off + timedelta(weeks=HALF_YEAR), HALF_YEAR)
    second = in_weeks(weeks.week_start, cut_off + timedelta(weeks=2 * HALF_YEAR), HALF_YEAR)
    retailers = weeks.group_by("retailer_id").aggregate(
        first_order=weeks.week_start.min(where=before),
        last_order=weeks.week_start.max(where=before),
        order_weeks_52w=weeks.count(where=before),
        order_weeks=weeks.count(where=in_weeks(weeks.week_start, cut_off, HALF_YEAR)),
        first=weeks.count(where=first),
        second=weeks.count(where=second),
    )
    known = retailers.filter(retailers.last_order.notnull())
    silent = weeks_since(known.last_order, cut_off)
    gap = known.last_order.delta(known.first_order, unit="day").cast("float64") / 7.0 / (known.order_weeks_52w - 1).nullif(0)
    gaps = ibis.ifelse(gap.isnull(), ibis.null("int64"), ibis.least(((silent + 1.0) / gap).floor(), float(MOST_GAPS)).cast("int64"))
    known = known.mutate(silent_weeks=silent.cast("int64"), silent_gaps=gaps, weeks_ago=ibis.literal(weeks_ago, "int64"))
    return known.group_by("weeks_ago", "silent_weeks", "silent_gaps", "order_weeks").aggregate(
        retailers=known.count(),
        ordered_first=known.count(where=known["first"] > 0),
        ordered_second=known.count(where=known.second > 0),
        ordered_either=known.count(where=(known["first"] > 0) | (known.second > 0)),
    )
