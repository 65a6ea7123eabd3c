"""What passes between the wholesaler and its retailers besides orders: visits, calls, complaints, returns, surveys, local events?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from contracts.raw import EVENTS, INTERACTIONS
from demo.demand import LocalDay
from demo.departures import CLOSED, COMPETITOR, Departures
from demo.licences import Licences
from demo.products import NEVER
from demo.shops import DISTRICTS, Shops
from demo.timeline import Timeline

WEEKLY_RATES = {"visit": 0.05, "call": 0.05, "complaint": 0.005, "return": 0.004, "survey": 0.02}
TROUBLED_COMPLAINTS = 0.14
"""Complaints a week in weeks of poor service."""
UNMET_COMPLAINTS = 0.03
"""Complaints a week of a shop that got nothing of what it wanted; a shop that got half makes half as many."""


@dataclass(frozen=True)
class _Contacts:
    shop: NDArray[np.int64]
    week: NDArray[np.int64]
    score: NDArray[np.float64]
    settled_after: NDArray[np.float64]


def festivals(rng: np.random.Generator, weeks: Timeline) -> list[LocalDay]:
    """Draw temple fairs and markets, two in a district a year, and one county-wide fair a year."""
    n_fairs = max(3, round(2 * len(DISTRICTS) * weeks.n_all / 52))
    where, when = rng.integers(0, len(DISTRICTS), n_fairs), rng.integers(0, weeks.n_all, n_fairs)
    fairs = [
        LocalDay(int(week), int(rng.integers(4, 7)), "temple fair", int(district), 1.30)
        for district, week in sorted(set(zip(where.tolist(), when.tolist(), strict=True)))
    ]
    county = [LocalDay(week, 5, "county fair", None, 1.12) for week in range(20, weeks.n_all, 52)]
    return fairs + county


def events_table(days: Sequence[LocalDay], weeks: Timeline) -> pa.Table:
    """Return ``raw.events``; the fairs and the openings of competitors of the history."""
    known = [day for day in days if day.week < weeks.n_weeks]
    known.sort(key=lambda day: (day.week, day.day, day.name))
    names = [day.name if day.district is None else f"{day.name}, {DISTRICTS[day.district]}" for day in known]
    columns = {
        "event_date": pa.array(weeks.starts[[day.week for day in known]] + [day.day for day in known]),
        "name": pa.array(names),
        "district": pa.array([None if day.district is None else DISTRICTS[day.district] for day in known]),
    }
    return pa.table(columns, schema=EVENTS.arrow_schema)


def interactions_table(
    rng: np.random.Generator,
    shops: Shops,
    departures: Departures,
    licences: Licences,
    unmet_share: NDArray[np.float64],
    weeks: Timeline,
) -> pa.Table:
    """Return ``raw.interactions`` of the history, ordered by day.

    Poor service shows as complaints that take weeks to settle and as low survey scores; unmet demand as complaints;
    a competitor in low scores shortly before a shop leaves. Contacts go on for two
    weeks after the last order: nobody knows yet. A score is the severity of a complaint or the mark of a survey.
    """
    week = np.arange(weeks.n_weeks)
    here = (week >= shops.opens[:, None]) & (week < (departures.stop + 2 * (departures.cause != CLOSED))[:, None])
    here &= (week < departures.relicensed[:, None]) | (week >= (departures.relicensed + departures.gap)[:, None])
    troubled = (week >= departures.trouble_from[:, None]) & (week < departures.trouble_until[:, None])
    tempted = (departures.cause == COMPETITOR)[:, None] & (week >= (departures.stop - 10)[:, None])
    parts = []
    for kind, rate in WEEKLY_RATES.items():
        rates = np.full(here.shape, rate)
        if kind == "complaint":
            rates += TROUBLED_COMPLAINTS * troubled + UNMET_COMPLAINTS * unmet_share[:, : weeks.n_weeks]
        shop, at = np.nonzero(rng.poisson(rates * here))
        contacts = _details(rng, kind, shop, at, troubled[shop, at], tempted[shop, at])
        parts.append(_rows(rng, kind, contacts, licences, weeks))
    rows = pa.concat_tables(parts).sort_by([("occurred_on", "ascending"), ("retailer_id", "ascending"), ("kind", "ascending")])
    ids = pa.array([f"I{number:07d}" for number in range(1, rows.num_rows + 1)])
    return pa.table([ids, *rows.columns], schema=INTERACTIONS.arrow_schema)


def _details(
    rng: np.random.Generator,
    kind: str,
    shop: NDArray[np.int64],
    week: NDArray[np.int64],
    troubled: NDArray[np.bool_],
    tempted: NDArray[np.bool_],
) -> _Contacts:
    n = len(shop)
    score, settled_after = np.full(n, np.nan), np.full(n, np.nan)
    if kind == "survey":
        score = np.clip(np.round(82 - 28 * troubled - 15 * tempted + rng.normal(0, 9, n)), 0, 100)
    if kind == "complaint":
        score = np.clip(np.round(45 + 20 * troubled + rng.normal(0, 15, n)), 0, 100)
        settled_after = np.ceil(np.exp(rng.normal(np.where(troubled, 3.3, 1.6), 0.5, n)))
        settled_after[troubled & (rng.random(n) < 0.15)] = np.nan
    return _Contacts(shop, week, score, settled_after)


def _rows(rng: np.random.Generator, kind: str, contacts: _Contacts, licences: Licences, weeks: Timeline) -> pa.Table:
    """One contact a week of each kind at most; complaints not settled by ``as_of`` have no resolved_on."""
    day = weeks.starts[contacts.week] + rng.integers(0, 6, len(contacts.week))
    settled = day + np.where(np.isnan(contacts.settled_after), NEVER, contacts.settled_after).astype(int)
    open_still = settled > np.datetime64(weeks.as_of)
    columns = {
        "retailer_id": licences.ids.take(pa.array(licences.of(contacts.shop, contacts.week))),
        "occurred_on": pa.array(day),
        "kind": pa.array([kind] * len(day), pa.string()),
        "score": pa.array(contacts.score, from_pandas=True),
        "resolved_on": pa.array(np.where(open_still, np.datetime64("NaT", "D"), settled)),
    }
    return pa.table(columns)
