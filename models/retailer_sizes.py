"""How much a retailer's orders vary: sizes relative to what it typically orders of the SKU, over its other SKUs and in the week itself.

A shop that orders ten times its usual of one SKU now and then does so of others. That tail is what caps hide, and free SKUs show it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.orders import Orders
from models.stacking import Floats, Integers

MOST_TIMES_TYPICAL = 50.0
STATISTICS = ("orders", "mean", "square", "over_2", "over_5", "over_10", "log")


@dataclass(frozen=True)
class RetailerSizes:
    """Sums of relative sizes, kept so that a SKU's own can be taken out.

    Attributes
    ----------
    relative
        Per order its size over the typical one of its pair, powers and exceedances of it, 0 where it was cut (n, 7).
    retailer, sku, week, category
        Codes of each order (n,).
    """

    relative: Floats
    retailer: Integers
    sku: Integers
    week: Integers
    category: Integers

    def describe(self, retailer: Integers, sku: Integers, week: Integers, category: Integers) -> dict[str, Floats]:
        """Describe orders by what their retailers ordered of other SKUs (m,), ever and in the week, and by the category's other SKUs."""
        ever = self._sums((self.retailer,), (retailer,)) - self._sums((self.retailer, self.sku), (retailer, sku))
        same_week = self._sums((self.retailer, self.week), (retailer, week)) - self._sums(
            (self.retailer, self.week, self.sku), (retailer, week, sku)
        )
        alike = self._sums((self.category,), (category,)) - self._sums((self.category, self.sku), (category, sku))
        columns: dict[str, Floats] = {}
        for name, sums in (("retailer", ever), ("visit", same_week), ("category", alike)):
            means = sums[:, 1:] / sums[:, :1]
            columns |= {f"{name}_sizes_{what}": means[:, k] for k, what in enumerate(STATISTICS[1:])}
        columns["visit_orders"] = np.log1p(np.maximum(same_week[:, 0], 0.0))
        columns["visit_share"] = same_week[:, 0] / np.maximum(ever[:, 0], 1.0)
        return columns

    def _sums(self, keys: tuple[Integers, ...], asked: tuple[Integers, ...]) -> Floats:
        """Return the sums over the orders that agree in ``keys`` with each asked for; 0 where there is none."""
        have, want = np.zeros(self.retailer.size, dtype=np.int64), np.zeros(asked[0].size, dtype=np.int64)
        for key, wanted in zip(keys, asked, strict=True):
            span = int(max(key.max(initial=0), wanted.max(initial=0))) + 1
            have, want = have * span + key, want * span + wanted
        known, group = np.unique(have, return_inverse=True)
        sums = np.column_stack([np.bincount(group, column, known.size) for column in self.relative.T])
        found = np.minimum(np.searchsorted(known, want), max(known.size - 1, 0))
        return np.asarray(np.where((known[found] == want)[:, None], sums[found], 0.0))


def retailer_sizes(orders: Orders, typical: Floats) -> RetailerSizes:
    """Relate orders to what is typical of their pair.

    Parameters
    ----------
    orders
        Of any SKUs, free ones above all.
    typical
        Typical size of each order's pair, units (n,), above 0.
    """
    seen = (~orders.at_cap).astype(np.float64)
    times = np.minimum(orders.size / typical, MOST_TIMES_TYPICAL)
    columns = [np.ones(times.size), times, np.minimum(times, 20.0) ** 2, times > 2, times > 5, times > 10, np.log(times)]
    return RetailerSizes(np.column_stack([seen * column for column in columns]), orders.retailer, orders.sku, orders.week, orders.category)
