"""Whom does rationing drive away, and how does the demand of a leaving shop fade out?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from demo.assortment import Pairs
from demo.demand import Wanted
from demo.departures import STARVED, Departures, with_leads
from demo.products import NEVER
from demo.shops import Shops
from demo.timeline import Timeline

STARVED_RATE = 0.030
"""Share of shops a year that leave because they get too little."""


def starve(rng: np.random.Generator, departures: Departures, unmet_share: NDArray[np.float64], shops: Shops, weeks: Timeline) -> Departures:
    """Let shops leave that get too little of what they want.

    Parameters
    ----------
    rng
        Source of randomness; moves on.
    departures
        What else befalls the shops; an earlier stop stands.
    unmet_share
        Share of true demand not delivered over the 13 weeks up to each week, shape (shops, n_all).
    shops, weeks
        Who and when.

    Returns
    -------
    Departures
        The weekly hazard rises with the unmet share and with its rise over half a year, scaled to ``STARVED_RATE`` a year.
    """
    before = np.roll(unmet_share, 26, axis=1)
    before[:, :26] = unmet_share[:, :26]
    hazard = np.exp(10 * unmet_share + 6 * np.clip(unmet_share - before, 0, 1))
    week = np.arange(weeks.n_all)
    exposed = (week >= 13) & (week >= shops.opens[:, None] + 13) & (departures.relicensed[:, None] == NEVER)
    hazard = np.minimum(hazard * exposed, np.quantile(hazard, 0.9995))
    hazard *= STARVED_RATE * shops.n * weeks.n_all / 52 / hazard.sum()
    left = rng.random(hazard.shape) < hazard
    stop = np.where(left.any(1), left.argmax(1), NEVER)
    earlier = stop < departures.stop
    changed = replace(
        departures,
        stop=np.where(earlier, stop, departures.stop),
        cause=np.where(earlier, STARVED, departures.cause),
    )
    return with_leads(rng, changed)


def fade(rng: np.random.Generator, wanted: Wanted, pairs: Pairs, departures: Departures) -> Wanted:
    """Return true demand as leaving shops fade (smaller orders, skipped weeks, fewer SKUs) and stop.

    Parameters
    ----------
    rng
        Source of randomness; moves on.
    wanted, pairs, departures
        Demand as if nobody left, whose it is, and who leaves.

    Returns
    -------
    Wanted
        Nothing in or after the week of the stop.
    """
    stop = departures.stop
    shop = pairs.shop[wanted.pair]
    gone = np.clip((wanted.week - (stop - departures.lead)[shop]) / departures.lead[shop], 0, 1)
    skipped_from = rng.random((len(stop), int(wanted.week.max()) + 1))
    dropped_from = rng.random(pairs.n)
    depth = departures.depth[shop]
    keep = 1 - depth * gone
    keep[skipped_from[shop, wanted.week] < 0.6 * depth * gone] = 0
    keep[dropped_from[wanted.pair] < depth * gone] = 0
    keep[wanted.week >= stop[shop]] = 0
    return wanted.thinned(rng, keep)
