"""Where does unmet demand go? A share of it to other SKUs of the same price band that the shop carries and can still get."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from demo.assortment import Pairs
from demo.demand import Wanted
from demo.products import Products
from demo.quotas import Quotas
from demo.rationing import Delivered, effective_cap
from demo.shops import Shops


@dataclass(frozen=True)
class _Neighbours:
    """Pair-weeks that may take units, grouped by shop, band and week.

    Attributes
    ----------
    cell
        The pair-week: pair · n_all + week.
    group
        Position of its group.
    units
        Delivered to it already.
    room
        Units more that its own cap allows; 0 where it can take none.
    usual
        Units a week in an ordinary week.
    """

    cell: NDArray[np.int64]
    group: NDArray[np.int64]
    units: NDArray[np.int64]
    room: NDArray[np.float64]
    usual: NDArray[np.float64]


def spill_over(
    rng: np.random.Generator, share: float, delivered: Delivered, shops: Shops, products: Products, pairs: Pairs, quotas: Quotas
) -> Delivered:
    """Let shops take something else instead of a share of what they did not get.

    Parameters
    ----------
    rng
        Source of randomness; moves on.
    share
        Of the unmet units of a pair and week that the shop takes of neighbours instead: its other SKUs of the band in that week which were
        delivered in full and are neither at a cap nor out of stock, in proportion to their usual sales; what goes beyond a neighbour's cap
        or the band's is lost. 0 changes nothing.
    delivered
        What was delivered before.
    shops, products, pairs, quotas
        Who, what and the limits.

    Returns
    -------
    Delivered
        With more units on neighbours, and rows for those that were not ordered. ``wanted`` is true demand as before: the primary demand,
        0 on added rows.
    """
    if share == 0:
        return delivered
    n_all = quotas.stock_out.shape[1]
    group, moved = _leaving(rng, share, delivered, products, pairs, n_all)
    moved = np.minimum(moved, _room_of_bands(group, delivered, shops, products, pairs, quotas)).astype(np.int64)
    neighbours = _neighbours(group, delivered, shops, products, pairs, quotas)
    taken = _taken(rng, moved, neighbours)
    came = neighbours.units + taken
    full = came == neighbours.units + neighbours.room
    some = taken > 0
    return _with_taken(delivered, neighbours.cell[some], taken[some], full[some], n_all)


def _groups(pair: NDArray[np.int64], week: NDArray[np.int64], products: Products, pairs: Pairs, n_all: int) -> NDArray[np.int64]:
    """Return a number for each row's shop, band and week."""
    bands = int(products.band.max()) + 1
    return np.asarray((pairs.shop[pair] * bands + products.band[pairs.sku[pair]]) * n_all + week)


def _leaving(
    rng: np.random.Generator, share: float, delivered: Delivered, products: Products, pairs: Pairs, n_all: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the groups in which units look for another SKU, sorted, and how many."""
    unmet = np.maximum(delivered.wanted.units - delivered.units, 0)
    rows = np.flatnonzero(unmet)
    leaving = rng.binomial(unmet[rows], share)
    group = _groups(delivered.wanted.pair[rows], delivered.wanted.week[rows], products, pairs, n_all)
    groups, member = np.unique(group, return_inverse=True)
    return groups, np.bincount(member, leaving, groups.size).astype(np.int64)


def _room_of_bands(
    group: NDArray[np.int64], delivered: Delivered, shops: Shops, products: Products, pairs: Pairs, quotas: Quotas
) -> NDArray[np.float64]:
    """Return the units that the cap of the band leaves each group, infinity where there is none."""
    n_all, bands = quotas.stock_out.shape[1], int(products.band.max()) + 1
    shop, band = np.divmod(group // n_all, bands)
    cap = quotas.band_cap[band, shops.tier[shop], group % n_all]
    of_row = _groups(delivered.wanted.pair, delivered.wanted.week, products, pairs, n_all)
    place = np.minimum(np.searchsorted(group, of_row), max(group.size - 1, 0))
    here = group[place] == of_row if group.size else np.zeros(of_row.size, dtype=bool)
    used = np.bincount(place[here], delivered.units[here], group.size)
    return np.where(np.isnan(cap), np.inf, np.maximum(cap - used, 0))


def _neighbours(
    group: NDArray[np.int64], delivered: Delivered, shops: Shops, products: Products, pairs: Pairs, quotas: Quotas
) -> _Neighbours:
    """List every pair of the groups' shops and bands, with its room in that week."""
    n_all, bands = quotas.stock_out.shape[1], int(products.band.max()) + 1
    shelf = pairs.shop * bands + products.band[pairs.sku]
    by_shelf = np.argsort(shelf, kind="stable")
    first = np.searchsorted(shelf[by_shelf], group // n_all)
    count = np.searchsorted(shelf[by_shelf], group // n_all, side="right") - first
    member = np.repeat(np.arange(group.size), count)
    pair = by_shelf[np.arange(member.size) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)]
    week = (group % n_all)[member]
    cell = pair * n_all + week
    known = delivered.wanted.pair * n_all + delivered.wanted.week
    row = np.minimum(np.searchsorted(known, cell), known.size - 1)
    ordered = known[row] == cell
    units = np.where(ordered, delivered.units[row], 0)
    short = ordered & (delivered.wanted.units[row] > units)
    sku = pairs.sku[pair]
    cap = effective_cap(Wanted(pair, week, units), sku, shops.tier[pairs.shop[pair]], quotas)
    carried = (week >= pairs.start[pair]) & (week < pairs.end[pair])
    open_to = carried & ~quotas.stock_out[sku, week] & ~short
    room = np.where(open_to, np.maximum(cap - units, 0), 0)
    return _Neighbours(cell, member, units, room, pairs.rate[pair])


def _taken(rng: np.random.Generator, moved: NDArray[np.int64], neighbours: _Neighbours) -> NDArray[np.int64]:
    """Draw a neighbour for each unit by usual sales, and cut at each one's room."""
    weight = np.where(neighbours.room > 0, neighbours.usual, 0.0)
    reached = np.concatenate([[0.0], np.cumsum(weight)])
    begin, end = (reached[np.searchsorted(neighbours.group, np.arange(moved.size), side=side)] for side in ("left", "right"))
    group = np.repeat(np.arange(moved.size), np.where(end > begin, moved, 0))
    drawn = begin[group] + rng.random(group.size) * (end - begin)[group]
    which = np.searchsorted(reached[1:], drawn, side="right")
    return np.minimum(np.bincount(which, minlength=weight.size), neighbours.room).astype(np.int64)


def _with_taken(delivered: Delivered, cell: NDArray[np.int64], taken: NDArray[np.int64], full: NDArray[np.bool_], n_all: int) -> Delivered:
    """Add units to rows, and rows for cells that have none."""
    known = delivered.wanted.pair * n_all + delivered.wanted.week
    cells = np.union1d(known, cell)
    old, new = np.searchsorted(cells, known), np.searchsorted(cells, cell)
    wanted, units, more = (np.zeros(cells.size, dtype=np.int64) for _ in range(3))
    at_cap, at_floor = (np.zeros(cells.size, dtype=bool) for _ in range(2))
    wanted[old], units[old], at_cap[old], at_floor[old] = delivered.wanted.units, delivered.units, delivered.at_cap, delivered.at_floor
    more[new] = taken
    at_cap[new] |= full
    rows = Wanted(cells // n_all, cells % n_all, wanted)
    return replace(delivered, wanted=rows, units=units + more, at_cap=at_cap, at_floor=at_floor & (more == 0))
