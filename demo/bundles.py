"""Which slow SKUs does the wholesaler push on its retailers with whatever else they order?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from demo.products import Products
from demo.shops import TIERS
from demo.timeline import Timeline

PUSHED_SKUS = 6

CAPPED_BANDS = (1, 3)
"""Price bands (positions) that share a cap in some weeks; a floor on a SKU of a used-up band would contradict it, so none is pushed."""


def plan_floors(rng: np.random.Generator, products: Products, weeks: Timeline) -> NDArray[np.int64]:
    """Return the floors of bundles, shape (SKUs, tiers, n_all): slow SKUs pushed on one or two tiers for 4 to 9 weeks."""
    floor = np.zeros((products.n, len(TIERS), weeks.n_all), dtype=np.int64)
    slow = products.slow[~np.isin(products.band[products.slow], CAPPED_BANDS)]
    for sku in slow[:PUSHED_SKUS]:
        tiers = rng.permutation(len(TIERS))[: rng.integers(1, 3)]
        for _ in range(max(1, round(weeks.n_weeks / 52))):
            first = int(rng.integers(0, weeks.n_weeks))
            last = min(first + int(rng.integers(4, 10)), weeks.n_weeks)
            for tier in tiers:
                floor[sku, tier, first:last] = 1 + (tier >= 3)
    return floor


def cap_one_bundle(tier_cap: NDArray[np.float64], floor: NDArray[np.int64]) -> None:
    """Give the first pushed SKU a cap in its pushed weeks too: one row with a cap and a floor is legal and must be met."""
    pushed = np.flatnonzero(floor.any((1, 2)))[:1]
    tier_cap[pushed] = np.where(floor[pushed] > 0, 4.0 * floor[pushed], tier_cap[pushed])
