"""How satisfied, loyal and important is a retailer, and who depends on whom: four degrees from 0 to 100?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.segment_definitions import (
    FULL_TENURE_WEEKS,
    HALVING_COMPLAINTS,
    HALVING_RESOLVE_DAYS,
    HALVING_RETURNS,
    LOYALTY_WEIGHTS,
    ORDINARY_SEVERITY,
    SATISFACTION_WEIGHTS,
)
from models.ranks import share_at_most

FloatArray = npt.NDArray[np.float64]


def satisfaction(history: pd.DataFrame) -> FloatArray:
    """Return the degree of satisfaction: complaints, time to resolve, fill rate and returns, each from 0 to 1, weighted.

    Each of the parts ``1 ÷ (1 + complaints ÷ 2)`` (weighted by severity), ``1 ÷ (1 + days to resolve ÷ 14)`` and ``1 ÷ (1 + returns ÷ 2)``
    is 1 without any and halves at its figure; the fill rate is delivered ÷ true demand of 26 weeks. What is not known is left out and the
    other weights are raised: time to resolve of those that never complained, contacts where none of anybody are recorded, the fill rate
    where no limit hid demand of anybody: of a stock-out nothing is known, so that with stock-outs alone it would be 100 % for everybody.

    Parameters
    ----------
    history
        As ``features.segment_history`` gives it.

    Returns
    -------
    ndarray
        0 to 100; NaN where nothing is known, shape (retailers,).
    """
    recorded = bool(history.complaints_52w.notna().any())
    limited = bool((history.limited_52w > 0).any())
    unknown = np.full(len(history), np.nan)
    parts = (
        1.0 / (1.0 + weighted_complaints(history) / HALVING_COMPLAINTS) if recorded else unknown,
        1.0 / (1.0 + _numbers(history, "days_to_resolve_52w") / HALVING_RESOLVE_DAYS),
        fill_rate(history) if limited else unknown,
        1.0 / (1.0 + np.nan_to_num(_numbers(history, "returns_52w")) / HALVING_RETURNS) if recorded else unknown,
    )
    return _weighted(parts, SATISFACTION_WEIGHTS)


def weighted_complaints(history: pd.DataFrame) -> FloatArray:
    """Return the complaints of 52 weeks, one of severity 100 counting twice one of 50; those without a severity count once."""
    complaints, rated, severity = (
        np.nan_to_num(_numbers(history, name)) for name in ("complaints_52w", "rated_complaints_52w", "severity_52w")
    )
    return np.asarray(complaints - rated + severity / ORDINARY_SEVERITY, dtype=np.float64)


def fill_rate(history: pd.DataFrame) -> FloatArray:
    """Return delivered ÷ true demand of 26 weeks, both at the same prices, at most 1; NaN where nothing was wanted."""
    delivered, wanted = _numbers(history, "delivered_value_26w"), _numbers(history, "true_value_26w")
    filled = np.divide(delivered, wanted, out=np.full(len(wanted), np.nan), where=wanted > 0)
    return np.asarray(np.clip(filled, 0.0, 1.0), dtype=np.float64)


def loyalty(history: pd.DataFrame) -> FloatArray:
    """Return the degree of loyalty: regularity, tenure and breadth kept, each from 0 to 1, weighted.

    Regularity is ``1 ÷ (1 + spread ÷ mean of the weeks between orders)``, times the longest gap of 52 weeks over the present silence where
    this is longer. Tenure is full at two years. Breadth kept is the share of the SKUs still on sale that were bought 27 to 52 weeks ago
    and were bought since. What is not known (a retailer with fewer than two orders has no rhythm, one younger than half a year nothing to
    keep) is left out and the other weights are raised.

    Returns
    -------
    ndarray
        0 to 100, shape (retailers,).
    """
    mean, spread, longest = (_numbers(history, name) for name in ("mean_gap_weeks", "gap_spread_weeks", "longest_gap_weeks"))
    silence = _numbers(history, "recency_weeks") + 1.0
    had = _numbers(history, "skus_before")
    parts = (
        1.0 / (1.0 + spread / mean) * np.minimum(1.0, longest / silence),
        np.minimum((_numbers(history, "tenure_weeks") + 1.0) / FULL_TENURE_WEEKS, 1.0),
        np.divide(_numbers(history, "skus_kept"), had, out=np.full(len(had), np.nan), where=had > 0),
    )
    return _weighted(parts, LOYALTY_WEIGHTS)


def contribution(margin: npt.ArrayLike) -> FloatArray:
    """Return the degree of contribution: the percentage of retailers that bring at most its margin; 0 for those that bring none.

    >>> contribution([5.0, 20.0, -1.0, 10.0]).tolist()
    [50.0, 100.0, 0.0, 75.0]
    """
    money = np.asarray(margin, dtype=np.float64)
    return np.asarray(np.where(money > 0, 100.0 * share_at_most(money), 0.0), dtype=np.float64)


def our_dependence(margin_share: npt.ArrayLike) -> FloatArray:
    """Return how much the wholesaler depends on each retailer: ``100 · x ÷ (1 + x)``, x its share of the margin over an even share.

    >>> our_dependence([0.5, 0.25, 0.25, 0.0]).round(1).tolist()
    [66.7, 50.0, 50.0, 0.0]
    """
    share = np.maximum(np.asarray(margin_share, dtype=np.float64), 0.0)
    multiple = share * len(share)
    return np.asarray(100.0 * multiple / (1.0 + multiple), dtype=np.float64)


def _weighted(parts: Sequence[FloatArray], weights: Sequence[float]) -> FloatArray:
    """Weighted mean of the parts that are known, times 100; NaN where none is."""
    stacked = np.column_stack(parts)
    known = np.isfinite(stacked) * np.asarray(weights)
    total = known.sum(axis=1)
    summed = (np.nan_to_num(stacked) * known).sum(axis=1)
    return np.asarray(100.0 * np.divide(summed, total, out=np.full(len(total), np.nan), where=total > 0), dtype=np.float64)


def _numbers(history: pd.DataFrame, name: str) -> FloatArray:
    return history[name].to_numpy(dtype=np.float64, na_value=np.nan)
