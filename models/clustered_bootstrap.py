"""How sure is a figure, or the difference of two, when a retailer's rows of many origins tell much the same?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.expected_profit import Campaign, ProfitSteps, break_even_acceptance
from models.weighted_scores import WEIGHTED_SCORES, RankedForecast

FloatArray = npt.NDArray[np.float64]

PROFIT = "expected_profit_score"
METRICS = (*WEIGHTED_SCORES, PROFIT)
"""What is measured of every forecast; losses are better when lower, scores when higher, the ratio when near 1."""

BLOCK_CELLS = 4_000_000
"""Weights held at once: 32 MB."""


@dataclass(frozen=True)
class Interval:
    """A figure on all rows, and the bounds between which it lies in most resamples."""

    estimate: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether both bounds are on the same side of 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class ResampledScores:
    """Every metric of every forecast, on all rows and on each resample; the resamples are the same for all.

    Attributes
    ----------
    estimates
        By (forecast, metric), on the rows as they are.
    resampled
        By (forecast, metric), shape (resamples,).
    level
        Share of the resamples within an interval.
    """

    estimates: Mapping[tuple[str, str], float]
    resampled: Mapping[tuple[str, str], FloatArray]
    level: float

    def interval(self, forecast: str, metric: str) -> Interval:
        """Return the percentile interval of a metric."""
        key = forecast, metric
        return self._interval(self.estimates[key], self.resampled[key])

    def difference(self, forecast: str, other: str, metric: str) -> Interval:
        """Return the percentile interval of the metric of one forecast less that of another on the same resamples."""
        one, two = (forecast, metric), (other, metric)
        return self._interval(self.estimates[one] - self.estimates[two], self.resampled[one] - self.resampled[two])

    def table(self) -> pd.DataFrame:
        """Return one row per forecast and metric: forecast, metric, estimate, low, high."""
        rows = [(*key, *vars(self.interval(*key)).values()) for key in self.estimates]
        return pd.DataFrame(rows, columns=["forecast", "metric", "estimate", "low", "high"])

    def _interval(self, estimate: float, resampled: FloatArray) -> Interval:
        defined = resampled[np.isfinite(resampled)]
        if not len(defined):
            return Interval(estimate, float("nan"), float("nan"))
        low, high = np.quantile(defined, [(1 - self.level) / 2, (1 + self.level) / 2])
        return Interval(estimate, float(low), float(high))


def resample_scores(
    outcomes: npt.ArrayLike,
    forecasts: Mapping[str, npt.ArrayLike],
    retailers: npt.ArrayLike,
    *,
    values: npt.ArrayLike = 1.0,
    campaign: Campaign | None = None,
    resamples: int = 300,
    level: float = 0.95,
    seed: int = 1,
) -> ResampledScores:
    """Measure forecasts on all rows and on resamples of whole retailers (cluster bootstrap: Cameron, Gelbach and Miller 2008).

    A resample draws as many retailers as there are, with replacement, each with all its rows. Sorting is done once: a retailer drawn
    twice is a weight of 2.

    Parameters
    ----------
    outcomes
        0 or 1, shape (n,), at least one row.
    forecasts
        Probabilities by name, shape (n,) each.
    retailers
        To which retailer a row belongs, shape (n,).
    values
        Money that a retailer would bring if it stayed, shape (n,); 1 for all gives EMPC in shares of a value.
    campaign
        For the expected profit, where retailers are ranked by `break_even_acceptance`; None for the terms of the literature.
    resamples, level, seed
        How many, what share of them an interval holds, and what is drawn.

    Examples
    --------
    >>> judged = resample_scores([1, 0, 1, 0], {"model": [0.9, 0.2, 0.8, 0.1]}, ["A", "B", "C", "D"], resamples=50)
    >>> judged.interval("model", "auc_score")
    Interval(estimate=1.0, low=1.0, high=1.0)
    """
    yes = np.asarray(outcomes, dtype=np.float64)
    cluster, names = pd.factorize(np.asarray(retailers), use_na_sentinel=False)
    terms = campaign or Campaign()
    measured: dict[tuple[str, str], list[FloatArray]] = {}
    ranked = {name: RankedForecast.of(yes, p) for name, p in forecasts.items()}
    profit = {name: ProfitSteps.along(yes, -break_even_acceptance(p, values, terms), values, terms) for name, p in forecasts.items()}
    for drawn in (np.ones((1, len(names))), *_draws(len(names), len(yes), resamples, seed)):
        weights = drawn[:, cluster]
        for name in forecasts:
            for metric, figures in (ranked[name].scores(weights) | {PROFIT: profit[name].profits(weights)}).items():
                measured.setdefault((name, metric), []).append(figures)
    return ResampledScores(
        estimates={key: float(parts[0][0]) for key, parts in measured.items()},
        resampled={key: np.concatenate(parts[1:]) for key, parts in measured.items()},
        level=level,
    )


def _draws(n_retailers: int, n_rows: int, resamples: int, seed: int) -> list[FloatArray]:
    """How often each retailer is drawn, in blocks of resamples whose weights fit in memory."""
    random = np.random.default_rng(seed)
    block = max(1, BLOCK_CELLS // n_rows)
    sizes = [min(block, resamples - start) for start in range(0, resamples, block)]
    even = np.full(n_retailers, 1 / n_retailers)
    return [random.multinomial(n_retailers, even, size=size).astype(np.float64) for size in sizes]
