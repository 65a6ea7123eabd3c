"""How forecasts and recovered demand become rows of the scored tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa

from contracts.monitoring import FEATURE_DRIFT
from contracts.scored import DEMAND_FORECAST, DEMAND_FORECAST_TOTAL, QUANTILES, TRUE_DEMAND, quantile_column
from contracts.steps import in_parts
from contracts.tables import Table
from contracts.weeks import HORIZONS, target_week
from features.attributes import attributes_among
from flows.console import Say
from flows.country import as_trained
from flows.demand_rows import fetch_pairs, target_calendar
from flows.feature_spread import drift_rows
from flows.registering import FINAL
from flows.settings import Settings
from flows.tracking import ModelVersion, model_folder
from models.demand import DemandForecast, DemandModel
from models.demand_calibration import Calibration
from warehouse.session import Warehouse

LAWS_ALONE = "censored-law-1"
"""The version of recovered demand where the demand model's training had no capped orders to learn from: the pairs' own laws."""


def forecast_pairs(con: Warehouse, settings: Settings, as_of: date, version: ModelVersion, run_id: str, say: Say) -> dict[Table, pa.Table]:
    """Forecast every pair as of a Sunday; ``derived.recovered`` must hold that Sunday.

    Returns
    -------
    dict
        Rows of ``scored.demand_forecast``, one per pair and horizon, of ``scored.demand_forecast_total``, one per pair, and of
        ``scored.feature_drift``, one per input; none of the second and third where the model was trained before there were such.
    """
    folder = model_folder(settings, version)
    model, settings = DemandModel.load(folder / FINAL), as_trained(settings, folder, say)
    pairs = fetch_pairs(con, settings, as_of, attributes_among(model.space.names))
    calendar = target_calendar(con, settings, as_of)
    ahead = in_parts(HORIZONS, "forecasting weeks ahead", say)
    forecasts = model.predict(pairs, calendar, QUANTILES, settings.demand.lightgbm.num_threads, ahead)
    weeks = (_week_of_rows(pairs, forecasts[horizon], as_of, horizon, version, run_id) for horizon in HORIZONS)
    return {
        DEMAND_FORECAST: pa.concat_tables(weeks),
        DEMAND_FORECAST_TOTAL: _total_rows(pairs, forecasts, model.calibration, as_of, version, run_id),
        FEATURE_DRIFT: drift_rows(settings, version, "demand", pairs, as_of, run_id),
    }


def _total_rows(
    pairs: pa.Table,
    forecasts: Mapping[int, DemandForecast],
    calibration: Calibration | None,
    as_of: date,
    version: ModelVersion,
    run_id: str,
) -> pa.Table:
    if calibration is None:
        return DEMAND_FORECAST_TOTAL.arrow_schema.empty_table()
    n, weeks = pairs.num_rows, [forecasts[horizon] for horizon in HORIZONS]
    expected_orders = np.sum([week.p_order for week in weeks], axis=0)
    mean_units = np.sum([week.mean_units for week in weeks], axis=0)
    quantiles = calibration.totals.predict(expected_orders, mean_units, QUANTILES)
    low, high = calibration.totals.interval(expected_orders, mean_units)
    columns = {
        "as_of": _constant(pa.scalar(as_of, pa.date32()), n),
        "retailer_id": pairs["retailer_id"],
        "sku_id": pairs["sku_id"],
        "mean_units": pa.array(mean_units),
        **{quantile_column(level): pa.array(np.ascontiguousarray(quantiles[:, i])) for i, level in enumerate(QUANTILES)},
        "low80_units": pa.array(low),
        "high80_units": pa.array(high),
        "model_version": _constant(pa.scalar(version.version), n),
        "run_id": _constant(pa.scalar(run_id), n),
    }
    return pa.table([columns[name] for name in DEMAND_FORECAST_TOTAL.column_names], schema=DEMAND_FORECAST_TOTAL.arrow_schema)


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


def true_demand_rows(estimates: pd.DataFrame, as_of: date, version: str, run_id: str) -> pa.Table:
    """Return recovered demand as rows of ``scored.true_demand``."""
    n = len(estimates)
    numbers = ("delivered_units", "true_units", "true_units_p10", "true_units_p90")
    columns = {
        **{name: pa.array(estimates[name].astype(str), pa.string()) for name in ("retailer_id", "sku_id", "censoring")},
        **{name: pa.array(estimates[name].to_numpy(dtype=np.float64)) for name in numbers},
        "week_start": pa.array(estimates.week_start.dt.date if n else [], pa.date32()),
        "as_of": _constant(pa.scalar(as_of, pa.date32()), n),
        "identified": pa.array(estimates.identified.to_numpy(dtype=bool)),
        "model_version": _constant(pa.scalar(version), n),
        "run_id": _constant(pa.scalar(run_id), n),
    }
    return pa.table([columns[name] for name in TRUE_DEMAND.column_names], schema=TRUE_DEMAND.arrow_schema)


def _constant(value: pa.Scalar, n: int) -> pa.Array:
    return pa.repeat(value, n)
