"""How did the demand forecasts do whose week is over: forecasts of the eight Sundays before, each held against the last known week?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from contracts.cells import CELLS
from contracts.raw import ALLOCATION_LIMITS, RETAILERS, SKUS
from contracts.scored import DEMAND_FORECAST, QUANTILES, quantile_column
from contracts.weeks import HORIZONS, last_week
from features.matured import KEY, matured_outcomes
from models.breakdown import velocity_class
from models.demand import DemandModel
from models.estimates import Estimate, Measured, averaged
from models.level_shift import level_shift
from models.matured_forecasts import (
    at_most_estimate,
    bias_estimate,
    coverage_estimate,
    grouped_wape,
    pinball_estimate,
    relative_bias,
    seen_weeks,
    value_added,
)
from models.observable import DENSE_LEVELS, staircase
from models.stacking import Floats
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

LEVELS = {quantile_column(level): level for level in QUANTILES}
PLANNED = ("tier", "sku_id")
"""Grain at which WAPE is measured: the one that caps are planned at."""

SLICED_BY = ("tier", "district", "velocity", "cap")
"""Parts in which a bias is looked for, besides the whole."""

OF_LIKE_SHOPS = ("district",)
"""Those of them that are made of shops like all others: what all vary by tells what one part may."""

LEAST_RETAILERS = 20
"""A part with fewer retailers is left out: what one of them does would be its bias."""

CAPS_AT_ONCE = 50_000
"""Capped pairs whose 99 quantiles take 40 MB."""

LawOf = Callable[[str], DemandModel | None]
"""Gives the demand model of a version, None where the tracking store no longer has it."""


def demand_measures(con: Warehouse, as_of: date, law_of: LawOf) -> list[Measured]:
    """Measure what became of the forecasts for the last known week.

    Parameters
    ----------
    con
        The warehouse; cells must be built.
    as_of
        The Sunday that ends the week.
    law_of
        The models that published: what they expect of an order under a cap is read off their whole law, because seven published quantiles
        would put it 5 % too high. Capped weeks of a model that is gone are left out.

    Returns
    -------
    list of Measured
        Nothing for a horizon whose Sunday was not scored.
    """
    outcomes = _outcomes(con, as_of)
    if outcomes.empty:
        return []
    measured, parts = [], []
    for horizon in HORIZONS:
        weeks = _seen(con, outcomes, as_of, horizon, law_of)
        if not weeks.empty:
            measured += _of_horizon(weeks, horizon)
            parts.append(weeks[["retailer_id", *SLICED_BY, "expected", "actual"]])
    return _over_horizons(measured) + measured + (_of_parts(pd.concat(parts, ignore_index=True)) if parts else [])


def _outcomes(con: Warehouse, as_of: date) -> pd.DataFrame:
    described = (DEMAND_FORECAST, CELLS, RETAILERS, SKUS, ALLOCATION_LIMITS)
    forecasts, cells, retailers, skus, limits = (contract_table(each) for each in described)
    outcomes: pd.DataFrame = fetch(con, matured_outcomes(forecasts, cells, retailers, skus, limits, as_of, HORIZONS)).to_pandas()
    told = outcomes[~outcomes.shared_or_floored.astype(bool)]
    velocity = velocity_class(told.orders_52w, told.open_weeks_52w)
    return told.assign(velocity=velocity, cap=np.where(told.cap_units.notna(), "cap in force", "no cap"))


def _seen(con: Warehouse, outcomes: pd.DataFrame, as_of: date, horizon: int, law_of: LawOf) -> pd.DataFrame:
    """Put the forecasts of one Sunday beside what came, both as far as it could be seen."""
    stored = contract_table(DEMAND_FORECAST)
    of_day = stored.filter(stored.as_of == as_of - timedelta(weeks=horizon), stored.week_start == last_week(as_of))
    forecasts: pd.DataFrame = fetch(con, of_day.select(*KEY, "mean_units", "p_order", *LEVELS, "model_version")).to_pandas()
    simple = {f"naive_{horizon}": "naive", f"recent_{horizon}": "recent"}
    others = [f"{name}_{other}" for other in HORIZONS if other != horizon for name in ("naive", "recent")]
    weeks = outcomes.drop(columns=others).rename(columns=simple).merge(forecasts, on=KEY, validate="one_to_one")
    expected = pd.Series(np.nan, index=weeks.index)
    for version, rows in weeks[weeks.cap_units.notna()].groupby("model_version"):
        law = law_of(str(version))
        if law is not None:
            expected.loc[rows.index] = _expected_under_caps(law, rows)
    told = weeks.cap_units.isna() | expected.notna()
    return seen_weeks(weeks[told], np.asarray(expected[told], dtype=np.float64), list(LEVELS))


def _expected_under_caps(law: DemandModel, capped: pd.DataFrame) -> Floats:
    parts = []
    for first in range(0, len(capped), CAPS_AT_ONCE):
        rows = capped.iloc[first : first + CAPS_AT_ONCE]
        mean, p_order, caps = (rows[name].to_numpy(dtype=np.float64) for name in ("mean_units", "p_order", "cap_units"))
        steps = staircase(mean, p_order, law.quantiles(p_order, mean, DENSE_LEVELS), DENSE_LEVELS)
        parts.append(steps.expected_under_cap(caps))
    return np.concatenate(parts)


def _of_horizon(weeks: pd.DataFrame, horizon: int) -> list[Measured]:
    n = len(weeks)
    wape, pinball = grouped_wape(weeks, "expected", PLANNED), pinball_estimate(weeks, LEVELS)
    found: dict[str, Estimate | None] = {
        "bias": bias_estimate(weeks),
        "tier_sku_wape_loss": None if wape is None else Estimate(wape, 0.0, n, grouped_wape(weeks, "recent", PLANNED)),
        "pinball_loss": None if pinball is None else Estimate(pinball, 0.0, n),
        "coverage_80": coverage_estimate(weeks, ("q10", 0.1), ("q90", 0.9)),
        "at_most_q95": at_most_estimate(weeks, "q95", 0.95),
        "value_added_naive": value_added(weeks, "naive", PLANNED),
        "value_added_recent_mean": value_added(weeks, "recent", PLANNED),
    }
    return [Measured("demand", name, "horizon_weeks", str(horizon), figure) for name, figure in found.items() if figure is not None]


def _over_horizons(measured: Sequence[Measured]) -> list[Measured]:
    """Average each measure over the horizons; all of them look at the same orders, so that the error does not fall."""
    averages = []
    for name in dict.fromkeys(each.measure for each in measured):
        figures = [each.estimate for each in measured if each.measure == name]
        averages.append(Measured("demand", name, "all", "all", averaged(figures)))
    return averages


def _of_parts(weeks: pd.DataFrame) -> list[Measured]:
    """Bias of each part against the rest, over all horizons."""
    measured = []
    for kind in SLICED_BY:
        against_rest = level_shift if kind in OF_LIKE_SHOPS else relative_bias
        found = ((value, against_rest(part, rest)) for value, part, rest in _large_parts(weeks, kind))
        measured += [Measured("demand", "relative_bias", kind, value, figure) for value, figure in found if figure is not None]
    return measured


def _large_parts(weeks: pd.DataFrame, kind: str) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Yield each part of enough retailers with the rest."""
    for value, part in weeks.groupby(kind, observed=True):
        if part.retailer_id.nunique() >= LEAST_RETAILERS and len(part) < len(weeks):
            yield str(value), part, weeks.drop(part.index)
