"""What did contacting retailers achieve, against those that chance left alone?

Intention to treat: everybody counts as drawn, reached or not, so that nothing but the draw tells the two apart. The interval is Newcombe's
(1998, Interval Estimation for the Difference Between Independent Proportions, method 10: Wilson's interval of each share), with both
numbers of episodes divided by the design effect: the variance of the difference clustered by retailer ÷ the one without clusters
(Kish 1965). A retailer drawn several times is one cluster.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from models.share_intervals import LEVEL, wilson_interval


@dataclass(frozen=True)
class Uplift:
    """What is known of one work list.

    Attributes
    ----------
    contacted, reached, held_out
        Episodes drawn for contact, those of them with a visit or call logged, and those left alone.
    ordering_contacted, ordering_held_out
        Share that ordered within 13 weeks; NaN where there is nobody.
    difference, low, high
        Of the shares, with its 90 % interval; NaN where nobody was contacted or nobody left alone.
    """

    contacted: int
    reached: int
    held_out: int
    ordering_contacted: float
    ordering_held_out: float
    difference: float
    low: float
    high: float


def measure_uplift(outcomes: pd.DataFrame) -> Uplift:
    """Compare those drawn for contact with those left alone.

    Parameters
    ----------
    outcomes
        One row per episode whose 13 weeks are over: ``retailer_id``, ``assignment`` (contact or hold_out), ``ordered`` and ``reached``
        (booleans).

    Examples
    --------
    >>> outcomes = pd.DataFrame({"retailer_id": [f"R{n}" for n in range(200)], "assignment": ["contact"] * 100 + ["hold_out"] * 100,
    ...                          "ordered": [True] * 80 + [False] * 20 + [True] * 60 + [False] * 40, "reached": False})
    >>> measured = measure_uplift(outcomes)
    >>> round(measured.difference, 2), round(measured.low, 3), round(measured.high, 3)
    (0.2, 0.094, 0.3)
    """
    treated = (outcomes.assignment == "contact").to_numpy(dtype=bool)
    ordered = outcomes.ordered.to_numpy(dtype=np.float64)
    sizes = (int(treated.sum()), int((~treated).sum()))
    shares = [float(ordered[arm].mean()) if arm.any() else float("nan") for arm in (treated, ~treated)]
    low = high = float("nan")
    if min(sizes) > 0:
        effect = _design_effect(outcomes.retailer_id, ordered, treated, shares)
        low, high = _newcombe(shares, [size / effect for size in sizes])
    reached = int((treated & outcomes.reached.to_numpy(dtype=bool)).sum())
    return Uplift(sizes[0], reached, sizes[1], shares[0], shares[1], shares[0] - shares[1], low, high)


def shrunk_share(believed: float, spread: float, measured: Uplift, base: float) -> float:
    """Return the share a contact saves: the belief held before, moved towards what was measured as far as that is certain.

    The mean of a normal belief after a normal measurement: both weighted with the inverse of their variances.

    Parameters
    ----------
    believed, spread
        Mean and standard deviation of the belief.
    measured
        The uplift; NaN leaves the belief as it is.
    base
        Share of the retailers that a contact can save at all: of those left alone, the share that did not order.

    Returns
    -------
    float
        0 to 1.

    Examples
    --------
    >>> measured = Uplift(9000, 9000, 1000, 0.85, 0.80, 0.05, 0.029, 0.072)
    >>> round(shrunk_share(0.3, 0.1, measured, base=0.2), 3)
    0.265
    """
    if not np.isfinite(measured.low) or base <= 0:
        return believed
    error = (measured.high - measured.low) / (2.0 * float(ndtri(0.5 + LEVEL / 2))) / base
    weight = spread**2 / (spread**2 + error**2)
    return float(np.clip((1.0 - weight) * believed + weight * measured.difference / base, 0.0, 1.0))


def _design_effect(retailers: pd.Series, ordered: npt.NDArray[np.float64], treated: npt.NDArray[np.bool_], shares: list[float]) -> float:
    """Clustered ÷ independent variance of the difference, at least 1; 1 where all of an arm did the same."""
    part = np.where(treated, (ordered - shares[0]) / treated.sum(), -(ordered - shares[1]) / (~treated).sum())
    clusters = pd.Series(part).groupby(retailers.to_numpy()).sum().to_numpy()
    independent = float((part**2).sum())
    if independent == 0 or len(clusters) < 2:
        return 1.0
    clustered = float((clusters**2).sum())
    return max(clustered / independent, 1.0)


def _newcombe(shares: list[float], sizes: list[float]) -> tuple[float, float]:
    (low_1, high_1), (low_0, high_0) = (wilson_interval(share * size, size) for share, size in zip(shares, sizes, strict=True))
    share_1, share_0 = shares
    difference = share_1 - share_0
    return (
        difference - float(np.hypot(share_1 - low_1, high_0 - share_0)),
        difference + float(np.hypot(high_1 - share_1, share_0 - low_0)),
    )
