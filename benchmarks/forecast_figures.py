"""How good is each forecast on the same weeks? One row of figures per forecast, the metrics of models.metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.scored import QUANTILES, quantile_column
from models.metrics import bias, coverage, grouped_wape_loss, pinball_loss, wape_loss

QUANTILE_COLUMNS = tuple(quantile_column(level) for level in QUANTILES)
INTERVALS = {"coverage_80": ("q10", "q90"), "coverage_90": ("q05", "q95")}

FIGURES = (
    "pair_week_wape_loss",
    "pair_8w_wape_loss",
    "sku_week_wape_loss",
    "sku_8w_wape_loss",
    "bias",
    "pinball_loss",
    *INTERVALS,
)
"""Names of the figures, in the order of a printed table."""


@dataclass(frozen=True)
class Forecast:
    """A forecast of the rows of some weeks.

    Attributes
    ----------
    mean_units
        (n,), units.
    quantiles
        ``q05`` … ``q95`` (n rows), units; None for a point forecast, which then stands for every quantile.
    """

    mean_units: npt.NDArray[np.float64]
    quantiles: pd.DataFrame | None = None


def forecast_figures(weeks: pd.DataFrame, forecast: Forecast) -> dict[str, float | None]:
    """Measure a forecast.

    Parameters
    ----------
    weeks
        ``retailer_id``, ``sku_id``, ``horizon_weeks``, ``actual`` (units), one row per pair and week.
    forecast
        In the order of ``weeks``.

    Returns
    -------
    dict
        ``FIGURES``, rounded to four places; coverages are None for a point forecast.
    """
    actual, mean = weeks.actual.to_numpy(), forecast.mean_units
    if forecast.quantiles is None:
        quantiles = np.repeat(mean[:, None], len(QUANTILES), axis=1)
    else:
        quantiles = forecast.quantiles[list(QUANTILE_COLUMNS)].to_numpy()
    figures: dict[str, float | None] = {
        "pair_week_wape_loss": wape_loss(actual, mean),
        "pair_8w_wape_loss": grouped_wape_loss(actual, mean, [weeks.retailer_id, weeks.sku_id]),
        "sku_week_wape_loss": grouped_wape_loss(actual, mean, [weeks.sku_id, weeks.horizon_weeks]),
        "sku_8w_wape_loss": grouped_wape_loss(actual, mean, [weeks.sku_id]),
        "bias": bias(actual, mean),
        "pinball_loss": pinball_loss(actual, quantiles, QUANTILES),
    }
    for name, (low, high) in INTERVALS.items():
        bounds = forecast.quantiles
        figures[name] = None if bounds is None else coverage(actual, bounds[low].to_numpy(), bounds[high].to_numpy())
    return {name: None if value is None else round(value, 4) for name, value in figures.items()}


def figures_by_forecast(weeks: pd.DataFrame, forecasts: Mapping[str, Forecast]) -> dict[str, dict[str, float | None]]:
    """Measure several forecasts of the same weeks, by name."""
    return {name: forecast_figures(weeks, forecast) for name, forecast in forecasts.items()}


def points_of(weeks: pd.DataFrame, columns: Sequence[str]) -> dict[str, Forecast]:
    """Take columns of ``weeks`` as point forecasts, by name."""
    return {name: Forecast(weeks[name].to_numpy()) for name in columns}
