"""What does a probability of churn mean for the wholesaler: a band to sort by, and money?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from contracts.errors import ConfigurationError
from contracts.scored import RISK_BANDS

RISK_THRESHOLDS = (0.05, 0.15, 0.40)
RISK_WEEKS = 26


def risk_bands(p_churn_13w: npt.ArrayLike, thresholds: Sequence[float] = RISK_THRESHOLDS) -> npt.NDArray[np.str_]:
    """Return the band of each retailer: low < watch < high < critical.

    Parameters
    ----------
    p_churn_13w
        Probability of no order in the next 13 weeks, shape (n,).
    thresholds
        Where watch, high and critical begin, rising.

    Raises
    ------
    ConfigurationError
        If the thresholds do not rise, or are not three.

    Examples
    --------
    >>> risk_bands([0.01, 0.05, 0.2, 0.9]).tolist()
    ['low', 'watch', 'high', 'critical']
    """
    if len(thresholds) != len(RISK_BANDS) - 1 or any(a >= b for a, b in pairwise(thresholds)):
        raise ConfigurationError(
            f"churn.risk_thresholds: {list(thresholds)} do not rise; expected where watch, high and critical begin",
            hint=f"for example {list(RISK_THRESHOLDS)}",
        )
    return np.asarray(RISK_BANDS)[np.searchsorted(thresholds, np.asarray(p_churn_13w, dtype=np.float64), side="right")]


def margin_at_risk(p_churn: npt.ArrayLike, weekly_margin: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the money expected to be lost over 26 weeks: P(no order in 26 weeks) · 26 · margin per week.

    A retailer that has stopped places no order in all of the 26 weeks, so the probability of the longest window counts;
    those of the shorter ones also hold shops that only order seldom.

    Parameters
    ----------
    p_churn
        Probabilities of no order, shape (n, 4), the last column for 26 weeks.
    weekly_margin
        Money per week that the retailer brings, shape (n,); NaN where no price is known.

    Returns
    -------
    ndarray
        Money, shape (n,); NaN where the margin is not known; 0 where a retailer brings none.

    Examples
    --------
    >>> margin_at_risk([[0.4, 0.3, 0.2, 0.1]], [50.0])
    array([130.])
    """
    stopped = np.asarray(p_churn, dtype=np.float64)[:, -1]
    return stopped * RISK_WEEKS * np.maximum(np.asarray(weekly_margin, dtype=np.float64), 0.0)
