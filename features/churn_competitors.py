"""Has a competitor opened where a retailer is, as of a cut-off?"""

from __future__ import annotations

from datetime import date, timedelta

import ibis

from features.catalogue import Feature

COMPETITOR_WORD = "compet"
"""An event with this in its name, in capitals or not, says that a competitor opened."""

REMEMBERED_WEEKS = 52
"""An older opening is no longer news."""

COMPETITOR_FEATURES = (
    Feature("weeks_since_competitor", "weeks since a competitor last opened in the district, last 52 weeks", "competitor"),
)


def competitors(events: ibis.Table, retailers: ibis.Table, as_of: date) -> ibis.Table:
    """Return when a competitor last opened in each district: tempted_in (the district) and COMPETITOR_FEATURES.

    Parameters
    ----------
    events
        Days by name and district; those without a district are everywhere. Later ones are left aside.
    retailers
        The register, for the districts there are.
    as_of
        The last day that is known.
    """
    since, name = as_of - timedelta(weeks=REMEMBERED_WEEKS), events.name.lower()
    openings = events.filter(name.contains(COMPETITOR_WORD), events.event_date <= as_of, events.event_date > since)
    openings = openings.select("event_date", opened_in="district")
    districts = retailers.filter(retailers.district.notnull()).select(tempted_in="district").distinct()
    near = districts.inner_join(openings, [(openings.opened_in == districts.tempted_in) | openings.opened_in.isnull()])
    newest = near.group_by("tempted_in").aggregate(opened_on=near.event_date.max())
    return newest.select("tempted_in", weeks_since_competitor=ibis.literal(as_of).delta(newest.opened_on, unit="day") / 7.0)
