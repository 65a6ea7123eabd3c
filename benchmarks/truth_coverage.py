"""How often does the truth of a capped case lie at or below the quantiles, and within the interval of eight weeks?"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pandas as pd

from models.breakdown import VELOCITY_CLASSES, velocity_class

LEAST_WEEKS = 8
"""Weeks with a delivery before the Sunday, as in the benchmark's own scorer."""

_PAIR = ["retailer_id", "sku_id"]
_YEAR = pd.Timedelta(weeks=52)


def truth_coverage(case: Path, warehouse: Path) -> dict[str, dict[str, float]]:
    """Return shares of the newest forecast's pair-weeks and totals, over all pairs that the benchmark scores and by velocity class.

    Parameters
    ----------
    case
        A folder that ``make_capped_case.py`` made.
    warehouse
        A DuckDB file in which its ``as_of`` was scored.

    Returns
    -------
    dict
        ``at_most_q90``, ``at_most_q95`` of pair-weeks and ``total_coverage_80`` of eight-week totals, and ``pairs``; by ``all`` or class.
        Pairs without a forecast, or without an order in the last year, are left out. A class is
        the share of all 52 weeks, also of pairs that began later.
    """
    as_of = pd.Timestamp(json.loads((case / "truth" / "facts.json").read_text())["as_of"])
    truth = pd.read_parquet(case / "truth" / "weekly_demand.parquet")
    truth["week_start"] = pd.to_datetime(truth.week_start)
    past = truth[(truth.week_start <= as_of) & (truth.delivered_units > 0)]
    pairs = past.groupby(_PAIR).agg(weeks=("week_start", "size")).query("weeks >= @LEAST_WEEKS")
    lately = past[past.week_start > as_of - _YEAR].groupby(_PAIR).size().reindex(pairs.index, fill_value=0)
    classes = pd.Series(velocity_class(lately.to_numpy(), 52.0), pairs.index, name="velocity").reset_index()
    with duckdb.connect(str(warehouse), read_only=True) as con:
        weeks, totals = (
            con.execute(f"select * from scored.{table} where as_of = ?", [as_of.date()]).df()
            for table in ("demand_forecast", "demand_forecast_total")
        )
    weeks["week_start"] = pd.to_datetime(weeks.week_start)
    told = weeks.merge(classes, on=_PAIR).merge(truth[[*_PAIR, "week_start", "demand_units"]], how="left", on=[*_PAIR, "week_start"])
    told["demand_units"] = told.demand_units.fillna(0.0)
    told = told.assign(at_most_q90=told.demand_units <= told.q90, at_most_q95=told.demand_units <= told.q95)
    summed = totals.merge(told.groupby([*_PAIR, "velocity"], as_index=False).demand_units.sum(), on=_PAIR)
    within = summed.assign(total_coverage_80=summed.demand_units.between(summed.low80_units, summed.high80_units))
    shares = {}
    for name, held in {"all": list(VELOCITY_CLASSES), **{name: [name] for name in VELOCITY_CLASSES}}.items():
        mine, my_totals = told[told.velocity.isin(held)], within[within.velocity.isin(held)]
        shares[name] = {share: round(float(mine[share].mean()), 4) for share in ("at_most_q90", "at_most_q95")}
        shares[name] |= {"total_coverage_80": round(float(my_totals.total_coverage_80.mean()), 4), "pairs": len(my_totals)}
    return shares
