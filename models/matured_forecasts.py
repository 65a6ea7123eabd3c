"""How good was a published forecast, now that its week is over, where caps hid part of the demand?

A cap hides what was wanted above it, so a forecast of true demand D is held against what can be seen of it: min(D, cap). Its expectation is
E[min(D, cap)], and since the minimum never falls as D rises, the quantiles of min(D, cap) are min(q, cap). Nothing is recovered first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.estimates import Estimate
from models.metrics import forecast_value_added_score, pinball_loss

Floats = npt.NDArray[np.float64]


def seen_weeks(weeks: pd.DataFrame, expected_under_cap: Floats, quantiles: Sequence[str]) -> pd.DataFrame:
    """Turn forecasts of true demand into forecasts of what could be seen.

    Parameters
    ----------
    weeks
        One row per pair: ``delivered_units``, ``cap_units`` (NaN is none), ``mean_units``, ``naive``, ``recent`` and ``quantiles``, units.
    expected_under_cap
        E[min(D, cap)] where there is a cap, units (n,); NaN elsewhere.
    quantiles
        Names of the columns of quantiles.

    Returns
    -------
    pandas.DataFrame
        The same with ``actual``, ``expected``, ``naive``, ``recent`` and the quantiles of min(D, cap), and ``binding_{q}``: whether the
        quantile reaches the cap, so that no order can exceed it.
    """
    caps = weeks.cap_units.fillna(np.inf).to_numpy(dtype=np.float64)
    columns: dict[str, npt.NDArray[Any]] = {
        "actual": np.minimum(weeks.delivered_units.to_numpy(dtype=np.float64), caps),
        "expected": np.where(np.isfinite(caps), expected_under_cap, weeks.mean_units.to_numpy(dtype=np.float64)),
    }
    for name in ("naive", "recent", *quantiles):
        columns[name] = np.minimum(weeks[name].to_numpy(dtype=np.float64), caps)
    columns |= {f"binding_{name}": weeks[name].to_numpy(dtype=np.float64) >= caps for name in quantiles}
    return weeks.assign(**{name: pd.Series(values, index=weeks.index) for name, values in columns.items()})


def bias_estimate(weeks: pd.DataFrame) -> Estimate | None:
    """Relative bias Σ expected / Σ actual − 1, with the standard error of a ratio of sums over retailers.

    With e_r and a_r the sums of a retailer and R = Σ e / Σ a, the error is √(Σ (e_r − R a_r)²) / Σ a (Cochran 1977, section 6.4, without
    the correction for a finite population).

    Parameters
    ----------
    weeks
        As ``seen_weeks`` gives them.

    Returns
    -------
    Estimate
        None where nothing was ordered.

    Examples
    --------
    >>> rows = pd.DataFrame({"retailer_id": ["R1", "R2"], "expected": [3.0, 3.0], "actual": [2.0, 4.0]})
    >>> bias_estimate(rows).value, round(bias_estimate(rows).error, 3)
    (0.0, 0.236)
    """
    ratio = _ratio_of_sums(weeks, "expected", "actual")
    return None if ratio is None else Estimate(ratio.value - 1.0, ratio.error, ratio.n)


def _ratio_of_sums(weeks: pd.DataFrame, above: str, below: str) -> Estimate | None:
    sums = weeks.groupby("retailer_id", sort=False, observed=True)[[above, below]].sum()
    total = float(sums[below].sum())
    if total <= 0:
        return None
    ratio = float(sums[above].sum()) / total
    residuals = sums[above].to_numpy() - ratio * sums[below].to_numpy()
    return Estimate(ratio, float(np.sqrt(np.sum(residuals**2))) / total, len(weeks))


def relative_bias(part: pd.DataFrame, rest: pd.DataFrame) -> Estimate | None:
    """Bias of a part against that of the rest, (1 + bias of the part) / (1 + bias of the rest) − 1: what the part alone has.

    A week in which everybody orders more leaves it as it is. Both have an error: relative errors add as squares.
    """
    own, others = _ratio_of_sums(part, "expected", "actual"), _ratio_of_sums(rest, "expected", "actual")
    if own is None or others is None or min(own.value, others.value) <= 0:
        return None
    ratio = own.value / others.value
    return Estimate(ratio - 1.0, ratio * float(np.hypot(own.error / own.value, others.error / others.value)), own.n)


def grouped_wape(weeks: pd.DataFrame, forecast: str, groups: Sequence[str]) -> float | None:
    """WAPE of a column after it and ``actual`` were summed by group; None where nothing was ordered."""
    sums = weeks.groupby(list(groups), sort=False, observed=True)[[forecast, "actual"]].sum()
    total = float(sums.actual.sum())
    return float((sums[forecast] - sums.actual).abs().sum()) / total if total > 0 else None


def value_added(weeks: pd.DataFrame, baseline: str, groups: Sequence[str]) -> Estimate | None:
    """Forecast value added over a simple forecast: the share of its WAPE by group that the forecast saves (Gilliland 2010).

    The error is that of the difference of the groups' absolute errors, over the sum of the baseline's.
    """
    sums = weeks.groupby(list(groups), sort=False, observed=True)[["expected", baseline, "actual"]].sum()
    own, simple = (sums.expected - sums.actual).abs().to_numpy(), (sums[baseline] - sums.actual).abs().to_numpy()
    if simple.sum() <= 0:
        return None
    ratio = own.sum() / simple.sum()
    error = float(np.sqrt(np.sum((own - ratio * simple) ** 2))) / float(simple.sum())
    return Estimate(forecast_value_added_score(float(own.sum()), float(simple.sum())), error, len(weeks), 0.0)


def pinball_estimate(weeks: pd.DataFrame, quantiles: dict[str, float]) -> float | None:
    """Mean pinball loss of the quantiles of what could be seen, as a share of the mean order; None where nothing was ordered."""
    actual = weeks.actual.to_numpy(dtype=np.float64)
    if actual.sum() <= 0:
        return None
    return pinball_loss(actual, weeks[list(quantiles)].to_numpy(dtype=np.float64), list(quantiles.values()))


def at_most_estimate(weeks: pd.DataFrame, quantile: str, level: float) -> Estimate:
    """Share of weeks in which no more came than a quantile, and the share that is right.

    Right is the level; 1 where the quantile reaches the cap, which no order can exceed; and 1 − P(any demand), if that is more, where the
    quantile is 0.

    Parameters
    ----------
    weeks
        As ``seen_weeks`` gives them.
    quantile, level
        Column, and its level between 0 and 1.
    """
    inside, right = _at_most(weeks, quantile, level)
    return _share(weeks, inside, right)


def _at_most(weeks: pd.DataFrame, quantile: str, level: float) -> tuple[Floats, Floats]:
    reached = (weeks.actual <= weeks[quantile]).to_numpy(dtype=np.float64)
    nothing = np.where(weeks[quantile] > 0, 0.0, 1.0 - weeks.p_order.to_numpy(dtype=np.float64))
    right = np.where(weeks[f"binding_{quantile}"], 1.0, np.maximum(level, nothing))
    return np.asarray(reached), np.asarray(right)


def coverage_estimate(weeks: pd.DataFrame, low: tuple[str, float], high: tuple[str, float]) -> Estimate:
    """Share of weeks within two quantiles, and the share that is right, which is more than ``high − low`` where the lower one is 0.

    A week at the lower quantile is within; so the right share below it is that of strictly less, 0 where it is 0.
    """
    below = (weeks.actual < weeks[low[0]]).to_numpy(dtype=np.float64)
    right_below = np.where(weeks[low[0]] > 0, low[1], 0.0)
    reached, right = _at_most(weeks, *high)
    return _share(weeks, reached - below, right - right_below)


def _share(weeks: pd.DataFrame, inside: Floats, right: Floats) -> Estimate:
    gaps = pd.Series(inside - right, index=weeks.index)
    off = gaps - gaps.mean()
    by_retailer = off.groupby(weeks.retailer_id, sort=False, observed=True).sum()
    n = len(weeks)
    return Estimate(float(inside.mean()), float(np.sqrt((by_retailer**2).sum())) / n, n, float(right.mean()))
