"""How much of the unmet demand of capped SKUs comes back as orders of their neighbours?

A shelf is a retailer's SKUs of one price band (or category). In the weeks in which the retailer orders, the units of the shelf's SKUs that
nothing cut are regressed on the demand that caps hid on the same shelf (MODELLING §4). Busy weeks raise both, with no spill at all. So
orders that nothing cut are capped on purpose (models.recapping), and what they are expected to lie above that cap, which *was* delivered
and cannot have moved, is a second regressor: the spill is the first coefficient less the second, its error clustered by retailer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.stacking import Flags, Floats, Integers

ERRORS_NEEDED = 2.5
LEAST_RATE = 0.05
"""A spill is used where it is so many standard errors from none, and at least so large."""

OWN_WEEKS = 0.25
"""How busy a retailer's other shelves are in a week is drawn to ordinary as if by so much of an ordinary week."""


@dataclass(frozen=True)
class Cells:
    """Cells of known weeks, one entry per retailer, SKU and week with an order; codes have no gaps.

    Attributes
    ----------
    retailer, shelf, pair
        Codes from 0 (n,); a pair lies on one shelf, a shelf belongs to one retailer.
    week
        Weeks since any Monday (n,).
    units
        Delivered (n,).
    cut
        Whether a limit cut it, or a cap on purpose does: such a cell says nothing of what its SKU took over (n,).
    shared
        Whether the shelf's own cap is used up: nothing can move there (n,).
    unmet, sham
        Expected units above the cap where a cap cut it, and above a cap on purpose; 0 elsewhere (n,).
    """

    retailer: Integers
    shelf: Integers
    pair: Integers
    week: Integers
    units: Floats
    cut: Flags
    shared: Flags
    unmet: Floats
    sham: Floats


@dataclass(frozen=True)
class SpillEstimate:
    """What neighbours took of unmet demand.

    Attributes
    ----------
    rate
        Units that neighbours took per unit unmet: ``raw`` less ``sham``.
    standard_error
        Of ``rate``, clustered by retailer.
    raw, sham
        Units more on neighbours per unit that a cap hid, and per unit above a cap on purpose.
    weeks
        Shelves times weeks it rests on.
    """

    rate: float
    standard_error: float
    raw: float
    sham: float
    weeks: int

    @property
    def used(self) -> bool:
        """Whether it is far enough from none to be corrected for; below, taking orders as they are errs less.

        >>> SpillEstimate(0.2, 0.02, 0.2, 0.0, 1000).used, SpillEstimate(0.2, 0.09, 0.2, 0.0, 1000).used
        (True, False)
        """
        return self.rate >= LEAST_RATE and self.rate > ERRORS_NEEDED * self.standard_error and self.rate > abs(self.sham)


@dataclass(frozen=True)
class _ShelfWeeks:
    """Every shelf in every week in which its retailer ordered anything."""

    shelf: Integers
    shop_week: Integers
    retailer: Integers
    usual: Floats
    units: Floats
    unmet: Floats
    sham: Floats

    def where(self, kept: Flags) -> _ShelfWeeks:
        return _ShelfWeeks(**{name: values[kept] for name, values in vars(self).items()})


def estimate_spill(cells: Cells) -> SpillEstimate | None:
    """Estimate the spill; None where no cap hid anything, or nothing could be capped on purpose to compare with."""
    if not (cells.unmet.any() and cells.sham.any()):
        return None
    rows = _shelf_weeks(cells)
    busy = _busy(rows)
    weight = 1.0 / (1.0 + rows.usual)
    shelves = int(rows.shelf.max()) + 1
    total = np.maximum(np.bincount(rows.shelf, weight, shelves), 1e-12)

    def within(values: Floats) -> Floats:
        return np.asarray(values - (np.bincount(rows.shelf, weight * values, shelves) / total)[rows.shelf])

    columns = np.column_stack([within(values) for values in (rows.unmet, rows.sham, rows.usual, rows.usual * busy)])
    moments = np.linalg.pinv(columns.T @ (columns * weight[:, None]))
    units = within(rows.units)
    coefficients = moments @ (columns.T @ (weight * units))
    residual = weight * (units - columns @ coefficients)
    scores = np.column_stack([np.bincount(rows.retailer, residual * column) for column in columns.T])
    covariance = moments @ (scores.T @ scores) @ moments
    variance = covariance[0, 0] + covariance[1, 1] - 2.0 * covariance[0, 1]
    raw, sham = float(coefficients[0]), float(coefficients[1])
    return SpillEstimate(raw - sham, float(np.sqrt(max(variance, 0.0))), raw, sham, rows.shelf.size)


def _shelf_weeks(cells: Cells) -> _ShelfWeeks:
    """Sum cells to shelves and weeks; ``usual`` is what its uncut SKUs take in a week in which the retailer orders."""
    span = int(cells.week.max()) + 1
    shop_weeks, visit = np.unique(cells.retailer * span + cells.week, return_inverse=True)
    visits = np.bincount(shop_weeks // span)
    first_visit = np.cumsum(visits) - visits
    retailer_of = _value_of(cells.shelf, cells.retailer)
    # one slot more than visits on each shelf, for what ends after the last
    slots = visits[retailer_of] + 1
    begin = np.cumsum(slots) - slots
    place = visit - first_visit[cells.retailer]
    row, size = begin[cells.shelf] + place, int(slots.sum())
    usual = _usual(cells, place, begin, size) - np.bincount(row[cells.cut], _rates(cells, place)[cells.pair[cells.cut]], size)
    shelf = np.repeat(np.arange(slots.size), slots)
    number = np.arange(size) - begin[shelf]
    units, unmet, sham = (
        np.asarray(np.bincount(row, values, size), dtype=np.float64) for values in (cells.units * ~cells.cut, cells.unmet, cells.sham)
    )
    rows = _ShelfWeeks(
        shelf=shelf,
        shop_week=np.minimum(first_visit[retailer_of[shelf]] + number, shop_weeks.size - 1),
        retailer=retailer_of[shelf],
        usual=usual,
        units=units,
        unmet=unmet,
        sham=sham,
    )
    used_up = np.bincount(row[cells.shared], minlength=size) > 0
    return rows.where((number < slots[shelf] - 1) & (usual > 1e-9) & ~used_up)


def _rates(cells: Cells, place: Integers) -> Floats:
    """Return per pair its units in a week in which its retailer orders, over weeks that nothing cut from its first order to its last."""
    pairs = int(cells.pair.max()) + 1
    first, last = _ends(cells.pair, place, pairs)
    seen = last - first + 1 - np.bincount(cells.pair[cells.cut], minlength=pairs)
    return np.asarray(np.bincount(cells.pair[~cells.cut], cells.units[~cells.cut], pairs) / np.maximum(seen, 1))


def _usual(cells: Cells, place: Integers, begin: Integers, size: int) -> Floats:
    """Return the sum of the pairs' rates by slot, each from its pair's first order to its last."""
    pairs = int(cells.pair.max()) + 1
    first, last = _ends(cells.pair, place, pairs)
    start, rate = begin[_value_of(cells.pair, cells.shelf)], _rates(cells, place)
    return np.asarray(np.cumsum(np.bincount(start + first, rate, size) - np.bincount(start + last + 1, rate, size)))


def _ends(pair: Integers, place: Integers, pairs: int) -> tuple[Integers, Integers]:
    first, last = np.full(pairs, np.iinfo(np.int64).max), np.full(pairs, -1)
    np.minimum.at(first, pair, place)
    np.maximum.at(last, pair, place)
    return first, last


def _value_of(group: Integers, value: Integers) -> Integers:
    return value[np.unique(group, return_index=True)[1]]


def _busy(rows: _ShelfWeeks) -> Floats:
    """Return how much the retailer's other shelves took in the week, 1 is usual."""
    usual, units = (np.bincount(rows.shop_week, values)[rows.shop_week] for values in (rows.usual, rows.units))
    weeks = np.unique(rows.shop_week, return_index=True)[1]
    ordinary = np.bincount(rows.retailer, rows.usual) / np.maximum(np.bincount(rows.retailer[weeks], minlength=rows.retailer.max() + 1), 1)
    prior = OWN_WEEKS * ordinary[rows.retailer]
    return np.asarray((units - rows.units + prior) / (np.maximum(usual - rows.usual, 0.0) + prior))
