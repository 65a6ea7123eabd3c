"""What befalls each shop, and which stop ordering over it: closures, relicensing, and the causes of real churn?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from demo.demand import LocalDay
from demo.products import NEVER
from demo.shops import DISTRICTS, Shops
from demo.timeline import Timeline

CAUSES = ("competitor", "starved", "service", "footfall", "closed", "relicensed")
COMPETITOR, STARVED, SERVICE, FOOTFALL, CLOSED, RELICENSED = range(6)
STAYS = -1

YEARLY_RATES = {COMPETITOR: 0.026, SERVICE: 0.025, FOOTFALL: 0.025, CLOSED: 0.012, RELICENSED: 0.011}
"""Share of shops a year; with the starved 2 to 3 % of the active stop in 13 weeks, so that a model finds enough to learn from.
Of real liquor stores (Iowa) 0.7 to 1.7 % stop within 12 weeks."""

STAYING_TROUBLED = 2.5
"""Shops with trouble that stay, per shop with trouble that leaves: trouble is a sign, no proof."""

LEADS = {COMPETITOR: (3, 12, 0.8), STARVED: (4, 12, 0.5), SERVICE: (4, 12, 0.5), FOOTFALL: (8, 20, 0.5), CLOSED: (2, 8, 0.5)}
"""Shortest and longest time, in weeks, over which a leaving shop fades, and how deep."""


@dataclass(frozen=True)
class Departures:
    """What befalls each shop, arrays of one length; weeks by number, ``NEVER`` where it does not happen.

    Attributes
    ----------
    stop, cause
        First week without demand, and why (position in ``CAUSES``, or ``STAYS``). Relicensed shops go on: they have no stop.
    lead, depth
        Weeks before the stop over which the shop fades, and by how much.
    trouble_from, trouble_until
        Weeks of poor service.
    decline_from, decline_weeks, decline_depth
        Footfall falls from, over, by.
    relicensed, gap
        First week of the second licence's time, and weeks without orders from there.
    """

    stop: NDArray[np.int64]
    cause: NDArray[np.int64]
    lead: NDArray[np.int64]
    depth: NDArray[np.float64]
    trouble_from: NDArray[np.int64]
    trouble_until: NDArray[np.int64]
    decline_from: NDArray[np.int64]
    decline_weeks: NDArray[np.int64]
    decline_depth: NDArray[np.float64]
    relicensed: NDArray[np.int64]
    gap: NDArray[np.int64]

    def footfall(self, weeks: Timeline) -> NDArray[np.float64]:
        """Return the factor of falling footfall on demand, shape (shops, n_all)."""
        gone = (np.arange(weeks.n_all) - self.decline_from[:, None]) / self.decline_weeks[:, None]
        return np.asarray(1 - self.decline_depth[:, None] * np.clip(gone, 0, 1))


def n_relicensed(n_shops: int, weeks: Timeline) -> int:
    """Return how many of the shops change licence within the history."""
    return max(1, round(n_shops * YEARLY_RATES[RELICENSED] * weeks.n_weeks / 52))


def competitor_days(rng: np.random.Generator, weeks: Timeline) -> list[LocalDay]:
    """Draw when a competing wholesaler opens in which district, about one in two years and district."""
    chosen = rng.permutation(len(DISTRICTS))[: max(2, round(len(DISTRICTS) * weeks.n_all / 104 * 0.8))]
    return [LocalDay(int(rng.integers(8, weeks.n_all - 8)), 5, "competing wholesaler opens", int(d), 0.97) for d in chosen]


def draw_departures(
    rng: np.random.Generator, shops: Shops, weeks: Timeline, openings: Sequence[LocalDay], relicensed_shops: NDArray[np.int64]
) -> Departures:
    """Draw every trouble and departure that does not hang on rationing; `demo.leaving.starve` adds those that do.

    Parameters
    ----------
    rng
        Source of randomness; moves on.
    shops, weeks
        Who and when.
    openings
        From `competitor_days`; most who leave for a competitor do so in the half year after one opens in their district.
    relicensed_shops
        Positions of the shops that change licence; nothing else befalls them.

    Returns
    -------
    Departures
        Stops anywhere from week 8 to the last week of the future.
    """
    cause, stop = _causes(rng, shops, weeks, openings, relicensed_shops)
    trouble_from, trouble_until = _troubles(rng, cause, stop, weeks)
    decline_from, decline_weeks = _declines(rng, cause, stop, weeks)
    relicensed, gap = np.full(shops.n, NEVER), np.zeros(shops.n, dtype=np.int64)
    relicensed[relicensed_shops] = rng.integers(10, weeks.n_weeks - 4, len(relicensed_shops))
    gap[relicensed_shops] = rng.integers(0, 3, len(relicensed_shops))
    ends = np.where(cause == RELICENSED, NEVER, stop)
    undated = Departures(
        ends, np.where(ends == NEVER, STAYS, cause), np.ones_like(stop), np.zeros(shops.n), trouble_from, trouble_until,
        decline_from, decline_weeks, rng.uniform(0.45, 0.75, shops.n), relicensed, gap,
    )  # fmt: skip
    return with_leads(rng, undated)


def _causes(
    rng: np.random.Generator, shops: Shops, weeks: Timeline, openings: Sequence[LocalDay], relicensed_shops: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    years = weeks.n_all / 52
    rates = np.array([YEARLY_RATES[cause] * years for cause in (COMPETITOR, SERVICE, FOOTFALL, CLOSED)])
    kinds = np.array([COMPETITOR, SERVICE, FOOTFALL, CLOSED, STAYS])
    cause = rng.choice(kinds, shops.n, p=[*rates, 1 - rates.sum()])
    stop = rng.integers(8, weeks.n_all, shops.n)
    opened = np.full(len(DISTRICTS), NEVER)
    for opening in openings:
        opened[opening.district] = opening.week
    soon = opened[shops.district] + 2 + np.floor(rng.exponential(9, shops.n)).astype(int)
    near = (cause == COMPETITOR) & (soon < weeks.n_all) & (rng.random(shops.n) < 0.60)
    stop = np.where(near, soon, stop)
    cause[relicensed_shops] = RELICENSED
    cause[stop < shops.opens + 8] = STAYS
    return cause, np.where(cause == STAYS, NEVER, stop)


def _troubles(
    rng: np.random.Generator, cause: NDArray[np.int64], stop: NDArray[np.int64], weeks: Timeline
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Poor service for 10 to 30 weeks: ahead of the stop of those who leave over it, and at any time for some who stay."""
    n = len(cause)
    lasts = rng.integers(10, 31, n)
    stays = (cause == STAYS) & (rng.random(n) < STAYING_TROUBLED * YEARLY_RATES[SERVICE] * weeks.n_all / 52)
    begins = np.where(cause == SERVICE, stop - lasts, np.where(stays, rng.integers(0, weeks.n_all, n), NEVER))
    return begins, begins + lasts


def _declines(
    rng: np.random.Generator, cause: NDArray[np.int64], stop: NDArray[np.int64], weeks: Timeline
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    n = len(cause)
    lasts = rng.integers(30, 61, n)
    stays = (cause == STAYS) & (rng.random(n) < STAYING_TROUBLED * YEARLY_RATES[FOOTFALL] * weeks.n_all / 52)
    begins = np.where(cause == FOOTFALL, stop - lasts, np.where(stays, rng.integers(0, weeks.n_all, n), NEVER))
    return begins, lasts


def with_leads(rng: np.random.Generator, departures: Departures) -> Departures:
    """Return the departures with lead and depth drawn by cause; three leaving shops in ten go without a sign."""
    shortest, longest, depth = (np.array([LEADS.get(cause, (1, 1, 0.0))[part] for cause in range(len(CAUSES))]) for part in range(3))
    n = len(departures.stop)
    lead = rng.integers(shortest.astype(int)[departures.cause], longest.astype(int)[departures.cause] + 1)
    quiet = (rng.random(n) < 0.3) | (departures.cause == STAYS)
    return replace(departures, lead=lead, depth=np.where(quiet, 0.0, depth[departures.cause]))
