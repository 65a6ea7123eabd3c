"""Which SKUs does a retailer not carry that retailers like it sell well, and how much of them would it sell?

Peers are the retailers of most similar range: cosine of log units (neighbours as in collaborative filtering: Herlocker, Konstan, Borchers
and Riedl 1999). A SKU ranks by the share of the peers that sell it, drawn towards its share of all retailers by a few pseudo-peers: on real
orders that found newly adopted SKUs better than popularity did, and better than the rate of recent adoptions (docs/cross_sell.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from models.retailer_ranges import Ranges

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

LEAST_SELLERS = 2
"""So many peers must sell a SKU: one alone may be a whim."""

COLUMNS = ("retailer_id", "sku_id", "rank", "because_sku_id", "peers", "support", "confidence", "lift", "expected_weekly_units", "reason")


@dataclass(frozen=True)
class CrossSellSettings:
    """How many SKUs are suggested, and from how many peers.

    Attributes
    ----------
    skus_per_retailer
        Suggestions for a retailer, at most.
    peers
        Retailers compared with, at most.
    prior_peers
        Pseudo-peers that sell a SKU as often as all retailers do; the same number of pseudo-counts draws a lift towards 1.
    """

    skus_per_retailer: int
    peers: int
    prior_peers: float


class Association(NamedTuple):
    """What speaks for a SKU: the SKU ``because`` (its position) that ``first`` peers sell, ``together`` of them both.

    Without one (None), ``first`` are all peers and ``together`` those that sell the suggested SKU: the ``sellers``.
    """

    because: int | None
    together: int
    first: int
    sellers: int
    lift: float


def suggest(ranges: Ranges, settings: CrossSellSettings) -> pd.DataFrame:
    """Suggest to each retailer SKUs that it does not carry.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`, at most ``skus_per_retailer`` rows per retailer, none for a retailer without peers. ``expected_weekly_units``
        is what the peers that sell the SKU are forecast to order, in proportion to all they are forecast to order, for a retailer of
        its size.
    """
    if not ranges.retailer_ids.size:
        return pd.DataFrame(columns=list(COLUMNS))
    everybody = np.asarray(ranges.recent.mean(axis=0), dtype=np.float64).ravel()
    sizes = np.asarray(ranges.weekly_units.sum(axis=1), dtype=np.float64).ravel()
    rows: list[tuple[object, ...]] = []
    for retailer, peers, likeness in nearest(ranges, settings.peers):
        selling = ranges.recent[peers].toarray().astype(np.float64)
        scores = adoption_scores(selling, likeness, everybody, settings.prior_peers)
        allowed = ranges.offered & (selling.sum(axis=0) >= LEAST_SELLERS)
        allowed[ranges.units[retailer].indices] = False
        allowed[ranges.shut[retailer].indices] = False
        best = _best(np.where(allowed, scores, -np.inf), settings.skus_per_retailer)
        forecast = ranges.weekly_units[peers][:, best].toarray()
        expected = expected_units(selling[:, best], forecast, sizes[peers], float(sizes[retailer]))
        carried = np.sort(ranges.units[retailer].indices)
        speaks = associations(selling, carried, best, everybody, settings.prior_peers)
        rows += [_row(ranges, retailer, sku, place, peers.size, speaks[place], float(expected[place])) for place, sku in enumerate(best)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def nearest(ranges: Ranges, peers: int) -> Iterator[tuple[int, Indices, Floats]]:
    """Yield each retailer's position with its peers' positions (k,) and likeness (k,), the most alike first; likeness is above 0."""
    spread = ranges.units.astype(np.float64).copy()
    spread.data = np.log1p(spread.data)
    lengths = np.sqrt(np.asarray(spread.multiply(spread).sum(axis=1))).ravel()
    unit = sparse.diags(1.0 / np.where(lengths > 0, lengths, 1.0)) @ spread
    for start in range(0, unit.shape[0], 256):
        chunk = (unit[start : start + 256] @ unit.T).toarray()
        for offset, likeness in enumerate(chunk):
            retailer = start + offset
            same = ranges.kinds == ranges.kinds[retailer]
            eligible = likeness * same if same.sum() > peers else likeness.copy()
            eligible[retailer] = 0.0
            order = np.argsort(-eligible, kind="stable")[:peers]
            order = order[eligible[order] > 0]
            if order.size:
                yield retailer, order, eligible[order]


def adoption_scores(selling: Floats, likeness: Floats, everybody: Floats, prior_peers: float) -> Floats:
    """Return the score of each SKU (m,): the share of the peers (k, m) that sell it, weighed by likeness and drawn towards everybody's.

    >>> adoption_scores(np.array([[1.0], [1.0]]), np.array([0.5, 0.9]), np.array([0.2]), prior_peers=2.0)
    array([0.6])
    """
    share = likeness @ selling / likeness.sum()
    scores: Floats = (likeness.size * share + prior_peers * everybody) / (likeness.size + prior_peers)
    return scores


def expected_units(selling: Floats, weekly_units: Floats, sizes: Floats, size: float) -> Floats:
    """Return units a week expected of each SKU (b,) for a retailer of a size, from the peers (k, b) that sell it.

    >>> expected_units(np.array([[1.0], [1.0], [0.0]]), np.array([[3.0], [1.0], [0.0]]), np.array([30.0, 10.0, 99.0]), 20.0)
    array([2.])
    """
    theirs = sizes @ selling
    weekly: Floats = size * (weekly_units * selling).sum(axis=0) / np.where(theirs > 0, theirs, 1.0)
    return weekly


def shrunk_lift(together: Floats, expected: Floats, prior: float) -> Floats:
    """Return observed over expected counts, drawn towards 1: the posterior mean of a Poisson rate under a gamma prior of mean 1.

    A one-component form of the gamma-Poisson shrinker (DuMouchel 1999, Bayesian data mining in large frequency tables).

    >>> shrunk_lift(np.array([2.0, 40.0]), np.array([0.5, 10.0]), prior=5.0).round(2)
    array([1.27, 3.  ])
    """
    lift: Floats = (together + prior) / (expected + prior)
    return lift


def associations(selling: Floats, carried: Indices, suggested: Indices, everybody: Floats, prior: float) -> list[Association]:
    """Return for each suggested SKU which carried one speaks most for it among the peers (k, m), and how much."""
    n_peers = selling.shape[0]
    given, wanted = selling[:, carried], selling[:, suggested]
    together, firsts, sellers = given.T @ wanted, given.sum(axis=0), wanted.sum(axis=0)
    lifts = shrunk_lift(together, np.outer(firsts, sellers) / n_peers, prior)
    strongest = lifts.argmax(axis=0)
    alone = shrunk_lift(sellers, n_peers * everybody[suggested], prior)
    found = []
    for place, first in enumerate(strongest.tolist()):
        lift, sold = float(lifts[first, place]), int(sellers[place])
        if lift > 1.0:
            found.append(Association(int(carried[first]), int(together[first, place]), int(firsts[first]), sold, lift))
        else:
            found.append(Association(None, sold, n_peers, sold, float(alone[place])))
    return found


def _best(scores: Floats, n: int) -> Indices:
    """Positions of the n highest finite scores, the highest first, earlier positions before later ones."""
    order = np.argsort(-scores, kind="stable")[:n]
    return order[np.isfinite(scores[order])]


def _row(ranges: Ranges, retailer: int, sku: np.intp, place: int, peers: int, speaks: Association, expected: float) -> tuple[object, ...]:
    because = None if speaks.because is None else ranges.sku_ids[speaks.because]
    reason = f"{speaks.sellers} of {peers} shops with a similar range sell it"
    if because is not None:
        reason += f"; of the {speaks.first} of them that sell {because}, which it carries, {speaks.together} do"
    reason += f"; at its size about {expected:.2g} units a week are expected"
    names = (ranges.retailer_ids[retailer], ranges.sku_ids[sku], place + 1, because, peers)
    return (*names, speaks.together / peers, speaks.together / speaks.first, speaks.lift, expected, reason)
