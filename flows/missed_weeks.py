"""Which Sundays were not scored though their orders are there, and which weekly flows have not succeeded for too long?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contracts.raw import ORDER_LINES
from contracts.scored import RUNS
from contracts.weeks import last_sunday, week_start_of
from flows.opening import order_span
from flows.scored_sundays import scored_sundays
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch, has_rows

WEEKLY_FLOWS = ("load", "score")
"""Flows that a scheduler runs every week."""

MOST_DAYS = 8
"""A weekly flow whose last success is older has missed its time by a day."""

WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class Overdue:
    """A weekly flow that has not done its work for more than ``MOST_DAYS``: since when (UTC), and for how many days."""

    flow: str
    last_success: datetime
    days: int


def missed_sundays(con: Warehouse, today: date) -> list[date]:
    """Return the Sundays that were not scored since the first that was, oldest first; none before anything was scored.

    A Sunday counts once it is over and there is an order of its week.
    """
    scored = scored_sundays(con)
    return not_scored(scored, order_span(con)[1], today) if scored and has_rows(con, ORDER_LINES) else []


def not_scored(scored: Sequence[date], newest_order: date, today: date) -> list[date]:
    """Return the Sundays between the first scored and the last that is due that are not among the scored ones.

    Examples
    --------
    The orders of a week end on Saturday:

    >>> scored = [date(2019, 9, 8), date(2019, 9, 22)]
    >>> [f"{day}" for day in not_scored(scored, newest_order=date(2019, 9, 28), today=date(2019, 10, 9))]
    ['2019-09-15', '2019-09-29']
    >>> [f"{day}" for day in not_scored(scored, newest_order=date(2019, 9, 28), today=date(2019, 9, 28))]
    ['2019-09-15']
    """
    last_due = min(last_sunday(today), week_start_of(newest_order) + timedelta(days=6))
    return [day for day in sundays_between(min(scored), last_due) if day not in set(scored)]


def sundays_between(first: date, last: date) -> list[date]:
    """Return the Sundays from one day to another, both included.

    >>> [f"{day}" for day in sundays_between(date(2019, 9, 20), date(2019, 10, 6))]
    ['2019-09-22', '2019-09-29', '2019-10-06']
    """
    begin = first + timedelta(days=(6 - first.weekday()) % 7)
    return [begin + WEEK * n for n in range((last - begin).days // 7 + 1)] if begin <= last else []


def overdue_flows(con: Warehouse, now: datetime) -> list[Overdue]:
    """Return the weekly flows that ran once and have not done their work for more than eight days.

    A load does it each time; a score does where it is the first of a Sunday newer than all before: an old week scored by hand is none.
    """
    runs = contract_table(RUNS)
    ended = runs.filter(runs.status == "succeeded", runs.flow.isin(WEEKLY_FLOWS)).group_by("flow", "as_of")
    rows = fetch(con, ended.aggregate(first=runs.finished_at.min(), last=runs.finished_at.max())).to_pylist()
    found = []
    for flow in WEEKLY_FLOWS:
        of_flow = [row for row in rows if row["flow"] == flow]
        if of_flow:
            newest = max(of_flow, key=lambda row: row["as_of"] or date.min)
            done = newest["last"] if newest["as_of"] is None else newest["first"]
            found.append(Overdue(flow, done, (now - done).days))
    return [overdue for overdue in found if now - overdue.last_success > timedelta(days=MOST_DAYS)]


def healing_command(missed: Sequence[date]) -> str:
    """Return the command that scores the Sundays that were missed.

    >>> healing_command([date(2019, 9, 15), date(2019, 9, 29)])
    'uncap backfill --from 2019-09-15 --to 2019-09-29 --missing'
    """
    return f"uncap backfill --from {missed[0]} --to {missed[-1]} --missing"
