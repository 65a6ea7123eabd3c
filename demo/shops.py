"""Which shops are in the county: where, how large, how often they order, and since when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.products import BEFORE
from demo.timeline import Timeline

TIERS = ("T1", "T2", "T3", "T4", "T5")
TIER_SHARES = (0.20, 0.25, 0.25, 0.20, 0.10)
"""Supply tiers by volume, T5 the largest shops."""

URBAN_DISTRICTS = ("East Gate", "Old Town", "Station")
RURAL_DISTRICTS = ("Willow", "Stone Bridge", "Upper Mill", "Lower Mill", "Tea Hill", "North Bank", "South Bank", "Pine Ridge", "Salt Well")
DISTRICTS = URBAN_DISTRICTS + RURAL_DISTRICTS

CHANNELS = ("grocery", "convenience", "supermarket", "restaurant", "service station")
CHANNEL_SHARES = (0.52, 0.25, 0.08, 0.10, 0.05)
CHANNEL_SIZES = (0.90, 1.10, 1.80, 0.75, 1.15)


@dataclass(frozen=True)
class Shops:
    """The shops as arrays of one length; a shop may hold two licences one after the other.

    Attributes
    ----------
    urban, district, channel
        Where and what; positions in ``DISTRICTS`` and ``CHANNELS``.
    size
        Demand relative to an ordinary shop.
    tier
        Position in ``TIERS``.
    order_every
        Weeks from one order to the next: 1, 2 or 4.
    order_day
        Day of the week it orders on, 0 is Monday.
    opens
        First week it may order in; ``BEFORE`` if it was there before the history.
    trend
        Log growth per year.
    consumption
        Spending power of the neighbourhood, 1 to 10.
    floating
        People who pass by in a day.
    records_requests, has_scanner
        Whether its requested units, and its sales, are recorded.
    """

    urban: NDArray[np.bool_]
    district: NDArray[np.int64]
    channel: NDArray[np.int64]
    size: NDArray[np.float64]
    tier: NDArray[np.int64]
    order_every: NDArray[np.int64]
    order_day: NDArray[np.int64]
    opens: NDArray[np.int64]
    trend: NDArray[np.float64]
    consumption: NDArray[np.float64]
    floating: NDArray[np.float64]
    records_requests: NDArray[np.bool_]
    has_scanner: NDArray[np.bool_]

    @property
    def n(self) -> int:
        """Number of shops."""
        return len(self.size)


def draw_shops(rng: np.random.Generator, n_shops: int, n_urban: int, weeks: Timeline) -> Shops:
    """Draw the shops of the county.

    Parameters
    ----------
    rng
        Source of randomness; moves on.
    n_shops, n_urban
        How many, and how many of them in town.
    weeks
        For openings.

    Returns
    -------
    Shops
        Urban shops first. Volumes are log-normal; tiers follow volume with some noise, as they are set by hand.

    Examples
    --------
    >>> from datetime import date
    >>> shops = draw_shops(np.random.default_rng(1), 100, 22, Timeline(date(2025, 9, 28), 104))
    >>> int(shops.urban.sum()), np.bincount(shops.tier).tolist()
    (22, [20, 25, 25, 20, 10])
    """
    urban = np.arange(n_shops) < n_urban
    channel = rng.choice(len(CHANNELS), n_shops, p=CHANNEL_SHARES)
    consumption = np.clip(np.where(urban, 6.0, 3.5) + rng.normal(0, 1.2, n_shops), 1, 10)
    floating = np.exp(rng.normal(np.where(urban, 7.2, 5.6), 0.6, n_shops))
    place = (floating / np.exp(np.where(urban, 7.2, 5.6))) ** 0.4
    size = np.where(urban, 1.35, 0.90) * np.array(CHANNEL_SIZES)[channel] * place * np.exp(rng.normal(0, 0.50, n_shops))
    return Shops(
        urban=urban,
        district=np.where(urban, rng.integers(0, 3, n_shops), rng.integers(3, len(DISTRICTS), n_shops)),
        channel=channel,
        size=size,
        tier=_tiers(size * np.exp(rng.normal(0, 0.15, n_shops))),
        order_every=rng.choice([1, 2, 4], n_shops, p=[0.83, 0.13, 0.04]),
        order_day=rng.integers(0, 6, n_shops),
        opens=_openings(rng, n_shops, weeks),
        trend=rng.normal(0, 0.12, n_shops),
        consumption=consumption.round(2),
        floating=floating.round(),
        records_requests=rng.random(n_shops) < 0.15,
        has_scanner=np.isin(np.arange(n_shops), rng.permutation(n_shops)[: max(3, round(0.03 * n_shops))]),
    )


def _tiers(volume: NDArray[np.float64]) -> NDArray[np.int64]:
    rank = np.argsort(np.argsort(volume, kind="stable"), kind="stable")
    return np.searchsorted(np.cumsum(TIER_SHARES), (rank + 0.5) / len(volume))


def _openings(rng: np.random.Generator, n_shops: int, weeks: Timeline) -> NDArray[np.int64]:
    """Open one shop in nine within the history, some in its last six weeks, and one registered shop only after it."""
    opens = np.full(n_shops, BEFORE)
    n_new, n_fresh, n_waiting = max(4, n_shops // 9), max(3, n_shops // 150), max(1, n_shops // 1000)
    chosen = rng.permutation(n_shops)[: n_new + n_fresh + n_waiting]
    opens[chosen[:n_new]] = weeks.n_weeks - rng.integers(7, weeks.n_weeks - 4, n_new)
    opens[chosen[n_new : n_new + n_fresh]] = weeks.n_weeks - 1 - np.arange(n_fresh) % 6
    opens[chosen[n_new + n_fresh :]] = weeks.n_weeks
    return opens
