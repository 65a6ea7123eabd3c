"""How many retailers lie just above a threshold and just below, and how many would by chance?

A density that is smooth has, close to a point, about as many on either side (McCrary 2008, Manipulation of the Running Variable). Who is
pushed over a threshold is missing below it and too many above.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from contracts.customers import ABC_CLASSES, VALUE_CLASSES
from contracts.segment_definitions import CLASS_BUFFER, VALUE_BOUNDARIES

NEAR = 0.05
"""Just above and just below: within so much of the threshold, as a logarithm (about 5 %)."""

WIDE = 0.25
"""From NEAR to here on both sides the slope of the density is read off."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Threshold:
    """A value at which a class changes.

    Attributes
    ----------
    name
        Such as ``rise to key``.
    measure
        Column that decides: ``lifetime_value`` or ``margin_52w``.
    value
        Money, above 0.
    """

    name: str
    measure: str
    value: float


def value_thresholds(lifetime_value: npt.ArrayLike) -> list[Threshold]:
    """Return where a retailer rises into each class of the value pyramid, and where it falls out of it.

    The classes are shares of the ranking, with a buffer on both sides of their boundaries; so the thresholds are quantiles.

    >>> [(threshold.name, round(threshold.value)) for threshold in value_thresholds(np.arange(1, 101))[:2]]
    [('rise to key', 96), ('fall from key', 94)]
    """
    values = np.asarray(lifetime_value, dtype=np.float64)
    thresholds = []
    for name, boundary in zip(VALUE_CLASSES, VALUE_BOUNDARIES, strict=False):
        buffer = CLASS_BUFFER * min(boundary, 1.0 - boundary)
        for words, share in ((f"rise to {name}", boundary - buffer), (f"fall from {name}", boundary + buffer)):
            value = float(np.quantile(values, 1.0 - share)) if len(values) else 0.0
            if value > 0:
                thresholds.append(Threshold(words, "lifetime_value", value))
    return thresholds


def abc_thresholds(margin_52w: npt.ArrayLike, abc_class: npt.ArrayLike) -> list[Threshold]:
    """Return the margins at which A and B end: between the smallest of the class and the largest of the next.

    >>> [round(threshold.value, 1) for threshold in abc_thresholds([90.0, 40.0, 10.0], ["A", "B", "C"])]
    [60.0, 20.0]
    """
    margins, classes = np.asarray(margin_52w, dtype=np.float64), np.asarray(abc_class, dtype=object)
    thresholds = []
    for name, following in pairwise(ABC_CLASSES):
        upper, lower = margins[classes == name], margins[classes == following]
        if len(upper) and len(lower) and min(upper.min(), lower.max()) > 0:
            thresholds.append(Threshold(f"ABC class {name}", "margin_52w", float(np.sqrt(upper.min() * lower.max()))))
    return thresholds


def near_threshold(values: npt.ArrayLike, threshold: float) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which values lie just above a threshold and which just below, two arrays of their shape; values of 0 or less are far."""
    distance = _distance(values, threshold)
    return (distance >= 0) & (distance <= NEAR), (distance < 0) & (distance >= -NEAR)


def chance_above(values: npt.ArrayLike, threshold: float) -> float:
    """Return the probability that a value near a threshold lies above it, were the density log-linear around it.

    With n₊ and n₋ values from NEAR to WIDE above and below, whose middles are NEAR + WIDE apart, the density falls by the factor n₊/n₋ over
    that distance, and by its (NEAR ÷ (NEAR + WIDE))-th power over the distance of the middles of the near sides.

    >>> chance_above([90.0, 110.0], 100.0)
    0.5
    """
    distance = _distance(values, threshold)
    above = float(((distance > NEAR) & (distance <= WIDE)).sum())
    below = float(((distance < -NEAR) & (distance >= -WIDE)).sum())
    odds = float(((above + 0.5) / (below + 0.5)) ** (NEAR / (NEAR + WIDE)))
    return odds / (1.0 + odds)


def _distance(values: npt.ArrayLike, threshold: float) -> Floats:
    money = np.asarray(values, dtype=np.float64)
    distance: Floats = np.where(money > 0, np.log(np.maximum(money, 1e-300) / threshold), -np.inf)
    return distance
