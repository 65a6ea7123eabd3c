"""How much a retailer's orders vary: sizes relative to what it typically orders of the SKU, over its other SKUs and in the week itself.

A shop that orders ten times its usual of one SKU now and then does so of others. That tail is what caps hide, and free SKUs show it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

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
        all_skus, own = self._sums
        ever = all_skus["retailer"].of(retailer) - own["retailer"].of(retailer, sku)
        same_week = all_skus["visit"].of(retailer, week) - own["visit"].of(retailer, week, sku)
        alike = all_skus["category"].of(category) - own["category"].of(category, sku)
        columns: dict[str, Floats] = {}
        for name, sums in (("retailer", ever), ("visit", same_week), ("category", alike)):
            means = sums[:, 1:] / sums[:, :1]
            columns |= {f"{name}_sizes_{what}": means[:, k] for k, what in enumerate(STATISTICS[1:])}
        columns["visit_orders"] = np.log1p(np.maximum(same_week[:, 0], 0.0))
        columns["visit_share"] = same_week[:, 0] / np.maximum(ever[:, 0], 1.0)
        return columns

    @cached_property
    def _sums(self) -> tuple[dict[str, GroupedSums], dict[str, GroupedSums]]:
        """Sums over all SKUs, and over each: every set of capped orders asks for them."""
        groups = {"retailer": (self.retailer,), "visit": (self.retailer, self.week), "category": (self.category,)}
        all_skus = {name: GroupedSums.over(self.relative, *keys) for name, keys in groups.items()}
        return all_skus, {name: GroupedSums.over(self.relative, *keys, self.sku) for name, keys in groups.items()}


@dataclass(frozen=True)
class GroupedSums:
    """Sums of rows over groups that some codes tell apart.

    Attributes
    ----------
    spans
        One more than the largest of each code.
    known
        The groups that have rows, their codes joined to one number, rising (g,).
    sums
        Of each (g, k).
    """

    spans: tuple[int, ...]
    known: Integers
    sums: Floats

    @classmethod
    def over(cls, rows: Floats, *codes: Integers) -> GroupedSums:
        """Add up rows (n, k) that agree in all codes, each (n,).

        >>> GroupedSums.over(np.array([[1.0], [2.0], [4.0]]), np.array([0, 0, 1])).of(np.array([0, 1, 2])).ravel().tolist()
        [3.0, 4.0, 0.0]
        """
        spans = tuple(int(code.max(initial=0)) + 1 for code in codes)
        known, group = np.unique(np.ravel_multi_index(codes, spans), return_inverse=True)
        return cls(spans, known, np.column_stack([np.bincount(group, column, known.size) for column in rows.T]))

    def of(self, *codes: Integers) -> Floats:
        """Return the sums of the groups asked for by their codes, each (m,): (m, k), 0 where there is none."""
        asked = np.ravel_multi_index(codes, self.spans, mode="clip")
        found = np.minimum(np.searchsorted(self.known, asked), max(self.known.size - 1, 0))
        within = np.logical_and.reduce([code < span for code, span in zip(codes, self.spans, strict=True)])
        return np.asarray(np.where((within & (self.known[found] == asked))[:, None], self.sums[found], 0.0))


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
