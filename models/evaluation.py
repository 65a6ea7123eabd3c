"""How do the demand model and the baselines compare on weeks that none of them has seen?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from models.demand import DemandForecast
from models.metrics import bias, coverage, grouped_wape_loss, pinball_loss, wape_loss
from models.stacking import Floats, column


def judged_weeks(pairs: pa.Table, forecasts: Mapping[int, DemandForecast], levels: Sequence[float]) -> pd.DataFrame:
    """Put forecasts, baselines and what came side by side.

    Parameters
    ----------
    pairs
        Pair features of one origin with ``target_{h}`` (units; null is a closed week, which is left out) and ``naive_{h}``, the units
        of the same week a year before (null where the pair could not order then).
    forecasts
        By horizon, in the order of ``pairs``.
    levels
        Of the forecasts' quantiles.

    Returns
    -------
    pandas.DataFrame
        One row per pair and horizon: ``retailer_id``, ``sku_id``, ``horizon_weeks``, ``actual``, ``model``, ``seasonal_naive``
        (``recent_mean`` where it is null), ``recent_mean`` (mean of the last 13 weeks; 0 for a pair without history), ``p_order``,
        ``order_known`` (no floor hid if anything was wanted) and ``q{level}``; all units but ``p_order`` and ``order_known``.
    """
    keys = {name: pairs[name].to_pandas() for name in ("retailer_id", "sku_id")}
    recent = np.nan_to_num(column(pairs, "mean_13w"))
    weeks = []
    # a week in which the pair could not order says nothing of the same week a year after
    naive = {horizon: column(pairs, f"naive_{horizon}") for horizon in forecasts}
    for horizon, forecast in forecasts.items():
        quantiles = {f"q{level}": forecast.quantiles[:, position] for position, level in enumerate(levels)}
        floored = f"target_{horizon}_floored"
        weeks.append(
            pd.DataFrame(
                {
                    **keys,
                    "horizon_weeks": horizon,
                    "actual": column(pairs, f"target_{horizon}"),
                    "model": forecast.mean_units,
                    "seasonal_naive": np.where(np.isnan(naive[horizon]), recent, naive[horizon]),
                    "recent_mean": recent,
                    "p_order": forecast.p_order,
                    "order_known": column(pairs, floored) == 0 if floored in pairs.column_names else True,
                    **quantiles,
                }
            )
        )
    return pd.concat(weeks, ignore_index=True).dropna(subset="actual")


FORECASTS = ("model", "seasonal_naive", "recent_mean")
UPPER_LEVELS = (0.9, 0.95)


def compare_forecasts(weeks: pd.DataFrame, levels: Sequence[float]) -> dict[str, float]:
    """Measure the model and the baselines on the same weeks.

    Parameters
    ----------
    weeks
        As ``judged_weeks`` gives them.

    Returns
    -------
    dict
        ``{forecast}.{metric}``: weekly and eight-week WAPE per pair and per SKU, and bias, of each of ``FORECASTS``; pinball loss and
        coverage of the 80 % and 90 % intervals of the model; for a baseline the pinball loss is that of its point taken for every quantile.
    """
    actual = weeks.actual.to_numpy()
    pair, sku = [weeks.retailer_id, weeks.sku_id], [weeks.sku_id]
    figures: dict[str, float] = {}
    for name in FORECASTS:
        forecast = weeks[name].to_numpy()
        points = np.repeat(forecast[:, None], len(levels), axis=1)
        quantiles = weeks[[f"q{level}" for level in levels]].to_numpy() if name == "model" else points
        figures |= {
            f"{name}.pair_week_wape_loss": wape_loss(actual, forecast),
            f"{name}.pair_8w_wape_loss": grouped_wape_loss(actual, forecast, pair),
            f"{name}.sku_week_wape_loss": grouped_wape_loss(actual, forecast, [*sku, weeks.horizon_weeks]),
            f"{name}.sku_8w_wape_loss": grouped_wape_loss(actual, forecast, sku),
            f"{name}.bias": bias(actual, forecast),
            f"{name}.pinball_loss": pinball_loss(actual, quantiles, levels),
        }
    for low, high in ((0.10, 0.90), (0.05, 0.95)):
        inside = coverage(actual, weeks[f"q{low}"].to_numpy(), weeks[f"q{high}"].to_numpy())
        figures[f"model.coverage_{round(100 * (high - low))}"] = inside
    return figures


def compare_calibrated(actual: Floats, quantiles: Floats, levels: Sequence[float], total_ends: Floats) -> dict[str, float]:
    """Measure calibrated quantiles of weeks and of their totals.

    Parameters
    ----------
    actual
        What came by pair and horizon, units (n, 8); NaN is a closed week, which is left out.
    quantiles
        Of the same weeks (n, 8, levels).
    total_ends
        Ends of the 80 % interval of the eight weeks' total, units (n, 2); held against pairs without a closed week.

    Returns
    -------
    dict
        ``calibrated.pinball_loss``, ``calibrated.at_most_q90``, ``calibrated.at_most_q95`` (shares of weeks) and
        ``calibrated.total_coverage_80`` (share of totals; not there if no pair has all weeks).
    """
    known = ~np.isnan(actual)
    came, forecast = actual[known], quantiles[known]
    figures = {"calibrated.pinball_loss": pinball_loss(came, forecast, levels)}
    for level in UPPER_LEVELS:
        figures[f"calibrated.at_most_q{round(100 * level)}"] = float(np.mean(came <= forecast[:, list(levels).index(level)]))
    complete = known.all(axis=1)
    if complete.any():
        total = actual[complete].sum(axis=1)
        figures["calibrated.total_coverage_80"] = coverage(total, total_ends[complete, 0], total_ends[complete, 1])
    return figures


def order_calibration(weeks: pd.DataFrame, bins: int = 10) -> pd.DataFrame:
    """Compare the probability of any demand with how often there was any; the weeks are some of ``judged_weeks``.

    Returns
    -------
    pandas.DataFrame
        One row per bin of equally many weeks: ``predicted``, ``observed`` (shares) and ``weeks`` (count).
    """
    rank = pd.qcut(weeks.p_order.rank(method="first"), bins, labels=False)
    binned = weeks.assign(ordered=weeks.actual > 0).groupby(rank)
    return binned.agg(predicted=("p_order", "mean"), observed=("ordered", "mean"), weeks=("ordered", "size")).reset_index(drop=True)
