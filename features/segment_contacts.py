"""What do contacts tell of a retailer's satisfaction and of the cost to serve it, as of a cut-off?"""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

CONTACT_WEEKS = 52


def yearly_contacts(interactions: ir.Table, as_of: date) -> ir.Table:
    """Return the contacts of 52 weeks of each retailer that ever had one.

    Parameters
    ----------
    interactions
        One row per contact; may be empty.
    as_of
        The last day that is known: a complaint settled later is still open, and has taken until now.

    Returns
    -------
    ibis.Table
        One row per retailer with a contact up to ``as_of``: ``complaints_52w`` and ``severity_52w`` (sum of the severities of those that
        have one, 0 to 100 each) with ``rated_complaints_52w`` (how many have), ``days_to_resolve_52w`` (mean days; null without
        complaints), ``returns_52w`` and ``visits_52w`` (visits and calls).
    """
    known = interactions.filter(interactions.occurred_on <= as_of)
    lately = known.occurred_on > as_of - timedelta(weeks=CONTACT_WEEKS)
    complaint = (known.kind == "complaint") & lately
    newest = ibis.literal(as_of)
    until = ibis.least(ibis.coalesce(known.resolved_on, newest), newest)
    days = until.delta(known.occurred_on, unit="day").cast("float64")
    return known.group_by("retailer_id").aggregate(
        complaints_52w=known.count(where=complaint),
        rated_complaints_52w=known.score.count(where=complaint),
        severity_52w=known.score.sum(where=complaint),
        days_to_resolve_52w=days.mean(where=complaint),
        returns_52w=known.count(where=(known.kind == "return") & lately),
        visits_52w=known.count(where=known.kind.isin(["visit", "call"]) & lately),
    )
