"""In what order does life in the county go: who is there, what they want, what they get, and who leaves over it?"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.assortment import Pairs, draw_pairs
from demo.bundles import plan_floors
from demo.contacts import festivals
from demo.demand import LocalDay, draw_wanted, order_rhythm, shop_factors, sku_factors
from demo.departures import Departures, competitor_days, draw_departures, n_relicensed
from demo.hoarding import hoard
from demo.leaving import fade, starve
from demo.licences import Licences, between_licences, license_shops
from demo.products import Products, draw_products
from demo.quotas import Quotas, plan_quotas
from demo.rationing import Delivered, ration, unmet_share
from demo.shops import Shops, draw_shops
from demo.spill import spill_over
from demo.timeline import Timeline


@dataclass(frozen=True)
class Lives:
    """All that happened in the county, the future that only the truth knows included."""

    weeks: Timeline
    shops: Shops
    licences: Licences
    products: Products
    pairs: Pairs
    quotas: Quotas
    departures: Departures
    delivered: Delivered
    unmet_share: NDArray[np.float64]
    local_days: list[LocalDay]


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the randomness of one part of the county: a change in one part leaves the others as they are.

    >>> int(stream(1, "shops").integers(1000)) == int(stream(1, "shops").integers(1000))
    True
    """
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def live(n_retailers: int, n_urban: int, n_skus: int, weeks: Timeline, seed: int, *, hoarding: float = 0.0, spill: float = 0.0) -> Lives:
    """Let the county live through its weeks.

    Parameters
    ----------
    n_retailers, n_urban, n_skus
        Licences, those of them in town, and SKUs.
    weeks, seed
        History and future, and the seed of everything.
    hoarding
        Share of retailer-weeks in which a shop orders up to its caps.
    spill
        Share of unmet demand that moves to neighbours of the price band.

    Returns
    -------
    Lives
        Shops are rationed once as if nobody left, to learn whom rationing drives away, and then for good.
    """
    products = draw_products(stream(seed, "products"), n_skus, weeks)
    shops, relicensed = _draw_shops(n_retailers, n_urban, weeks, seed)
    floor = plan_floors(stream(seed, "floors"), products, weeks)
    pairs = draw_pairs(stream(seed, "pairs"), shops, products, floor.max(axis=2) > 0, weeks)
    openings = competitor_days(stream(seed, "competitors"), weeks)
    local_days = openings + festivals(stream(seed, "festivals"), weeks)
    departures = draw_departures(stream(seed, "departures"), shops, weeks, openings, relicensed)
    by_shop = shop_factors(stream(seed, "shop factors"), shops, weeks, local_days)
    by_shop *= departures.footfall(weeks) * order_rhythm(stream(seed, "rhythm"), shops, weeks)
    wanted = draw_wanted(stream(seed, "demand"), pairs, by_shop, sku_factors(products, weeks))
    wanted = between_licences(wanted, pairs, departures)
    quotas = plan_quotas(stream(seed, "quotas"), shops, products, pairs, wanted, floor, weeks)
    unmet = unmet_share(ration(wanted, shops, products, pairs, quotas), shops, pairs, weeks.n_all)
    departures = starve(stream(seed, "starved"), departures, unmet, shops, weeks)
    wanted = fade(stream(seed, "fading"), wanted, pairs, departures)
    delivered = ration(wanted, shops, products, pairs, quotas)
    delivered = hoard(stream(seed, "hoarding"), delivered, shops, products, pairs, quotas, hoarding)
    delivered = spill_over(stream(seed, "spill"), spill, delivered, shops, products, pairs, quotas)
    return Lives(
        weeks=weeks,
        shops=shops,
        licences=license_shops(shops, departures),
        products=products,
        pairs=pairs,
        quotas=quotas,
        departures=departures,
        delivered=delivered,
        unmet_share=unmet_share(delivered, shops, pairs, weeks.n_all),
        local_days=local_days,
    )


def _draw_shops(n_retailers: int, n_urban: int, weeks: Timeline, seed: int) -> tuple[Shops, NDArray[np.int64]]:
    """Draw the shops, and which of them change licence, so that the licences in town and country come to the numbers asked for."""
    second = n_relicensed(n_retailers, weeks)
    second_urban = round(second * n_urban / n_retailers)
    shops = draw_shops(stream(seed, "shops"), n_retailers - second, n_urban - second_urban, weeks)
    mixed = stream(seed, "relicensed").permutation(np.flatnonzero(shops.opens < 0))
    urban, rural = mixed[shops.urban[mixed]], mixed[~shops.urban[mixed]]
    return shops, np.sort(np.concatenate([urban[:second_urban], rural[: second - second_urban]]))
