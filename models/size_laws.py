"""The law of a pair's order sizes when some are censored: EM for a normal law in transformed units, pooled where a pair has few orders.

Sizes are taken to a power that makes them nearly normal (Box and Cox 1964): z = (x^p - 1) / p. The E step replaces a censored size by its
expectation in its interval, the M step averages, with the SKU's retailers of the same tier counting like a few orders of the pair's own,
and the SKU over all tiers likewise for the tier (MODELLING §3b).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.orders import Orders
from models.stacking import Flags, Floats, Integers
from models.truncated_normal import moments, quantile

LEAST_SPREAD = 0.01
"""Smallest spread in transformed units: a pair that always ordered the same has some."""

POINTS = 12
"""Midpoints of probability over which a size in units is averaged, for a mean of z is not the mean of x."""

LEAST_WEIGHT = 0.5
"""A SKU without cells yet has no mean, and nobody asks for it."""


@dataclass(frozen=True)
class RecoverySettings:
    """How the laws are fitted.

    Attributes
    ----------
    power
        Of the transformation, above 0.
    pooling_orders, spread_pooling_orders
        Orders of its own that a pair's tier counts as, for its mean and for its spread.
    iterations
        Rounds of EM.
    """

    power: float
    pooling_orders: float
    spread_pooling_orders: float
    iterations: int


@dataclass(frozen=True)
class CensoredSizes:
    """Sizes in transformed units, known or only bounded.

    Attributes
    ----------
    lower, upper
        Interval of each (n,); equal where it is known, infinite where there is no bound.
    weight
        How much each counts (n,).
    pair, tier_of_pair, sku_of_tier
        Codes: the pair of each (n,), of each pair its SKU in its tier, of each of those its SKU.
    """

    lower: Floats
    upper: Floats
    weight: Floats
    pair: Integers
    tier_of_pair: Integers
    sku_of_tier: Integers


@dataclass(frozen=True)
class PairLaws:
    """The law of each pair's sizes: normal in transformed units.

    Attributes
    ----------
    power
        Of the transformation.
    mean, spread
        By the code of the pair.
    """

    power: float
    mean: Floats
    spread: Floats

    def typical_units(self, pair: Integers) -> Floats:
        """Return the median size of pairs, at least half a unit."""
        return np.maximum(inverse(self.mean[pair], self.power), 0.5)


def fit_size_laws(sizes: CensoredSizes, censored: Flags, settings: RecoverySettings) -> PairLaws:
    """Fit the law of each pair.

    What exact sizes contribute never changes, so each pair's count, sum and sum of squares are taken once.

    Parameters
    ----------
    sizes
        Of any number of pairs.
    censored
        Which of them are only bounded (n,).
    """
    pairs = sizes.tier_of_pair.size
    exact_pair, exact_size = sizes.pair[~censored], sizes.lower[~censored]
    count, total, squares = (_sums(exact_pair, exact_size**order, pairs) for order in (0, 1, 2))
    pair, weight = sizes.pair[censored], sizes.weight[censored]
    lower, upper = sizes.lower[censored], sizes.upper[censored]
    size, variance = np.where(np.isfinite(lower), lower, upper), np.zeros(pair.size)
    pooling = _Pooling(sizes, _sums(pair, weight, pairs) + count)
    spread = np.full(pairs, max(float(exact_size.std()) if exact_size.size else 1.0, LEAST_SPREAD))
    mean = np.zeros(pairs)
    for _ in range(settings.iterations):
        mean = pooling.means(total + _sums(pair, weight * size, pairs), settings.pooling_orders)
        around = squares - 2.0 * mean * total + mean**2 * count
        hidden = _sums(pair, weight * ((size - mean[pair]) ** 2 + variance), pairs)
        spread = np.sqrt(pooling.means(np.maximum(around, 0.0) + hidden, settings.spread_pooling_orders) + LEAST_SPREAD**2)
        size, variance = moments(lower, upper, mean[pair], spread[pair])
    return PairLaws(settings.power, mean, spread)


def laws_of_orders(orders: Orders, settings: RecoverySettings) -> PairLaws:
    """Fit the laws of orders whose caps say what is censored; codes of pairs and of SKUs in tiers must have no gaps."""
    size = transform(orders.size, settings.power)
    first_of_pair = np.unique(orders.pair, return_index=True)[1]
    first_of_tier = np.unique(orders.tier_sku, return_index=True)[1]
    sizes = CensoredSizes(
        lower=size,
        upper=np.where(orders.at_cap, np.inf, size),
        weight=np.ones(orders.count),
        pair=orders.pair,
        tier_of_pair=orders.tier_sku[first_of_pair],
        sku_of_tier=orders.sku[first_of_tier],
    )
    return fit_size_laws(sizes, orders.at_cap, settings)


def transform(units: Floats, power: float) -> Floats:
    """Return (x^p - 1) / p.

    >>> inverse(transform(np.array([1.0, 24.0]), 0.15), 0.15).round(9).tolist()
    [1.0, 24.0]
    """
    return (units**power - 1.0) / power


def inverse(z: Floats, power: float) -> Floats:
    """Return the units that ``transform`` took to ``z``; 0 below its range."""
    return np.maximum(1.0 + power * z, 0.0) ** (1.0 / power)


def mean_units(asked: tuple[Floats, ...], power: float) -> Floats:
    """Return the expected size in units of laws cut to intervals: ``asked`` holds lower and upper bound, mean and spread of each (n,)."""
    return np.asarray(np.mean([inverse(quantile((k + 0.5) / POINTS, *asked), power) for k in range(POINTS)], axis=0))


def _sums(group: Integers, values: Floats, groups: int) -> Floats:
    return np.asarray(np.bincount(group, values, groups), dtype=np.float64)


class _Pooling:
    """Means per pair, with its tier's mean as some orders more, and the SKU's mean likewise for the tier."""

    def __init__(self, sizes: CensoredSizes, pair_weight: Floats) -> None:
        self._tier_of_pair, self._sku_of_tier = sizes.tier_of_pair, sizes.sku_of_tier
        self._pair_weight = pair_weight
        self._tier_weight = np.bincount(self._tier_of_pair, pair_weight)
        self._sku_weight = np.maximum(np.bincount(self._sku_of_tier, self._tier_weight), LEAST_WEIGHT)

    def means(self, pair_sum: Floats, prior_orders: float) -> Floats:
        tier_sum = np.bincount(self._tier_of_pair, pair_sum)
        sku_mean = np.bincount(self._sku_of_tier, tier_sum) / self._sku_weight
        tier_mean = (tier_sum + prior_orders * sku_mean[self._sku_of_tier]) / (self._tier_weight + prior_orders)
        return (pair_sum + prior_orders * tier_mean[self._tier_of_pair]) / (self._pair_weight + prior_orders)
