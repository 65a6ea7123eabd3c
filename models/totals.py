"""How far may the total of eight weeks be from its mean?

Not as far as the sum of the weeks' quantiles: high weeks and low ones cancel out, all the more the more orders are expected. And further
than if only chance moved it: the level itself is uncertain, for all eight weeks at once. So the ratio of the total to its mean is taken
from totals that the model has not seen, among pairs with about as many expected orders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.sizes import GRID
from models.stacking import Floats

ORDERS_PER_BIN = 400
MOST_BINS = 150
COVERED = 0.8
LOW_LEVEL = 0.1


@dataclass(frozen=True)
class TotalQuantiles:
    """Ratios of totals to their mean, by the number of orders that was expected.

    Attributes
    ----------
    edges
        Expected orders in eight weeks (the sum of the weeks' probabilities) between one bin and the next (bins - 1,).
    ratios
        Total over expected total at the probabilities of ``models.sizes.GRID`` (bins, 200), never falling along a row.
    """

    edges: Floats
    ratios: Floats

    def predict(self, expected_orders: Floats, mean_units: Floats, levels: Sequence[float]) -> Floats:
        """Return quantiles of totals, units (n, levels): never negative, never crossing.

        Parameters
        ----------
        expected_orders
            Sum of the probabilities of any demand over the weeks (n,).
        mean_units
            Expected total (n,).
        levels
            In rising order, between 0 and 1.

        Examples
        --------
        >>> totals = TotalQuantiles(np.empty(0), np.repeat([[0.0, 2.0]], 100, axis=1))
        >>> totals.predict(np.array([0.7]), np.array([6.0]), [0.1, 0.9]).tolist()
        [[0.0, 12.0]]
        """
        quantiles: Floats = self.ratios[self._bins(expected_orders)][:, [_cell(level) for level in levels]] * mean_units[:, None]
        return quantiles

    def interval(self, expected_orders: Floats, mean_units: Floats) -> tuple[Floats, Floats]:
        """Return the ends of an interval that holds 80 % of the totals, units (n,) each.

        It begins at the 10 % quantile and ends where 80 % are within. Where a total of 0 is likelier than 10 %, nothing lies below the
        interval, and it ends at the 80 % quantile; from the 10 % to the 90 % quantile there would be 90 %.

        Examples
        --------
        >>> totals = TotalQuantiles(np.empty(0), np.concatenate([np.zeros(100), np.linspace(1, 2, 100)])[None])
        >>> [end.round(1).tolist() for end in totals.interval(np.array([0.7]), np.array([10.0]))]
        [[0.0], [16.1]]
        """
        low = self.ratios[:, _cell(LOW_LEVEL)]
        below = (self.ratios < low[:, None]).mean(axis=1)
        high = np.array([row[_cell(share + COVERED)] for row, share in zip(self.ratios, below, strict=True)])
        bins = self._bins(expected_orders)
        return low[bins] * mean_units, high[bins] * mean_units

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold; ``from_json`` reads it back."""
        return {"edges": self.edges.tolist(), "ratios": self.ratios.tolist()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> TotalQuantiles:
        """Read what ``to_json`` wrote."""
        return cls(np.asarray(stored["edges"], dtype=np.float64), np.asarray(stored["ratios"], dtype=np.float64))

    def _bins(self, expected_orders: Floats) -> np.ndarray:
        return np.searchsorted(self.edges, expected_orders)


def fit_totals(expected_orders: Floats, mean_units: Floats, units: Floats) -> TotalQuantiles:
    """Learn how totals lie about their mean.

    Parameters
    ----------
    expected_orders, mean_units
        What was forecast of totals that the model has not seen (n,), at least one.
    units
        What came (n,).

    Returns
    -------
    TotalQuantiles
        At most 150 bins, with at least 400 expected orders each where there are so many.
    """
    edges = _edges(expected_orders)
    member = np.searchsorted(edges, expected_orders)
    # where nothing was expected there is no ratio, and any times nothing is nothing
    ratios = np.divide(units, mean_units, out=np.ones(units.size), where=mean_units > 0)
    laws = [np.quantile(ratios[member == b], GRID, method="inverted_cdf") for b in range(edges.size + 1)]
    return TotalQuantiles(edges, np.stack(laws))


def _edges(expected_orders: Floats) -> Floats:
    """Return where one bin ends and the next begins. Equal totals share a bin, and what is left after the last edge is a bin's worth."""
    values, member = np.unique(expected_orders, return_inverse=True)
    sums = np.cumsum(np.bincount(member, weights=expected_orders))
    enough = max(ORDERS_PER_BIN, sums[-1] / MOST_BINS)
    ends: list[int] = []
    reached = 0.0
    while reached + enough < sums[-1]:
        end = int(np.searchsorted(sums, reached + enough))
        reached = sums[end]
        if sums[-1] - reached >= enough:
            ends.append(end)
    edges: Floats = values[ends]
    return edges


def _cell(level: float) -> int:
    return min(int(level * GRID.size), GRID.size - 1)
