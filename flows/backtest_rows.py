"""Where the rows of a backtest come from: forecasts of a past Sunday beside what came, with the limits and the record of each pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from contracts.cells import CELLS
from contracts.raw import ALLOCATION_LIMITS, RETAILERS, SKUS
from contracts.scored import QUANTILES
from contracts.weeks import HORIZONS
from features.judged_pairs import KEY, limits_ahead, records_before
from flows.train_demand import JudgedWeeks, learn_calibration, stacked
from models.demand import DemandForecast, DemandModel
from models.demand_calibration import Calibration
from models.evaluation import judged_weeks
from models.judged_totals import judged_totals
from models.observable import DENSE_LEVELS, Staircase, staircase
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

PAIRS_AT_ONCE = 20_000
"""Pairs whose 99 quantiles of eight weeks take 130 MB."""


@dataclass(frozen=True)
class Surroundings:
    """What is known of judged pairs besides their forecasts.

    Attributes
    ----------
    ahead
        ``features.judged_pairs.limits_ahead``: one row per pair and horizon.
    records
        ``features.judged_pairs.records_before``: one row per pair.
    """

    ahead: pd.DataFrame
    records: pd.DataFrame


def fetch_surroundings(con: Warehouse, pairs: pa.Table, origin: date) -> Surroundings:
    """Return limits and records of pairs as of a past Sunday; cells must be built."""
    keys = ibis.memtable(pairs.select(KEY))
    cells, retailers, skus, limits = (contract_table(described) for described in (CELLS, RETAILERS, SKUS, ALLOCATION_LIMITS))
    ahead, records = (
        fetch(con, facts(keys, cells, retailers, skus, limits, origin)).to_pandas() for facts in (limits_ahead, records_before)
    )
    return Surroundings(ahead, records)


@dataclass(frozen=True)
class JudgedOrigin:
    """What the forecasts of a past Sunday were, and what its weeks teach.

    Attributes
    ----------
    weeks
        One row per pair and open week, see ``judge_forecasts``.
    totals
        One row per pair without a closed week: ``models.judged_totals.judged_totals`` with ``origin``, ``limited`` and the columns of
        ``Surroundings.records``; no row where the model was not calibrated.
    calibration
        For a model trained as of eight weeks later, by when all of these weeks are known; None where none is known.
    """

    weeks: pd.DataFrame
    totals: pd.DataFrame
    calibration: Calibration | None


def judge_forecasts(model: DemandModel, judged: JudgedWeeks, around: Surroundings, threads: int, seed: int) -> JudgedOrigin:
    """Forecast the judged pairs, and put beside each week what came, its limits, and what the forecast makes of both.

    Pairs are forecast for 99 quantiles, of which the published seven are kept; so many at a time that they fit in memory.

    Returns
    -------
    JudgedOrigin
        Its weeks have the columns of ``models.evaluation.judged_weeks`` and of ``around``, ``origin`` (date as text), ``expected_units``
        and ``p_at_cap`` (E[min(D, cap)] and P(D >= cap); NaN without a cap), ``p_less`` and ``p_at_most`` (of what came). Numbers have
        single precision, which is enough for units.
    """
    kept = [DENSE_LEVELS.index(level) for level in QUANTILES]
    parts, forecasts = [], []
    for first in range(0, judged.pairs.num_rows, PAIRS_AT_ONCE):
        pairs = judged.pairs.slice(first, PAIRS_AT_ONCE)
        dense = model.predict(pairs, judged.calendar, DENSE_LEVELS, threads)
        published = {horizon: replace(forecast, quantiles=forecast.quantiles[:, kept]) for horizon, forecast in dense.items()}
        forecasts.append(published)
        weeks = judged_weeks(pairs, published, QUANTILES).merge(around.ahead, how="left", on=[*KEY, "horizon_weeks"], validate="one_to_one")
        position = pd.Series(np.arange(pairs.num_rows), index=pd.MultiIndex.from_frame(pairs.select(KEY).to_pandas()))
        place = position.loc[pd.MultiIndex.from_frame(weeks[KEY])].to_numpy()
        parts += [_against_forecast(rows, dense[int(str(h))], place[rows.index]) for h, rows in weeks.groupby("horizon_weeks")]
    together = _joined(forecasts)
    return JudgedOrigin(
        _with_records(pd.concat(parts, ignore_index=True), judged, around),
        _totals(model, judged, around, together),
        learn_calibration(model, together, judged.unseen, seed),
    )


def _joined(parts: Sequence[Mapping[int, DemandForecast]]) -> dict[int, DemandForecast]:
    """Put the forecasts of several runs of pairs below each other."""
    names = ("mean_units", "p_order", "quantiles")
    return {h: DemandForecast(*(np.concatenate([getattr(part[h], name) for part in parts]) for name in names)) for h in HORIZONS}


def _totals(model: DemandModel, judged: JudgedWeeks, around: Surroundings, forecasts: Mapping[int, DemandForecast]) -> pd.DataFrame:
    if model.calibration is None:
        return pd.DataFrame()
    totals = judged_totals(judged.pairs, *stacked(forecasts), model.calibration.totals, QUANTILES)
    ahead = around.ahead
    limited = ahead.assign(limited=ahead.cap_units.notna() | ahead.band_cap_units.notna() | ahead.floored).groupby(KEY).limited.any()
    return _with_records(totals.merge(limited.reset_index(), how="left", on=KEY, validate="one_to_one"), judged, around)


def _with_records(rows: pd.DataFrame, judged: JudgedWeeks, around: Surroundings) -> pd.DataFrame:
    joined = rows.merge(around.records, how="left", on=KEY, validate="many_to_one")
    doubles = joined.select_dtypes("float64").columns
    return joined.astype(dict.fromkeys(doubles, np.float32)).assign(origin=judged.origin.isoformat())


def _against_forecast(weeks: pd.DataFrame, forecast: DemandForecast, place: np.ndarray) -> pd.DataFrame:
    """Hold the weeks of one horizon against the whole forecast distribution; ``place`` is the row of each in the forecast."""
    steps = staircase(forecast.mean_units[place], forecast.p_order[place], forecast.quantiles[place], DENSE_LEVELS)
    # units of training and of judging are single precision, so that a pack is a pack
    steps = Staircase(steps.units.astype(np.float32).astype(np.float64), steps.shares)
    actual, caps = (weeks[name].to_numpy(dtype=np.float64) for name in ("actual", "cap_units"))
    capped = np.isfinite(caps)
    return weeks.assign(
        expected_units=np.where(capped, steps.expected_under_cap(caps), np.nan),
        p_at_cap=np.where(capped, steps.p_at_least(caps), np.nan),
        p_less=1.0 - steps.p_at_least(actual),
        p_at_most=steps.p_at_most(actual),
    )
