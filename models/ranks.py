"""Where does each retailer stand among all, ties standing together?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]


def share_at_most(values: npt.ArrayLike) -> FloatArray:
    """Return the share of all whose value is at most each one's own: above 0, 1 for the highest, equal for equals.

    >>> share_at_most([10.0, 30.0, 30.0, 20.0]).tolist()
    [0.25, 1.0, 1.0, 0.5]
    """
    return np.asarray(pd.Series(np.asarray(values, dtype=np.float64)).rank(method="max", pct=True), dtype=np.float64)


def share_above(values: npt.ArrayLike) -> FloatArray:
    """Return the share of all whose value is above each one's own: 0 for the highest, equal for equals.

    >>> share_above([10.0, 30.0, 30.0, 20.0]).tolist()
    [0.75, 0.0, 0.0, 0.5]
    """
    ranks = pd.Series(np.asarray(values, dtype=np.float64)).rank(method="min", ascending=False)
    return np.asarray((ranks - 1.0) / max(len(ranks), 1), dtype=np.float64)


def quintiles(values: npt.ArrayLike, steps: int) -> npt.NDArray[np.int64]:
    """Return in which of so many parts of equal size each value lies, 1 for the lowest; equals lie together, in the highest of theirs.

    >>> quintiles([1, 2, 3, 4, 5, 5], 5).tolist()
    [1, 2, 3, 4, 5, 5]
    """
    # a share that is a whole number of parts must not fall into the next one by its last bit
    return np.ceil(steps * share_at_most(values) - 1e-9).astype(np.int64)
