"""How good is a forecast of units? Arrays in, a float out; every ``_loss`` is better when lower.

Orders are lumpy and mostly absent, so a pair's single week says little: WAPE there prefers forecasts that are too low. Read it with the
bias, and at the grains people plan at: a pair over eight weeks, a SKU over all retailers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from models.stacking import Floats


def wape_loss(actual: Floats, forecast: Floats) -> float:
    """Weighted absolute percentage error, Σ|forecast - actual| / Σ actual (Kolassa and Schütz 2007).

    >>> wape_loss(np.array([0.0, 10.0]), np.array([1.0, 8.0]))
    0.3
    """
    return float(np.abs(forecast - actual).sum() / actual.sum())


def grouped_wape_loss(actual: Floats, forecast: Floats, groups: Sequence[pd.Series | Floats]) -> float:
    """WAPE after both were summed over the rows that agree in ``groups``.

    >>> grouped_wape_loss(np.array([0.0, 10.0]), np.array([2.0, 8.0]), [np.array([1.0, 1.0])])
    0.0
    """
    sums = pd.DataFrame({"actual": actual, "forecast": forecast}).groupby([np.asarray(group) for group in groups], sort=False).sum()
    return wape_loss(sums.actual.to_numpy(), sums.forecast.to_numpy())


def bias(actual: Floats, forecast: Floats) -> float:
    """Relative bias, Σ(forecast - actual) / Σ actual: below 0 is too little.

    >>> bias(np.array([5.0, 5.0]), np.array([4.0, 5.0]))
    -0.1
    """
    return float((forecast - actual).sum() / actual.sum())


def pinball_loss(actual: Floats, quantiles: Floats, levels: Sequence[float]) -> float:
    """Mean pinball loss over quantiles and rows, as a share of the mean actual (Koenker and Bassett 1978).

    Parameters
    ----------
    actual
        Units (n,).
    quantiles
        Units (n, levels).
    levels
        Of the columns, between 0 and 1.

    Examples
    --------
    >>> pinball_loss(np.array([10.0]), np.array([[8.0]]), [0.9])
    0.18
    """
    below = actual[:, None] - quantiles
    taus = np.asarray(levels)
    return float(np.maximum(taus * below, (taus - 1.0) * below).mean() / actual.mean())


def coverage(actual: Floats, lower: Floats, upper: Floats) -> float:
    """Share of rows that lie within [lower, upper].

    >>> coverage(np.array([1.0, 5.0]), np.array([0.0, 0.0]), np.array([2.0, 4.0]))
    0.5
    """
    return float(((lower <= actual) & (actual <= upper)).mean())


def forecast_value_added_score(loss: float, baseline_loss: float) -> float:
    """Share of a baseline's loss that the forecast saves: 0 is no better, 1 is perfect (Gilliland 2010).

    >>> forecast_value_added_score(0.6, 0.8)
    0.25
    """
    return round(1.0 - loss / baseline_loss, 12)
