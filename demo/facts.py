"""What did a county come to: how large is it, how many stopped ordering, how hard did the limits bite?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from contracts.raw import RETAILERS
from demo.departures import CAUSES
from demo.life import Lives
from demo.products import NEVER


@dataclass(frozen=True)
class CountyFacts:
    """What a county came to, as in ``truth/facts.json``.

    Attributes
    ----------
    seed, as_of, n_weeks
        Of the county.
    rows
        Rows of each input table.
    retailers_by_area
        Licences in town and country.
    stopped_by_cause, stopped_by_cause_in_history
        Retailers that stopped, with and without the 26 weeks after the history.
    share_of_orders_at_cap
        Retailer-SKU-weeks of the history that took all that a cap or band cap allowed, of those with an order.
    share_of_demand_lost
        True demand of the history that was not delivered, of all.
    share_of_pair_weeks_without_demand
        Pair-weeks of the history with no true demand, of all between a pair's first and last.
    """

    seed: int
    as_of: str
    n_weeks: int
    rows: Mapping[str, int]
    retailers_by_area: Mapping[str, int]
    stopped_by_cause: Mapping[str, int]
    stopped_by_cause_in_history: Mapping[str, int]
    share_of_orders_at_cap: float
    share_of_demand_lost: float
    share_of_pair_weeks_without_demand: float


def gather_facts(lives: Lives, seed: int, tables: Mapping[str, pa.Table], churn: pa.Table) -> CountyFacts:
    """Count what a county came to.

    Parameters
    ----------
    lives
        All that happened.
    seed
        Of the county.
    tables, churn
        Its input tables by name, and its truth about churn.

    Returns
    -------
    CountyFacts
        Shares rounded to four digits.
    """
    causes, stopped_on = churn["cause"].to_pylist(), churn["stopped_on"].to_pylist()
    as_of = lives.weeks.as_of
    in_history = [cause for cause, day in zip(causes, stopped_on, strict=True) if day is not None and day < as_of]
    areas = tables[RETAILERS.name]["area"].to_pylist()
    past = lives.delivered.wanted.week < lives.weeks.n_weeks
    wanted, units = lives.delivered.wanted.units[past], lives.delivered.units[past]
    return CountyFacts(
        seed=seed,
        as_of=as_of.isoformat(),
        n_weeks=lives.weeks.n_weeks,
        rows={name: rows.num_rows for name, rows in tables.items()},
        retailers_by_area={area: areas.count(area) for area in ("urban", "rural")},
        stopped_by_cause={cause: causes.count(cause) for cause in CAUSES},
        stopped_by_cause_in_history={cause: in_history.count(cause) for cause in CAUSES},
        share_of_orders_at_cap=round(float(lives.delivered.at_cap[past].sum() / (units > 0).sum()), 4),
        share_of_demand_lost=round(float(np.maximum(wanted - units, 0).sum() / wanted.sum()), 4),
        share_of_pair_weeks_without_demand=round(1 - float((wanted > 0).sum() / _pair_weeks(lives)), 4),
    )


def _pair_weeks(lives: Lives) -> int:
    """Weeks of the history between each pair's first and last row, summed over pairs."""
    rows = lives.delivered.wanted.where(lives.delivered.wanted.week < lives.weeks.n_weeks)
    first, last = np.full(lives.pairs.n, NEVER), np.full(lives.pairs.n, -1)
    np.minimum.at(first, rows.pair, rows.week)
    np.maximum.at(last, rows.pair, rows.week)
    return int(np.maximum(last - first + 1, 0).sum())
