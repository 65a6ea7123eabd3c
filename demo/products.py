"""Which SKUs does the wholesaler sell: what they cost, how fast they go, and how scarce they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.timeline import Timeline

FREE, PRIORITY, SCARCE = range(3)
"""Positions in ``contracts.raw.SUPPLY_CLASSES``."""

PRICE_BANDS = ("P1", "P2", "P3", "P4", "P5", "P6")
PRICE_EDGES = (70.0, 110.0, 160.0, 220.0, 350.0)
"""Money per carton (200 cigarettes) that divides the bands."""

LAUNCH_WEEKS_AGO = (40, 22, 12, 6, 3, 1, 0)
"""Weeks of history the new SKUs have at ``as_of``; the last one is launched and not ordered yet."""

DELIST_WEEKS_AGO = (60, 30)
BEFORE, NEVER = -1_000, 10_000
"""Week numbers that lie before and after everything."""


@dataclass(frozen=True)
class Products:
    """The SKUs as arrays of one length, the fastest first.

    Attributes
    ----------
    popularity
        Units a week of an ordinary shop that carries the SKU.
    supply_class
        Position in ``contracts.raw.SUPPLY_CLASSES``.
    price, cost
        Money per unit that the retailer and the wholesaler pay.
    band
        Position in ``PRICE_BANDS``.
    pack_units
        Units in a bundle that large shops order by.
    gift
        How strongly holidays move it; 1 is ordinary.
    trend
        Log growth per year.
    season
        Amplitude of the yearly wave, log.
    launch, delist
        First week with demand, first week without; ``BEFORE`` and ``NEVER`` where outside the history.
    """

    popularity: NDArray[np.float64]
    supply_class: NDArray[np.int64]
    price: NDArray[np.float64]
    cost: NDArray[np.float64]
    band: NDArray[np.int64]
    pack_units: NDArray[np.int64]
    gift: NDArray[np.float64]
    trend: NDArray[np.float64]
    season: NDArray[np.float64]
    launch: NDArray[np.int64]
    delist: NDArray[np.int64]

    @property
    def n(self) -> int:
        """Number of SKUs."""
        return len(self.price)

    @property
    def slow(self) -> NDArray[np.int64]:
        """Old free SKUs of the slower half, slowest first: the ones a bundle pushes."""
        old = (self.launch == BEFORE) & (self.delist == NEVER) & (self.supply_class == FREE)
        slower = np.arange(self.n) >= self.n // 2
        return np.flatnonzero(old & slower)[::-1]


def draw_products(rng: np.random.Generator, n_skus: int, weeks: Timeline) -> Products:
    """Draw the SKUs of the county.

    Parameters
    ----------
    rng
        Source of randomness; moves on.
    n_skus
        How many.
    weeks
        For launches and delistings.

    Returns
    -------
    Products
        About half free, three in ten priority and two in ten scarce; the scarce are dear and wanted.

    Examples
    --------
    >>> from datetime import date
    >>> products = draw_products(np.random.default_rng(1), 40, Timeline(date(2025, 9, 28), 104))
    >>> [int((products.supply_class == k).sum()) for k in (FREE, PRIORITY, SCARCE)]
    [20, 12, 8]
    """
    supply_class = rng.permutation(np.repeat([FREE, PRIORITY, SCARCE], _parts(n_skus)))
    price = np.exp(rng.normal(4.75, 0.45, n_skus) + 0.30 * supply_class).round()
    launch, delist = _lifetimes(rng, supply_class, weeks)
    return Products(
        # Orders per SKU of a wholesaler fall off like an exponential of the rank: the slower half sells a twentieth.
        popularity=2.6 * np.exp(-4.2 * np.arange(n_skus) / n_skus) * np.exp(rng.normal(0, 0.25, n_skus)),
        supply_class=supply_class,
        price=price,
        cost=(price * rng.uniform(0.68, 0.80, n_skus)).round(2),
        band=np.searchsorted(PRICE_EDGES, price, side="right"),
        pack_units=np.where(price > PRICE_EDGES[3], 5, 10),
        gift=np.clip(0.75 + 0.35 * supply_class + rng.normal(0, 0.15, n_skus), 0.4, None),
        trend=rng.normal(0, 0.10, n_skus),
        season=rng.uniform(0.0, 0.12, n_skus),
        launch=launch,
        delist=delist,
    )


def _parts(n_skus: int) -> list[int]:
    scarce, priority = round(0.2 * n_skus), round(0.3 * n_skus)
    return [n_skus - priority - scarce, priority, scarce]


def _lifetimes(rng: np.random.Generator, supply_class: NDArray[np.int64], weeks: Timeline) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Launch and delist free SKUs only: a wholesaler does not drop what it cannot get enough of."""
    launch, delist = np.full(len(supply_class), BEFORE), np.full(len(supply_class), NEVER)
    free = np.flatnonzero(supply_class == FREE)
    moving = rng.permutation(free[free >= len(supply_class) // 10])
    n_launched, n_delisted = len(LAUNCH_WEEKS_AGO), len(DELIST_WEEKS_AGO)
    launch[moving[:n_launched]] = weeks.n_weeks - np.array(LAUNCH_WEEKS_AGO)
    delist[moving[n_launched : n_launched + n_delisted]] = weeks.n_weeks - np.array(DELIST_WEEKS_AGO)
    return launch, delist
