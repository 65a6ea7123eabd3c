"""What has passed between a retailer and the wholesaler, as of a cut-off: visits, complaints, surveys, returns?"""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from features.catalogue import Feature

SLOW_DAYS = 14
"""A complaint that took, or has been waiting, longer than this is slow."""

SURVEY_WEEKS = 104
"""An older survey is of another time."""

CONTACT_FEATURES = (
    Feature("complaints_13w", "complaints, last 13 weeks", "complaints"),
    Feature("complaints_26w", "complaints, last 26 weeks", "complaints"),
    Feature("unresolved_complaints", "complaints of the last 52 weeks not settled yet", "complaints"),
    Feature("slow_complaints_26w", "complaints of the last 26 weeks open for over 14 days", "complaints"),
    Feature("days_to_resolve_26w", "mean days to settle, complaints of the last 26 weeks that are settled", "complaints"),
    Feature("longest_wait_days_26w", "most days that a complaint of the last 26 weeks took or has been waiting", "complaints"),
    Feature("complaint_severity_26w", "mean severity of the complaints of the last 26 weeks, 0 to 100", "complaints"),
    Feature("last_survey_score", "score of the last survey of two years, 0 to 100", "survey"),
    Feature("survey_score_change", "score of the last survey less the mean of those before it, two years", "survey"),
    Feature("contacts_13w", "visits and calls, last 13 weeks", "contact"),
    Feature("contacts_26w", "visits and calls, last 26 weeks", "contact"),
    Feature("weeks_since_contact", "weeks since the last visit or call", "contact"),
    Feature("returns_26w", "returns, last 26 weeks", "returns"),
)

COUNTS = ("complaints_13w", "complaints_26w", "unresolved_complaints", "slow_complaints_26w", "contacts_13w", "contacts_26w", "returns_26w")
"""Features that are 0, not unknown, for a retailer without any contact."""


def contacts(interactions: ibis.Table, as_of: date) -> ibis.Table:
    """Return the contacts of each retailer that had any: retailer_id and CONTACT_FEATURES.

    A complaint settled after ``as_of`` is unresolved: nobody knew better then.

    Parameters
    ----------
    interactions
        One row per contact; may be empty.
    as_of
        The last day that is known.
    """
    known = interactions.filter(interactions.occurred_on <= as_of)
    complaint = known.kind == "complaint"
    settled = known.resolved_on <= as_of
    open_still = known.resolved_on.isnull() | (known.resolved_on > as_of)
    waited = _days_open(known, as_of)
    reached = known.kind.isin(["visit", "call"])
    half_year = _in_days(known.occurred_on, as_of, 26)
    sums = known.group_by("retailer_id").aggregate(
        **{f"complaints_{n}w": known.count(where=complaint & _in_days(known.occurred_on, as_of, n)) for n in (13, 26)},
        **{f"contacts_{n}w": known.count(where=reached & _in_days(known.occurred_on, as_of, n)) for n in (13, 26)},
        unresolved_complaints=known.count(where=complaint & _in_days(known.occurred_on, as_of, 52) & open_still),
        slow_complaints_26w=known.count(where=complaint & half_year & (waited > SLOW_DAYS)),
        days_settled=waited.sum(where=complaint & half_year & settled).cast("float64"),
        settled_26w=known.count(where=complaint & half_year & settled),
        longest_wait_days_26w=waited.max(where=complaint & half_year),
        complaint_severity_26w=known.score.mean(where=complaint & half_year),
        last_contact=known.occurred_on.max(where=reached),
        returns_26w=known.count(where=(known.kind == "return") & half_year),
    )
    sums = sums.mutate(
        days_to_resolve_26w=sums.days_settled / sums.settled_26w.nullif(0),
        weeks_since_contact=ibis.literal(as_of).delta(sums.last_contact, unit="day") / 7.0,
    )
    surveys = _surveys(known, as_of)
    return sums.left_join(surveys, sums.retailer_id == surveys.surveyed_id).drop("surveyed_id")


def _in_days(occurred_on: ir.DateColumn, as_of: date, weeks: int) -> ir.BooleanColumn:
    """Whether a day is one of the last 7 × weeks known ones."""
    return occurred_on > as_of - timedelta(weeks=weeks)


def _days_open(known: ibis.Table, as_of: date) -> ir.NumericColumn:
    """Days from a contact until it was settled, or until now."""
    until = ibis.least(ibis.coalesce(known.resolved_on, ibis.literal(as_of)), ibis.literal(as_of))
    return until.delta(known.occurred_on, unit="day")


def _surveys(known: ibis.Table, as_of: date) -> ibis.Table:
    """Score of the newest survey that has one, and how it changed; several of one day are averaged."""
    scored = known.filter(known.kind == "survey", known.score.notnull(), _in_days(known.occurred_on, as_of, SURVEY_WEEKS))
    scored = scored.mutate(newest_on=scored.occurred_on.max().over(group_by=scored.retailer_id))
    newest = scored.occurred_on == scored.newest_on
    means = scored.group_by(surveyed_id=scored.retailer_id).aggregate(
        last_survey_score=scored.score.mean(where=newest), earlier_score=scored.score.mean(where=~newest)
    )
    return means.mutate(survey_score_change=means.last_survey_score - means.earlier_score).drop("earlier_score")
