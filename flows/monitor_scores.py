"""Did what the models publish move: against the Sunday before, against the first Sunday of the same model, and against recent weeks?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from contracts.scored import CHURN_SCORE, DEMAND_FORECAST, DEMAND_FORECAST_TOTAL
from features.monitored_totals import churn_days, pair_totals, scored_days, week_totals
from flows.monitor_orders import RECENT_WEEKS, recent_demand
from models.drift import FeatureBins, chance_index, filled_bins, population_stability_index
from models.estimates import Estimate, Measured
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

CHURN_PROBABILITIES = ("p_churn_4w", "p_churn_13w")


def score_measures(con: Warehouse, as_of: date) -> list[Measured]:
    """Compare the scores of a Sunday with those of the one before and of the first that the same model scored.

    Parameters
    ----------
    con
        The warehouse.
    as_of
        A Sunday that was scored.

    Returns
    -------
    list of Measured
        ``psi_previous`` and ``psi_first`` of eight-week means and quantiles per pair and of churn probabilities, and ``total_forecast``:
        units forecast a week over the weekly true demand of the last 13 weeks.
    """
    return [*_moved(con, as_of), *_totals(con, as_of)]


def _moved(con: Warehouse, as_of: date) -> list[Measured]:
    demand, churn = scored_days(contract_table(DEMAND_FORECAST), as_of), churn_days(contract_table(CHURN_SCORE), as_of)
    of_demand, of_churn = (_compared_days(fetch(con, days).to_pylist(), as_of) for days in (demand, churn))
    now, measured = _scores(con, as_of), []
    scores = {day: _scores(con, day) for day in {*of_demand.values(), *of_churn.values()}}
    for measure in ("psi_previous", "psi_first"):
        for name, values in now.items():
            day = (of_churn if name in CHURN_PROBABILITIES else of_demand).get(measure)
            if day is not None and len(values) and len(scores[day][name]):
                measured.append(Measured("scores", measure, "score", name, _index(scores[day][name], values), f"against {day}"))
    return measured


def _compared_days(days: Sequence[Mapping[str, Any]], as_of: date) -> dict[str, date]:
    """Return the Sunday scored before one, and the first that the same version scored, each where there is such."""
    versions = {day["as_of"]: day["model_version"] for day in days}
    earlier = [day for day in versions if day < as_of]
    if as_of not in versions or not earlier:
        return {}
    first = min(day for day, version in versions.items() if version == versions[as_of])
    return {"psi_previous": max(earlier)} | ({"psi_first": first} if first < as_of else {})


def _index(before: pd.Series, now: pd.Series) -> Estimate:
    """Stability index of a score with retailers as index; ``baseline`` and error are those of chance alone."""
    bins = FeatureBins.of(before)
    counts = bins.count(now)
    mean, spread = chance_index(filled_bins(bins.counts, counts), before.index.nunique(), now.index.nunique())
    return Estimate(population_stability_index(bins.counts, counts), spread, len(now), mean)


def _scores(con: Warehouse, as_of: date) -> Mapping[str, pd.Series]:
    """Return what was scored on one Sunday, by name, each with the retailer as index."""
    totals: pd.DataFrame = fetch(con, pair_totals(contract_table(DEMAND_FORECAST), as_of)).to_pandas()
    stored, churn = contract_table(DEMAND_FORECAST_TOTAL), contract_table(CHURN_SCORE)
    quantiles: pd.DataFrame = fetch(con, stored.filter(stored.as_of == as_of).select("retailer_id", "q50", "q90")).to_pandas()
    chances: pd.DataFrame = fetch(con, churn.filter(churn.as_of == as_of).select("retailer_id", *CHURN_PROBABILITIES)).to_pandas()
    series = {"mean_units_8w": totals.set_index("retailer_id").mean_units}
    series |= {f"{name}_units_8w": quantiles.set_index("retailer_id")[name] for name in ("q50", "q90")}
    return series | {name: chances.set_index("retailer_id")[name] for name in CHURN_PROBABILITIES}


def _totals(con: Warehouse, as_of: date) -> list[Measured]:
    weeks = fetch(con, week_totals(contract_table(DEMAND_FORECAST), as_of).order_by("horizon_weeks")).to_pylist()
    recent = recent_demand(con, as_of)
    if not weeks or recent <= 0:
        return []
    by_week = [
        Measured(
            "scores",
            "total_forecast",
            "horizon_weeks",
            str(week["horizon_weeks"]),
            Estimate(week["mean_units"] / recent, 0.0, week["pairs"]),
        )
        for week in weeks
    ]
    mean = sum(week["mean_units"] for week in weeks) / len(weeks)
    note = f"{mean:,.0f} units a week forecast, {recent:,.0f} a week in the last {RECENT_WEEKS} weeks"
    pairs = sum(week["pairs"] for week in weeks)
    return [Measured("scores", "total_forecast", "all", "all", Estimate(mean / recent, 0.0, pairs), note), *by_week]
