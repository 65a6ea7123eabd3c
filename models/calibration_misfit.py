"""How far are calibrated log-odds off, beyond what chance explains, because one map cannot fit every horizon and every level of risk?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

FloatArray = npt.NDArray[np.float64]

BINS = 4
LEAST_EXPECTED = 1.0
"""Expected yeses below which a bin tells nothing."""


def misfit_variance(odds: npt.ArrayLike, outcomes: npt.ArrayLike, retailers: npt.ArrayLike, bins: int = BINS) -> float:
    """Return the variance of the log-odds' errors between levels of risk.

    In each bin of equally many expected yeses E the log-odds are off by about δ = (O − E) / V, with V = Σ p (1 − p). Its own variance v is
    that of sums over retailers. The variance beyond it is Σ (δ² − v) / v ÷ Σ 1 / v, at least 0 (moments: DerSimonian and Laird 1986).

    Parameters
    ----------
    odds
        Calibrated log-odds of one horizon, shape (n,).
    outcomes
        0 or 1, shape (n,).
    retailers
        To which retailer a row belongs, shape (n,).
    bins
        How many levels.

    Returns
    -------
    float
        0 where chance explains all, or where too little is expected to tell.

    Examples
    --------
    >>> odds, retailers = np.zeros(400), np.arange(400)
    >>> misfit_variance(odds, np.arange(400) % 2, retailers)
    0.0
    >>> round(misfit_variance(odds, np.arange(400) % 4 > 0, retailers), 1)
    1.0
    """
    p, yes = expit(np.asarray(odds, dtype=np.float64)), np.asarray(outcomes, dtype=np.float64)
    order = np.argsort(-p, kind="stable")
    expected = np.cumsum(p[order])
    if not len(p) or expected[-1] < LEAST_EXPECTED:
        return 0.0
    place = np.minimum((bins * expected / expected[-1]).astype(int), bins - 1)
    cluster, off, noise = np.asarray(retailers)[order], [], []
    for level in range(bins):
        rows = place == level
        gap, curvature = (yes - p)[order][rows], float((p * (1 - p))[order][rows].sum())
        if p[order][rows].sum() >= LEAST_EXPECTED:
            off.append(gap.sum() / curvature)
            noise.append(max(float((pd.Series(gap).groupby(cluster[rows]).sum() ** 2).sum()), curvature) / curvature**2)
    if not off:
        return 0.0
    weight = 1 / np.asarray(noise)
    return max(0.0, float(np.sum(weight * (np.square(off) - noise)) / weight.sum()))
