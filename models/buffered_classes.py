"""In which class does a rank put a retailer that should not move to and fro at a boundary?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

NO_CLASS = -1
"""The place before of a retailer that had none."""


def buffered_places(rank_share: npt.ArrayLike, boundaries: Sequence[float], place_before: npt.ArrayLike, buffer: float) -> IntArray:
    """Return the place of each retailer among classes, 0 the top, with a buffer on both sides of each boundary.

    It rises into a class when its rank lies inside the class's boundary by the buffer, falls out of one when it lies beyond by the
    buffer, and stays where it was between the two. The buffer is a share of the boundary's distance from the nearer end of the ranking.

    Parameters
    ----------
    rank_share
        Share of all retailers that stand higher, 0 to 1, shape (retailers,).
    boundaries
        Share at which each class but the last ends, rising.
    place_before
        Where the retailer was, `NO_CLASS` for nowhere: then the boundaries hold as they are.
    buffer
        0 to 1.

    Examples
    --------
    >>> buffered_places([0.045, 0.045, 0.055, 0.055, 0.07], [0.05, 0.2], [0, 1, 0, 1, 0], 0.2).tolist()
    [0, 1, 0, 1, 1]
    >>> buffered_places([0.04, 0.06], [0.05, 0.2], [-1, -1], 0.2).tolist()
    [0, 1]
    """
    rank, before = np.asarray(rank_share, dtype=np.float64), np.asarray(place_before, dtype=np.int64)
    ends = np.asarray(boundaries, dtype=np.float64)
    width = buffer * np.minimum(ends, 1.0 - ends)
    plain = np.searchsorted(ends, rank, side="right")
    # 0.2 + 0.04 is a little more than 0.24
    best = np.searchsorted(np.round(ends + width, 12), rank, side="right")
    worst = np.searchsorted(np.round(ends - width, 12), rank, side="right")
    return np.asarray(np.where(before == NO_CLASS, plain, np.clip(before, best, worst)), dtype=np.int64)
