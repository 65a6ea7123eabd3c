"""What became of those drawn for contact and those left alone: whose episode runs, whose is over, who ordered and who was reached?"""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

from contracts.cells import CELLS
from contracts.customers import WORK_LIST
from contracts.raw import INTERACTIONS
from contracts.weeks import last_week
from features.churn_population import was_ordered
from models.contact_episodes import EPISODE_WEEKS, episodes, open_episodes
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

REACHED_WEEKS = 4
"""A visit or call within so many weeks of the draw reached the retailer."""

CONTACT_KINDS = ["visit", "call"]


def fetch_listed(con: Warehouse, as_of: date) -> pd.DataFrame:
    """Return the rows of the work lists before a Sunday: ``list``, ``retailer_id``, ``as_of`` (dates), ``assignment``."""
    stored = contract_table(WORK_LIST)
    listed: pd.DataFrame = fetch(con, stored.filter(stored.as_of < as_of).select("list", "retailer_id", "as_of", "assignment")).to_pandas()
    return listed


def running_episodes(con: Warehouse, listed: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return the episodes a Sunday lies within, with ``reached``: whether a visit or call was logged since the draw."""
    running = open_episodes(listed, as_of)
    return running.assign(reached=_any_between(running, _contacts(con, as_of), as_of, timedelta(weeks=EPISODE_WEEKS)))


def finished_episodes(con: Warehouse, listed: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return the episodes whose 13 weeks are over by a Sunday, with ``ordered`` and ``reached``; cells must be built.

    Returns
    -------
    pandas.DataFrame
        ``list``, ``retailer_id``, ``started_on``, ``assignment``, ``ordered`` (in the 13 weeks), ``reached`` (in the first 4).
    """
    begun = episodes(listed)
    over = [started + timedelta(weeks=EPISODE_WEEKS) <= as_of for started in begun.started_on]
    finished = begun[pd.Series(over, index=begun.index, dtype=bool)].reset_index(drop=True)
    cells = contract_table(CELLS)
    orders = cells.filter(cells.week_start <= last_week(as_of), was_ordered(cells)).semi_join(contract_table(WORK_LIST), "retailer_id")
    weeks = fetch(con, orders.select("retailer_id", day="week_start").distinct()).to_pandas()
    return finished.assign(
        ordered=_any_between(finished, weeks, as_of, timedelta(weeks=EPISODE_WEEKS)),
        reached=_any_between(finished, _contacts(con, as_of), as_of, timedelta(weeks=REACHED_WEEKS)),
    )


def _contacts(con: Warehouse, as_of: date) -> pd.DataFrame:
    logged, listed = contract_table(INTERACTIONS), contract_table(WORK_LIST)
    contacts = logged.filter(logged.occurred_on <= as_of, logged.kind.isin(CONTACT_KINDS)).semi_join(listed, "retailer_id")
    found: pd.DataFrame = fetch(con, contacts.select("retailer_id", day="occurred_on").distinct()).to_pandas()
    return found


def _any_between(opened: pd.DataFrame, happened: pd.DataFrame, last: date, span: timedelta) -> list[bool]:
    """Tell of each episode whether something happened to its retailer after the draw, within ``span`` and up to ``last``."""
    days: dict[str, list[date]] = {}
    for retailer, day in zip(happened.retailer_id, happened.day, strict=True):
        days.setdefault(retailer, []).append(day)
    return [
        any(started < day <= min(started + span, last) for day in days.get(retailer, ()))
        for retailer, started in zip(opened.retailer_id, opened.started_on, strict=True)
    ]
