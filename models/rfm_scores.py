"""How recently, how often and for how much does a retailer order, against all others?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.segment_definitions import SCORE_STEPS
from models.ranks import quintiles

FloatArray = npt.NDArray[np.float64]


def own_gap_weeks(history: pd.DataFrame) -> FloatArray:
    """Return each retailer's mean weeks between orders; who has ordered once is given the median of the others, at least 1.

    Parameters
    ----------
    history
        Has ``mean_gap_weeks``, NaN where there is no gap.
    """
    gaps = history.mean_gap_weeks.astype("float64")
    typical = gaps.median()
    return np.asarray(gaps.fillna(typical if np.isfinite(typical) else 1.0).clip(lower=1.0), dtype=np.float64)


def silence_gaps(history: pd.DataFrame) -> FloatArray:
    """Return the weeks since the last order in units of the retailer's own mean gap: 1 is when the next order is due.

    >>> silence_gaps(pd.DataFrame({"recency_weeks": [0.0, 3.0], "mean_gap_weeks": [1.0, 2.0]})).tolist()
    [1.0, 2.0]
    """
    return np.asarray((history.recency_weeks.to_numpy(dtype=np.float64) + 1.0) / own_gap_weeks(history), dtype=np.float64)


def rfm_scores(history: pd.DataFrame, margin: npt.ArrayLike) -> pd.DataFrame:
    """Return quintiles of recency, frequency and margin, 5 the best.

    A retailer within its own rhythm is as recent as can be: silence of at most one own gap counts as one.

    Parameters
    ----------
    history
        One row per retailer: ``recency_weeks``, ``mean_gap_weeks``, ``order_weeks_52w``.
    margin
        Money of 52 weeks, shape (retailers,).

    Returns
    -------
    pandas.DataFrame
        ``recency_score``, ``frequency_score`` and ``monetary_score``, 1 to 5, in the order and with the index of ``history``. Equals have
        the same score, so that the fifths are not of equal size where many are equal.
    """
    silence = np.maximum(silence_gaps(history), 1.0)
    return pd.DataFrame(
        {
            "recency_score": quintiles(-silence, SCORE_STEPS),
            "frequency_score": quintiles(history.order_weeks_52w, SCORE_STEPS),
            "monetary_score": quintiles(margin, SCORE_STEPS),
        },
        index=history.index,
    )
