"""Which SKUs does each shop carry, since when, and how much of each would it order?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.products import BEFORE, NEVER, Products
from demo.shops import Shops
from demo.timeline import Timeline

FEWEST_SKUS, MOST_SKUS = 14, 30
MOST_UNITS = 40.0
"""Units a week of one SKU beyond which a shop would buy as a wholesaler itself."""


@dataclass(frozen=True)
class Pairs:
    """Shop-SKU pairs as arrays of one length, sorted by shop, then SKU.

    Attributes
    ----------
    shop, sku
        Positions in the shops and the SKUs.
    rate
        Units a week in an ordinary week.
    spread
        NB2 dispersion: variance is rate + spread · rate².
    multiple
        The pair orders in multiples of so many units: 1, or the SKU's bundle.
    start, end
        First week with demand, first week without.
    """

    shop: NDArray[np.int64]
    sku: NDArray[np.int64]
    rate: NDArray[np.float64]
    spread: NDArray[np.float64]
    multiple: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]

    @property
    def n(self) -> int:
        """Number of pairs."""
        return len(self.shop)


def draw_pairs(rng: np.random.Generator, shops: Shops, products: Products, pushed: NDArray[np.bool_], weeks: Timeline) -> Pairs:
    """Draw what each shop carries.

    Parameters
    ----------
    rng
        Source of randomness; moves on.
    shops, products
        Who and what.
    pushed
        Shape (SKUs, tiers): whether bundles push the SKU on that tier at any time. Every shop of the tier then has the pair,
        with next to no demand where it would not have carried the SKU.
    weeks
        For the weeks in which SKUs enter and leave a shop.

    Returns
    -------
    Pairs
        14 to 30 SKUs a shop, more in larger ones, besides the pushed.
    """
    taste = _taste(rng, shops, products)
    carries = _carried(rng, shops, taste)
    forced = pushed[:, shops.tier].T & ~carries
    shop, sku = np.nonzero(carries | forced)
    n = len(shop)
    rate = shops.size[shop] * np.exp(0.5 * taste[shop, sku] + rng.normal(0, 0.45, n)) * products.popularity[sku]
    rate = np.minimum(rate, MOST_UNITS)
    rate[forced[shop, sku]] *= 0.02
    in_bundles = (rate > 2.0) & (rng.random(n) < 0.25)
    start, end = _stays(rng, products, sku, weeks)
    return Pairs(
        shop=shop,
        sku=sku,
        rate=rate,
        spread=np.exp(rng.normal(0.1, 0.4, n)),
        multiple=np.where(in_bundles, products.pack_units[sku], 1),
        start=start,
        end=end,
    )


def _taste(rng: np.random.Generator, shops: Shops, products: Products) -> NDArray[np.float64]:
    """Log preference, shape (shops, SKUs): dear SKUs sell where spending power is high."""
    dearness = (np.log(products.price) - np.log(products.price).mean()) / np.log(products.price).std()
    wealth = (shops.consumption - shops.consumption.mean()) / shops.consumption.std()
    return np.asarray(0.45 * wealth[:, None] * dearness[None, :] + rng.normal(0, 0.5, (shops.n, products.n)))


def _carried(rng: np.random.Generator, shops: Shops, taste: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Choose the SKUs with the highest noisy preference, as many as the shop has room for."""
    room = np.clip(np.round(20 + 6 * np.log(shops.size) + rng.normal(0, 2, shops.n)), FEWEST_SKUS, MOST_SKUS)
    wish = taste - 2.2 * np.arange(taste.shape[1]) / taste.shape[1] + rng.gumbel(0, 0.7, taste.shape)
    rank = np.argsort(np.argsort(-wish, axis=1), axis=1)
    return np.asarray(rank < room[:, None])


def _stays(
    rng: np.random.Generator, products: Products, sku: NDArray[np.int64], weeks: Timeline
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Let a fifth of the pairs begin and an eighth end within the history; new SKUs spread over some eight weeks."""
    n = len(sku)
    start = np.where(rng.random(n) < 0.20, rng.integers(0, weeks.n_weeks, n), BEFORE)
    slow_starters = np.floor(rng.exponential(3.0, n)).astype(int)
    start = np.where(products.launch[sku] > BEFORE, products.launch[sku] + slow_starters, start)
    end = np.where(rng.random(n) < 0.12, rng.integers(weeks.n_weeks // 4, weeks.n_all, n), NEVER)
    return start, np.maximum(np.minimum(end, products.delist[sku]), np.minimum(start, products.delist[sku]))
