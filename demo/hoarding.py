"""Who orders up to the cap whatever it wants, because it expects to be rationed?

True demand stays what was wanted. A shop hoards what it would have ordered anyway: where it wanted nothing of a SKU that week, it orders
nothing. It hoards under the cap of a SKU only; what a band has to share is left alone, for what one SKU took more another would get less.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from contracts.errors import ConfigurationError
from demo.assortment import Pairs
from demo.products import Products
from demo.quotas import Quotas
from demo.rationing import Delivered, effective_cap
from demo.shops import Shops


def require_share(share: float, name: str = "hoarding") -> None:
    """Refuse a share that is none.

    Raises
    ------
    ConfigurationError
        If it is below 0 or above 1.
    """
    if not 0.0 <= share <= 1.0:
        raise ConfigurationError(f"county.{name}: {share}; expected a share, 0 to 1", hint=f"set 0 for a county without {name}")


def hoard(
    rng: np.random.Generator, delivered: Delivered, shops: Shops, products: Products, pairs: Pairs, quotas: Quotas, share: float
) -> Delivered:
    """Let shops order up to the cap.

    Parameters
    ----------
    rng
        Source of randomness; moves on, unless ``share`` is 0.
    delivered
        What the shops got by ordering what they wanted.
    shops, products, pairs, quotas
        Who, what and the limits.
    share
        Of the retailer-weeks in which the shop orders up to the cap of every SKU that it orders under a cap.

    Returns
    -------
    Delivered
        The same rows; ``units`` are the cap, and ``at_cap`` is true, where a shop hoarded.
    """
    require_share(share)
    if share == 0:
        return delivered
    shop, week = pairs.shop[delivered.wanted.pair], delivered.wanted.week
    sku, tier = pairs.sku[delivered.wanted.pair], shops.tier[shop]
    cap = effective_cap(delivered.wanted, sku, tier, quotas)
    alone = np.isnan(quotas.band_cap[products.band[sku], tier, week])
    hoards: NDArray[np.bool_] = (rng.random((shops.n, quotas.stock_out.shape[1])) < share)[shop, week]
    full = hoards & alone & np.isfinite(cap) & (delivered.wanted.units > 0) & (delivered.units > 0)
    units = np.where(full, np.where(np.isfinite(cap), cap, 0), delivered.units).astype(np.int64)
    return replace(delivered, units=units, at_cap=delivered.at_cap | full, at_floor=delivered.at_floor & (units == delivered.units))


def asked_units(delivered: Delivered) -> NDArray[np.int64]:
    """Return what the shops asked for: what they wanted, or got where they hoarded or took a neighbour (a floor is nobody's request)."""
    inflated = ~delivered.at_floor & (delivered.units > delivered.wanted.units)
    return np.where(inflated, delivered.units, delivered.wanted.units)
