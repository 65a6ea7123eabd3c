"""Under which licence does a shop order in a week, and what does the register of retailers and SKUs say?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from contracts.raw import RETAILERS, SKUS, SUPPLY_CLASSES
from demo.assortment import Pairs
from demo.demand import Wanted
from demo.departures import CLOSED, Departures
from demo.products import BEFORE, NEVER, PRICE_BANDS, Products
from demo.shops import CHANNELS, DISTRICTS, TIERS, Shops
from demo.timeline import Timeline

TOWN, VILLAGES = (30.00, 120.00), 0.25
"""Degrees north and east of the town, and how far the villages lie from it."""


@dataclass(frozen=True)
class Licences:
    """Licences as arrays of one length: one for each shop in the order of shops, then the second licences.

    Attributes
    ----------
    shop
        Position of the shop.
    successor
        Position of the licence that follows, by shop; -1 where none.
    begin, end
        First week, and first week after the last, by licence; ``BEFORE`` and ``NEVER`` outside the history.
    """

    shop: NDArray[np.int64]
    successor: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]

    @property
    def ids(self) -> pa.Array:
        """The retailer_id of each licence."""
        return pa.array([f"R{number:05d}" for number in range(1, len(self.shop) + 1)])

    def of(self, shop: NDArray[np.int64], week: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the licence that each shop holds in each week."""
        second = self.successor[shop]
        return np.where((second >= 0) & (week >= self.end[shop]), second, shop)


def license_shops(shops: Shops, departures: Departures) -> Licences:
    """Return the licences of the shops: the second one begins where the first one ends, or some weeks later."""
    again = np.flatnonzero(departures.relicensed < NEVER)
    successor = np.full(shops.n, -1)
    successor[again] = shops.n + np.arange(len(again))
    return Licences(
        shop=np.concatenate([np.arange(shops.n), again]),
        successor=successor,
        begin=np.concatenate([shops.opens, (departures.relicensed + departures.gap)[again]]),
        end=np.concatenate([np.minimum(departures.relicensed, departures.stop), departures.stop[again]]),
    )


def between_licences(wanted: Wanted, pairs: Pairs, departures: Departures) -> Wanted:
    """Return true demand without the weeks in which a shop waits for its second licence."""
    waited = wanted.week - departures.relicensed[pairs.shop[wanted.pair]]
    return wanted.where((waited < 0) | (waited >= departures.gap[pairs.shop[wanted.pair]]))


def retailers_table(
    rng: np.random.Generator, shops: Shops, departures: Departures, licences: Licences, accounts: Mapping[str, pa.Array], weeks: Timeline
) -> pa.Table:
    """Return ``raw.retailers`` as known at ``as_of``, one row per licence, with the columns that `demo.accounts` knows.

    A shop that closes after ``as_of`` has no closed_on yet; one that merely stopped ordering never gets any.
    """
    shop, n = licences.shop, len(licences.shop)
    distance = np.where(shops.urban, 0.02, VILLAGES)
    angle = 2 * np.pi * shops.district / len(DISTRICTS)
    north = TOWN[0] + distance * np.sin(angle) + rng.normal(0, 0.01, shops.n)
    east = TOWN[1] + distance * np.cos(angle) + rng.normal(0, 0.01, shops.n)
    successor = np.concatenate([licences.successor, np.full(n - shops.n, -1)])
    opened_on = _opened_on(rng, licences.begin, weeks)
    opened_on[shops.n :] = weeks.starts[licences.begin[shops.n :]]
    columns = {
        "retailer_id": licences.ids,
        "name": pa.array([f"{CHANNELS[shops.channel[s]]} {s + 1}, {DISTRICTS[shops.district[s]]}" for s in shop]),
        "opened_on": pa.array(opened_on),
        "closed_on": pa.array(_closed_on(rng, departures, licences, weeks)),
        "successor_id": licences.ids.take(pa.array(successor, mask=successor < 0)),
        "district": _words(DISTRICTS, shops.district[shop]),
        "area": _words(("rural", "urban"), shops.urban[shop].astype(int)),
        "channel": _words(CHANNELS, shops.channel[shop]),
        "tier": _words(TIERS, shops.tier[shop]),
        "latitude": pa.array(np.round(north[shop], 5)),
        "longitude": pa.array(np.round(east[shop], 5)),
        "floating_population": pa.array(shops.floating[shop]),
        "consumption_level": pa.array(shops.consumption[shop]),
        **accounts,
    }
    return pa.table(columns, schema=RETAILERS.arrow_schema)


def sku_ids(products: Products) -> pa.Array:
    """Return the sku_id of each SKU."""
    return pa.array([f"S{number:03d}" for number in range(1, products.n + 1)])


def skus_table(rng: np.random.Generator, products: Products, weeks: Timeline) -> pa.Table:
    """Return ``raw.skus``; the SKU that nobody could order yet was launched in the last week."""
    n = products.n
    makers = rng.integers(0, 8, n)
    launched = _opened_on(rng, np.where(products.launch >= weeks.n_weeks, BEFORE, products.launch), weeks)
    launched[products.launch > BEFORE] = weeks.starts[np.minimum(products.launch[products.launch > BEFORE], weeks.n_weeks - 1)]
    delisted = np.where(products.delist < NEVER, weeks.starts[np.minimum(products.delist, weeks.n_all - 1)] - 1, np.datetime64("NaT", "D"))
    columns = {
        "sku_id": sku_ids(products),
        "name": pa.array([f"Brand {chr(65 + maker)} No. {number}" for number, maker in enumerate(makers, start=1)]),
        "brand": pa.array([f"Brand {chr(65 + maker)}" for maker in makers]),
        "category": _words(("regular", "slim", "king size"), rng.choice(3, n, p=[0.6, 0.25, 0.15])),
        "manufacturer": pa.array([f"Maker {maker // 2 + 1}" for maker in makers]),
        "origin": _words(("local", "other"), (makers >= 4).astype(int)),
        "supply_class": _words(SUPPLY_CLASSES, products.supply_class),
        "price_band": _words(PRICE_BANDS, products.band),
        "pack_units": pa.array(products.pack_units.astype(float)),
        "unit_cost": pa.array(products.cost),
        "unit_price": pa.array(products.price),
        "launched_on": pa.array(launched),
        "delisted_on": pa.array(delisted),
    }
    return pa.table(columns, schema=SKUS.arrow_schema)


def _opened_on(rng: np.random.Generator, begin: NDArray[np.int64], weeks: Timeline) -> NDArray[np.datetime64]:
    """Opening days: up to nine days before the first week of ordering, or within fifteen years before the history."""
    long_ago = weeks.starts[0] - rng.integers(30, 15 * 365, len(begin))
    return np.where(begin == BEFORE, long_ago, weeks.starts[np.clip(begin, 0, weeks.n_all - 1)] - rng.integers(1, 10, len(begin)))


def _closed_on(rng: np.random.Generator, departures: Departures, licences: Licences, weeks: Timeline) -> NDArray[np.datetime64]:
    shop = licences.shop
    closes = (departures.cause[shop] == CLOSED) & (licences.end < NEVER)
    replaced = np.arange(len(shop)) < len(licences.successor)
    replaced[: len(licences.successor)] = licences.successor >= 0
    late = np.where(closes & ~replaced, rng.integers(0, 15, len(shop)), 0)
    day = weeks.starts[np.minimum(licences.end, weeks.n_all - 1)] - 1 + late
    known = (closes | replaced) & (day <= np.datetime64(weeks.as_of))
    return np.where(known, day, np.datetime64("NaT", "D"))


def _words(names: tuple[str, ...], positions: NDArray[np.int64]) -> pa.Array:
    return pa.array(names).take(pa.array(positions))
