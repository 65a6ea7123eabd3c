"""How forecasts and recovered demand become rows of the scored tables."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
from ibis.backends.duckdb import Backend

from contracts.scored import DEMAND_FORECAST, QUANTILES, TRUE_DEMAND, quantile_column
from contracts.weeks import HORIZONS, target_week
from features.attributes import attributes_among
from flows.demand_rows import fetch_pairs, target_calendar
from flows.registering import FINAL
from flows.settings import Settings
from flows.tracking import ModelVersion, model_folder
from models.demand import DemandForecast, DemandModel

RECOVERY_VERSION = "censored-em-1"
"""The method that recovers true demand; it has no fitted model of its own."""


def forecast_pairs(con: Backend, settings: Settings, as_of: date, version: ModelVersion, run_id: str) -> pa.Table:
    """Forecast every pair as of a Sunday; ``derived.recovered`` must hold that Sunday.

    Returns
    -------
    pyarrow.Table
        Rows of ``scored.demand_forecast``, one per pair and horizon.
    """
    model = DemandModel.load(model_folder(settings, version) / FINAL)
    pairs = fetch_pairs(con, settings, as_of, attributes_among(model.space.names))
    calendar = target_calendar(con, settings, as_of)
    forecasts = model.predict(pairs, calendar, QUANTILES, settings.demand.lightgbm.num_threads)
    weeks = (_week_of_rows(pairs, forecasts[horizon], as_of, horizon, version, run_id) for horizon in HORIZONS)
    return pa.concat_tables(weeks)


def _week_of_rows(pairs: pa.Table, forecast: DemandForecast, as_of: date, horizon: int, version: ModelVersion, run_id: str) -> pa.Table:
    n = pairs.num_rows
    columns = {
        "as_of": _constant(pa.scalar(as_of, pa.date32()), n),
        "retailer_id": pairs["retailer_id"],
        "sku_id": pairs["sku_id"],
        "week_start": _constant(pa.scalar(target_week(as_of, horizon), pa.date32()), n),
        "horizon_weeks": _constant(pa.scalar(horizon, pa.int64()), n),
        "mean_units": pa.array(forecast.mean_units),
        **{quantile_column(level): pa.array(np.ascontiguousarray(forecast.quantiles[:, i])) for i, level in enumerate(QUANTILES)},
        "p_order": pa.array(forecast.p_order),
        "method": pairs["method"],
        "model_version": _constant(pa.scalar(version.version), n),
        "run_id": _constant(pa.scalar(run_id), n),
    }
    return pa.table([columns[name] for name in DEMAND_FORECAST.column_names], schema=DEMAND_FORECAST.arrow_schema)


def true_demand_rows(estimates: pd.DataFrame, as_of: date, run_id: str) -> pa.Table:
    """Return recovered demand as rows of ``scored.true_demand``."""
    n = len(estimates)
    numbers = ("delivered_units", "true_units", "true_units_p10", "true_units_p90")
    columns = {
        **{name: pa.array(estimates[name].astype(str), pa.string()) for name in ("retailer_id", "sku_id", "censoring")},
        **{name: pa.array(estimates[name].to_numpy(dtype=np.float64)) for name in numbers},
        "week_start": pa.array(estimates.week_start.dt.date if n else [], pa.date32()),
        "as_of": _constant(pa.scalar(as_of, pa.date32()), n),
        "identified": pa.array(estimates.identified.to_numpy(dtype=bool)),
        "model_version": _constant(pa.scalar(RECOVERY_VERSION), n),
        "run_id": _constant(pa.scalar(run_id), n),
    }
    return pa.table([columns[name] for name in TRUE_DEMAND.column_names], schema=TRUE_DEMAND.arrow_schema)


def _constant(value: pa.Scalar, n: int) -> pa.Array:
    return pa.repeat(value, n)
