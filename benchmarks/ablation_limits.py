"""What do the treatment of hoarding, of floors and of shared band caps gain on the county?"""

from __future__ import annotations

from datetime import date

import pandas as pd

from benchmarks.ablation_rows import AblationRow, judged, loaded
from demo.county import County
from flows.deriving import fetch_censored, fetch_shelves, law_settings
from flows.settings import read_settings
from models.hoarding_rate import hoarding_rate
from models.recovery import recover
from models.sell_through import corrected_by_shelves
from models.size_laws import RecoverySettings

AS_OF = date(2025, 9, 28)
SHARES = (0.0, 0.1, 0.3)


def hoarding_rows(retailers: int, seed: int) -> list[AblationRow]:
    """Judge orders at caps with and without what shelves say, for several shares of hoarded weeks, by the pairs' laws alone."""
    rows = []
    for share in SHARES:
        with loaded(_county(retailers, seed, share)) as (con, truth):
            history, shelves = fetch_censored(con, read_settings(None), AS_OF), fetch_shelves(con)
        rate = hoarding_rate(history.orders)
        said = "no rate" if rate is None else f"rate from orders {rate.rate:.3f} ± {rate.margin:.3f}"
        before = recover(history, AS_OF, _laws())
        after, evidence = corrected_by_shelves(before, shelves, AS_OF)
        shown = "no shelves" if evidence is None else f"shelves times {evidence.ratio:.3f}"
        county = f"hoarding {share:g} ({said}; {shown})"
        told = set() if shelves is None else set(shelves.key.retailer_id)
        for where, these in (("at caps, shops with sales", told), ("at caps, others", None)):
            chosen = _at(before, "cap") & (before.retailer_id.isin(told) == (these is not None))
            rows.append(judged(county, where, "orders as they are", before[chosen], truth, "delivered_units"))
            rows.append(judged(county, where, "without shelves", before[chosen], truth))
            rows.append(judged(county, where, "with shelves", after[chosen], truth))
    return rows


def limit_rows(retailers: int, seed: int) -> list[AblationRow]:
    """Judge orders at floors and at used-up band caps, taken as they are and recovered."""
    with loaded(_county(retailers, seed, 0.0)) as (con, truth):
        history = fetch_censored(con, read_settings(None), AS_OF)
    estimates = recover(history, AS_OF, _laws())
    rows = []
    for where, censoring in (("at floors", "floor"), ("at band caps", "band")):
        chosen = estimates[_at(estimates, censoring)]
        rows.append(judged("no hoarding", where, "orders as they are", chosen, truth, "delivered_units"))
        rows.append(judged("no hoarding", where, "recovered", chosen, truth))
    return rows


def _at(estimates: pd.DataFrame, censoring: str) -> pd.Series:
    return estimates.censoring.eq(censoring)


def _county(retailers: int, seed: int, share: float) -> County:
    return County(retailers, round(0.22 * retailers), n_skus=72, n_weeks=112, as_of=AS_OF, seed=seed, hoarding=share)


def _laws() -> RecoverySettings:
    return law_settings(read_settings(None))
