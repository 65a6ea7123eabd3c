"""What would an order at its cap have been under a censored negative binomial law?

The mean of a size is learned by boosted trees from all orders, exact below their caps and bounded at them (models.censored_boosting). Its
starter is the mean of the pair's own censored law. The dispersion is profiled from the censored likelihood, for each class of SKUs of like
spread and orders of like expected size. What an order is seen with is the same for all orders of its pair but for what its retailer
ordered of other SKUs in the week: nothing tells in which weeks a cap was in force, and no mean leaves the order out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.censored_boosting import CensoredBoosting, CensoredBoostingSettings, fit_censored
from models.orders import Orders
from models.retailer_sizes import RetailerSizes
from models.size_laws import PairLaws, mean_units
from models.stacking import Floats, Integers, Matrix

LEAST_MEAN = 0.1
"""Units below which no pair's expected size falls."""

TELL_OF_THE_WEEK = ("visit_orders", "visit_share")
"""Fewer orders of a retailer are seen in a week in which more were capped."""


@dataclass(frozen=True)
class NegativeBinomialSettings:
    """How the family is fitted, and when it is left out.

    Attributes
    ----------
    boosting
        How the trees are grown.
    max_orders
        Orders drawn to grow them, at most.
    spread_classes, size_classes
        Classes of SKUs by spread, and of orders by expected size, that have a dispersion each.
    largest_history
        Orders of rationed SKUs beyond which the family is not tried.
    """

    boosting: CensoredBoostingSettings
    max_orders: int
    spread_classes: int
    size_classes: int
    largest_history: int


@dataclass(frozen=True)
class DescribedOrders:
    """Orders as the family sees them.

    Attributes
    ----------
    features
        (m, k).
    lower, upper
        What is known of each size, units (m,); ``upper`` is inf at a cap.
    start
        Expected size by the pair's law, units (m,).
    spread
        Of the SKU's sizes, in transformed units: mean over its orders (m,).
    """

    features: Matrix
    lower: Floats
    upper: Floats
    start: Floats
    spread: Floats


def describe_orders(orders: Orders, asked: Orders, source: Integers, sizes: RetailerSizes, laws: PairLaws) -> DescribedOrders:
    """Describe orders by what is known of their pair, tier, SKU and retailer.

    Parameters
    ----------
    orders
        All orders of rationed SKUs that may be used.
    asked
        Those to describe, coded alike; mostly some of ``orders``.
    source
        The SKU of each one asked for as ``sizes`` knows it (m,).
    sizes
        What retailers order of other SKUs.
    laws
        The censored law of each pair's sizes, fitted to ``orders``.
    """
    unbound = np.full(laws.mean.shape, np.inf)
    expected = np.maximum(mean_units((-unbound, unbound, laws.mean, laws.spread), laws.power), LEAST_MEAN)
    start = expected[asked.pair]
    columns = {
        "mean": laws.mean[asked.pair],
        "spread": laws.spread[asked.pair],
        "start": np.log(start),
        "pack": asked.pack,
        "start_in_packs": start / asked.pack,
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        for name in ("pair", "tier_sku", "sku", "retailer"):
            columns |= _of_group(name, orders, asked, expected)
        others = sizes.describe(asked.retailer, source, asked.week, asked.category)
    columns |= {name: values for name, values in others.items() if name not in TELL_OF_THE_WEEK}
    of_sku = np.bincount(orders.sku, laws.spread[orders.pair]) / np.maximum(np.bincount(orders.sku), 1)
    upper = np.where(asked.at_cap, np.inf, asked.size)
    return DescribedOrders(np.column_stack(list(columns.values())).astype(np.float32), asked.size, upper, start, of_sku[asked.sku])


def _of_group(name: str, orders: Orders, asked: Orders, expected: Floats) -> dict[str, Floats]:
    """Return the group's share at caps over all weeks, its usual size, and what its open weeks were like against the law."""
    group, code = getattr(orders, name), getattr(asked, name)
    usual = expected[orders.pair]
    is_open = ~np.isfinite(orders.cap)
    count, opened = np.bincount(group), np.bincount(group, is_open)
    units, squares = np.bincount(group, is_open * orders.size), np.bincount(group, is_open * orders.size**2)
    mean = units / opened
    columns = {
        "orders": np.log1p(count),
        "at_cap": np.bincount(group, orders.at_cap) / count,
        "level": np.bincount(group, np.log(usual)) / count,
        "open": np.log1p(opened),
        "open_size": np.log(units / np.bincount(group, is_open * usual)),
        "open_spread": np.sqrt(np.maximum(squares / opened - mean**2, 0.0)) / mean,
    }
    described = {f"{name}_{what}": values[code] for what, values in columns.items()}
    if name != "pair":
        described[f"{name}_level"] = np.log(expected[asked.pair]) - described[f"{name}_level"]
    return described


@dataclass(frozen=True)
class NegativeBinomialFamily:
    """A fitted law of sizes.

    Attributes
    ----------
    boosting
        Means, and dispersions by class.
    spread_edges, size_edges
        Of the classes: of the SKU's spread, and of the pair's expected size (units).
    """

    boosting: CensoredBoosting
    spread_edges: Floats
    size_edges: Floats

    def law(self, described: DescribedOrders, threads: int) -> tuple[Floats, Floats]:
        """Return mean (units) and dispersion of each order's law (m,) each."""
        return self.boosting.means(described.features, described.start, threads), self.boosting.alphas(self._classes(described))

    def excess(self, capped: DescribedOrders, threads: int) -> Floats:
        """Return how much more than its cap each order at a cap is expected to have been, units (m,)."""
        unbound = np.full(capped.lower.shape, np.inf)
        expected = self.boosting.expected(capped.features, capped.lower, unbound, capped.start, self._classes(capped), threads)
        return expected - np.maximum(capped.lower, 1.0)

    def quantiles(self, capped: DescribedOrders, levels: Sequence[float], threads: int) -> Floats:
        """Return quantiles of the size of orders at a cap, units (m, levels)."""
        unbound, classes = np.full(capped.lower.shape, np.inf), self._classes(capped)
        return self.boosting.quantiles(capped.features, capped.lower, unbound, capped.start, classes, levels, threads)

    def _classes(self, described: DescribedOrders) -> Integers:
        return _classes(described, self.spread_edges, self.size_edges)

    def save(self, folder: Path) -> None:
        """Write the model as text."""
        self.boosting.save(folder)
        edges = {"spread_edges": self.spread_edges.tolist(), "size_edges": self.size_edges.tolist()}
        (folder / "classes.json").write_text(json.dumps(edges))

    @classmethod
    def load(cls, folder: Path) -> NegativeBinomialFamily:
        """Read what ``save`` wrote."""
        edges = json.loads((folder / "classes.json").read_text())
        return cls(CensoredBoosting.load(folder), np.asarray(edges["spread_edges"], float), np.asarray(edges["size_edges"], float))


@dataclass(frozen=True)
class RationedOrders:
    """Orders of rationed SKUs, really or on purpose, with all that describes them.

    Attributes
    ----------
    orders
        The orders, by week.
    source
        The SKU of each as ``sizes`` knows it (n,).
    sizes
        What retailers order of other SKUs.
    laws
        The censored law of each pair's sizes, fitted to ``orders``.
    """

    orders: Orders
    source: Integers
    sizes: RetailerSizes
    laws: PairLaws

    def describe(self, which: Integers) -> DescribedOrders:
        """Describe some of them."""
        return describe_orders(self.orders, self.orders.take(which), self.source[which], self.sizes, self.laws)

    def fit(self, settings: NegativeBinomialSettings) -> NegativeBinomialFamily:
        """Fit the family to a draw of them."""
        drawn = drawn_positions(self.orders.count, settings.max_orders, settings.boosting.seed)
        return fit_negative_binomial(self.describe(drawn), settings)


def drawn_positions(count: int, most: int, seed: int) -> Integers:
    """Return positions of at most so many of ``count`` entries, drawn by seed, in their order.

    >>> drawn_positions(3, 5, 1).tolist()
    [0, 1, 2]
    """
    return np.sort(np.random.default_rng(seed).permutation(count)[:most]).astype(np.int64)


def too_long(orders: int, settings: NegativeBinomialSettings | None) -> str:
    """Return why the family is left out; empty where it is not, or is not asked for."""
    if settings is None or orders <= settings.largest_history:
        return ""
    return f"{orders:,} orders of rationed SKUs are more than {settings.largest_history:,}"


def fit_negative_binomial(known: DescribedOrders, settings: NegativeBinomialSettings) -> NegativeBinomialFamily:
    """Fit the family to orders of which some are only bounded."""
    spread_edges, size_edges = _edges(known.spread, settings.spread_classes), _edges(known.start, settings.size_classes)
    classes = _classes(known, spread_edges, size_edges)
    boosting = fit_censored(known.features, known.lower, known.upper, known.start, classes, settings.boosting)
    return NegativeBinomialFamily(boosting, spread_edges, size_edges)


def _edges(values: Floats, classes: int) -> Floats:
    return np.unique(np.quantile(values, np.arange(1, classes) / classes))


def _classes(described: DescribedOrders, spread_edges: Floats, size_edges: Floats) -> Integers:
    by_spread, by_size = np.searchsorted(spread_edges, described.spread), np.searchsorted(size_edges, described.start)
    return np.asarray(by_spread * (size_edges.size + 1) + by_size, dtype=np.int64)
