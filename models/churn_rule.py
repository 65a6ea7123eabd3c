"""How likely is a retailer to stop, where there is too little history for a model?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import isotonic_regression

from contracts.errors import UncapError
from models.churn_interval import Curves, nested, rate_bounds

FloatArray = npt.NDArray[np.float64]

EDGES = (0.0, 1.0, 2.0, 4.0)
"""Upper bounds, inclusive, of the buckets of recency ÷ own mean gap; above the last is one more."""

PRIOR_ROWS = 50.0
"""A bucket's rate is pulled towards the overall rate as if so many rows had that one."""


@dataclass(frozen=True)
class ChurnRule:
    """The share of retailers without an order, by how long they had been silent for their own rhythm.

    Attributes
    ----------
    horizons
        Weeks, rising.
    rates
        One row per bucket of EDGES, the one above them, and the unknown rhythm; one column per horizon.
        Rises with the silence, never rises with the horizon.
    overall
        The rate of everybody, per horizon.
    retailers
        How many retailers each rate rests on, shape of ``rates``; None in rules of an earlier version.
    """

    horizons: tuple[int, ...]
    rates: tuple[tuple[float, ...], ...]
    overall: tuple[float, ...]
    retailers: tuple[tuple[int, ...], ...] | None = None

    def predict(self, recency_gap_ratio: npt.ArrayLike) -> FloatArray:
        """Return the probability of no order, shape (retailers, horizons).

        Parameters
        ----------
        recency_gap_ratio
            Weeks since the last order ÷ own mean gap; NaN where the rhythm is not known, shape (retailers,).
        """
        return np.asarray(self.rates, dtype=np.float64)[_bucket(recency_gap_ratio)]

    def curves(self, recency_gap_ratio: npt.ArrayLike) -> Curves:
        """Return the same with bounds; NaN for a rule of an earlier version."""
        rates = np.asarray(self.rates, dtype=np.float64)
        unknown = np.full(rates.shape, np.nan)
        low, high = (unknown, unknown) if self.retailers is None else nested(*rate_bounds(rates, self.retailers))
        bucket = _bucket(recency_gap_ratio)
        return Curves(rates[bucket], low[bucket], high[bucket])

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return what ``dataclasses.asdict`` and JSON made of a rule."""
        rates, retailers = tuple(map(tuple, stored["rates"])), stored.get("retailers")
        counts = None if retailers is None else tuple(map(tuple, retailers))
        return cls(tuple(stored["horizons"]), rates, tuple(stored["overall"]), counts)


def fit_rule(rows: pd.DataFrame, horizons: Sequence[int]) -> ChurnRule:
    """Return the rule that labelled retailers of past origins give.

    A horizon that no row has takes the rate of the one before: silence over a longer window is no likelier.

    Parameters
    ----------
    rows
        One row per retailer, origin and horizon: retailer_id, horizon_weeks, no_order, recency_gap_ratio.
    horizons
        Weeks, rising.

    Raises
    ------
    UncapError
        Without any row.
    """
    if rows.empty:
        raise UncapError(
            "churn: no retailer with a known outcome, 0 rows; expected at least one origin whose window is over",
            hint=f"load more history: at least {horizons[0]} weeks must follow the first origin",
        )
    bucket = _bucket(rows["recency_gap_ratio"])
    no_order = rows["no_order"].to_numpy(dtype=np.float64)
    horizon = rows["horizon_weeks"].to_numpy()
    table = np.full((len(EDGES) + 2, len(horizons)), np.nan)
    overall = np.full(len(horizons), np.nan)
    for column, weeks in enumerate(horizons):
        chosen = horizon == weeks
        if chosen.any():
            overall[column] = no_order[chosen].mean()
            table[:, column] = _shrunk_rates(bucket[chosen], no_order[chosen], overall[column])
    table, overall = _never_rising(table), _never_rising(overall[None, :])[0]
    rates = tuple(tuple(map(float, row)) for row in table)
    return ChurnRule(tuple(horizons), rates, tuple(map(float, overall)), _retailers_behind(rows, bucket, horizons))


def _retailers_behind(rows: pd.DataFrame, bucket: npt.NDArray[np.intp], horizons: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """How many retailers were in each bucket, per horizon."""
    counted = rows["retailer_id"].groupby([bucket, rows["horizon_weeks"].to_numpy()]).nunique()
    return tuple(tuple(int(counted.get((place, weeks), 0)) for weeks in horizons) for place in range(len(EDGES) + 2))


def _bucket(recency_gap_ratio: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Index into the rows of the rates."""
    ratio = np.asarray(recency_gap_ratio, dtype=np.float64)
    return np.where(np.isnan(ratio), len(EDGES) + 1, np.searchsorted(EDGES, ratio))


def _shrunk_rates(bucket: npt.NDArray[np.intp], no_order: FloatArray, overall: float) -> FloatArray:
    """Rates per bucket, shrunk to the overall one and rising with the silence."""
    n_rows = np.bincount(bucket, minlength=len(EDGES) + 2)
    silent = np.bincount(bucket, weights=no_order, minlength=len(EDGES) + 2)
    rates = (silent + PRIOR_ROWS * overall) / (n_rows + PRIOR_ROWS)
    # A bucket without rows takes the rate of its neighbours instead of pulling theirs towards the overall one.
    rates[:-1] = isotonic_regression(rates[:-1], weights=np.maximum(n_rows[:-1], 1e-6)).x
    return np.asarray(rates, dtype=np.float64)


def _never_rising(rates: FloatArray) -> FloatArray:
    """Rates of the horizons without gaps, none above that of a shorter one."""
    filled = pd.DataFrame(rates).ffill(axis=1).bfill(axis=1).to_numpy(dtype=np.float64)
    return np.asarray(np.minimum.accumulate(filled, axis=1), dtype=np.float64)
