"""Which key accounts are on the list of early warnings: two thresholds, so that nobody enters and leaves it week by week."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def early_warnings(
    probabilities: Sequence[npt.ArrayLike], thresholds: Sequence[Sequence[float]], was_listed: npt.ArrayLike
) -> npt.NDArray[np.bool_]:
    """Return who is on the list: whom one probability puts there, and who was there and has not fallen below all lower thresholds.

    Parameters
    ----------
    probabilities
        One array of shape (n,) per warning, such as P(no order) and P(decline); NaN is unknown and warns of nothing.
    thresholds
        For each warning below which one it is over, and from which on it begins.
    was_listed
        Who was on the list before, shape (n,).

    Returns
    -------
    ndarray
        Shape (n,).

    Examples
    --------
    >>> early_warnings([[0.20, 0.10, 0.10, 0.05]], [(0.08, 0.15)], [False, False, True, True]).tolist()
    [True, False, True, False]
    """
    enters = np.zeros(np.shape(was_listed), dtype=bool)
    stays = np.zeros(np.shape(was_listed), dtype=bool)
    for probability, (leave, enter) in zip(probabilities, thresholds, strict=True):
        known = np.nan_to_num(np.asarray(probability, dtype=np.float64), nan=-1.0)
        enters |= known >= enter
        stays |= known >= leave
    listed: npt.NDArray[np.bool_] = enters | (stays & np.asarray(was_listed, dtype=bool))
    return listed
