"""Where in the value pyramid does a retailer stand?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from contracts.customers import VALUE_CLASSES
from contracts.segment_definitions import CLASS_BUFFER, NEGATIVE_EXIT_SHARE, VALUE_BOUNDARIES
from models.buffered_classes import NO_CLASS, buffered_places
from models.ranks import share_above


def value_classes(lifetime_value: npt.ArrayLike, class_before: Sequence[str | None]) -> npt.NDArray[np.str_]:
    """Return the class of each retailer: key, major, ordinary, small, or negative.

    Key are the highest 5 % by lifetime value, major those to 20 %, ordinary to 50 %, small the rest, negative those below 0. A retailer
    that has a class changes it only when it lies beyond the boundary by a fifth, and is negative until its value exceeds 5 % of the median.

    Parameters
    ----------
    lifetime_value
        Money, shape (retailers,).
    class_before
        Class at the reclassification before, None for a retailer without.

    Examples
    --------
    >>> value_classes([900.0, 50.0, 40.0, -1.0], [None, None, None, None]).tolist()
    ['key', 'ordinary', 'small', 'negative']
    """
    value = np.asarray(lifetime_value, dtype=np.float64)
    before = np.array([VALUE_CLASSES.index(name) if name in VALUE_CLASSES else NO_CLASS for name in class_before], dtype=np.int64)
    lowest_positive, lowest = VALUE_CLASSES.index("small"), VALUE_CLASSES.index("negative")
    was_negative = before == lowest
    place = buffered_places(share_above(value), VALUE_BOUNDARIES, np.where(was_negative, lowest_positive, before), CLASS_BUFFER)
    enough = NEGATIVE_EXIT_SHARE * max(float(np.median(value)), 0.0) if len(value) else 0.0
    negative = (value < 0) | (was_negative & (value <= enough))
    return np.asarray(VALUE_CLASSES)[np.where(negative, lowest, place)]
