"""Is a recorded request what was wanted? Where requests agree in total with what recovery finds without them, they are taken for demand.

A shop that knows it is rationed may ask for more than it wants, or no more than its cap, and some order systems let nobody ask for more.
So requests are held against what is found without them at the same orders, those that asked for just what they got among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from models.recovery_level import ratio_over_skus
from models.stacking import Floats, Integers

MOST_APART = 0.3
"""So far from what is found may requests be, their standard error included: twice the error of recovery's level (docs/recovery.md)."""

LAW_FINDS = 0.74
"""Share of the excess over caps that the pair's law alone finds: .61 to .86 in five cases of real orders (docs/recovery.md)."""


@dataclass(frozen=True)
class RecordedRequests:
    """What was asked for beyond what was delivered over what is found there without it (``ratio``), with its standard error over SKUs."""

    ratio: float
    error: float
    orders: int

    @property
    def genuine(self) -> bool:
        """Whether requests are taken for demand.

        >>> [RecordedRequests(ratio, error, 100).genuine for ratio, error in [(1.1, 0.1), (2.0, 0.1), (0.4, 0.1), (1.0, 0.5)]]
        [True, False, False, False]
        """
        return abs(self.ratio - 1.0) + self.error <= MOST_APART


def held_against_requests(asked: Floats, found: Floats, sku: Integers) -> RecordedRequests | None:
    """Hold requests against what is found without them.

    Parameters
    ----------
    asked, found
        Units beyond what was delivered of each order (n,).
    sku
        Its SKU (n,).

    Returns
    -------
    RecordedRequests or None
        None where too few SKUs tell the error.
    """
    level = ratio_over_skus(asked, found, sku)
    return None if level.error == inf else RecordedRequests(level.ratio, level.error, asked.size)
