"""Whose true demand fell to half of last year's in the 13 weeks after a cut-off, the season taken out?

With u the true units of the 13 weeks after ``as_of`` and v those of the same weeks a year before (52 weeks, so that weekdays agree), a
retailer i declines where

    u_i ≤ ½ · s · v_i,    s = Σ_j u_j / Σ_j v_j

over the retailers j of whom the question may be asked: like-for-like sales. A newcomer has no year and is in neither sum, so that a growing
network is no season; one that stopped is in both, so that the season is not that of the survivors. True demand is what recovery gives, so
that a cap is no decline. What closed weeks can explain is not known: where u_i > ½ · s · v_i · (1 − the closed share of its usual pairs'
weeks) there is no answer.
"""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from contracts.churn_targets import (
    CLOSED_SHARE,
    DECLINE_LEAST_ORDER_WEEKS,
    DECLINE_LEAST_PEERS,
    DECLINE_SHARE,
    DECLINE_WEEKS,
    YEAR_WEEKS,
)
from contracts.weeks import target_week
from features.churn_population import order_spans, was_ordered
from features.closed_windows import closed_windows
from features.indicators import one_or_zero


def decline_labels(cells: ir.Table, demand_cells: ir.Table, asked: ir.Table, as_of: date) -> ir.Table:
    """Return whether each retailer with a year of history declines; both tables of cells must reach to the end of the window.

    Parameters
    ----------
    cells
        Retailer-SKU-weeks.
    demand_cells
        The same with ``true_units``.
    asked
        Retailers of whom it may be asked: those with a label of 13 weeks.
    as_of
        The Sunday that ends the last week the features know.

    Returns
    -------
    ibis.Table
        One row per retailer asked that had a whole year and ordered in at least DECLINE_LEAST_ORDER_WEEKS of last year's weeks:
        retailer_id, declines (1.0, 0.0 or null), units, last_year_units (true units), season (the ratio s).
    """
    sums = _two_years(demand_cells, as_of)
    enough = sums.filter(sums.then_order_weeks >= DECLINE_LEAST_ORDER_WEEKS, sums.last_year_units > 0)
    spans = order_spans(cells.filter(cells.week_start <= target_week(as_of, 1)))
    a_year = spans.filter(spans.first_order <= _a_year_before(target_week(as_of, 1))).select("retailer_id")
    rows = enough.semi_join(asked, "retailer_id").semi_join(a_year, "retailer_id")
    total = rows.aggregate(peers=rows.count(), season=rows.units.sum() / rows.last_year_units.sum())
    shares = closed_windows(cells, as_of, [DECLINE_WEEKS])
    rows = rows.cross_join(total).left_join(shares, "retailer_id").drop("retailer_id_right")
    closed = ibis.coalesce(rows[f"closed_{DECLINE_WEEKS}w"], 0.0)
    most = DECLINE_SHARE * rows.season * rows.last_year_units
    fell = rows.units <= most
    unknown = (rows.peers < DECLINE_LEAST_PEERS) | (closed > CLOSED_SHARE) | (fell & (rows.units > most * (1.0 - closed)))
    declines = ibis.ifelse(unknown, ibis.null("float64"), one_or_zero(fell))
    return rows.select("retailer_id", "units", "last_year_units", "season", declines=declines)


def _a_year_before(week: date) -> date:
    return week - timedelta(weeks=YEAR_WEEKS)


def _two_years(demand_cells: ir.Table, as_of: date) -> ir.Table:
    """True units of each retailer in the window and in the same weeks a year before, and in how many of those it ordered."""
    first, last = target_week(as_of, 1), target_week(as_of, DECLINE_WEEKS)
    week = demand_cells.week_start
    cells = demand_cells.filter(week.between(_a_year_before(first), _a_year_before(last)) | week.between(first, last))
    now = cells.week_start >= first
    return cells.group_by("retailer_id").aggregate(
        units=ibis.coalesce(cells.true_units.sum(where=now), 0.0),
        last_year_units=ibis.coalesce(cells.true_units.sum(where=~now), 0.0),
        then_order_weeks=cells.week_start.nunique(where=~now & was_ordered(cells)),
    )
