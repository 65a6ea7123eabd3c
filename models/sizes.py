"""Quantiles of lumpy demand: nothing with probability 1 - p, else an order of a size that such pairs were seen to order.

Orders come in packs: a smooth law would put its quantiles between them. So sizes are kept as they were: training orders are put into
bins by how likely they were and by the size the model expects, and each bin keeps the quantiles of the sizes that really came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.stacking import Floats, Integers

GRID = (np.arange(200) + 0.5) / 200
"""Probabilities at which each bin keeps a size."""

ORDERS_PER_BIN = 200
MOST_BINS = 256
"""Per law. On the weeks after a case, 64 bins of all orders together gave the pairs that order weekly 5 % more pinball loss: the bin of the
largest sizes was as wide as from 60 to 1000 units."""

CHANCE_EDGES = (0.10, 0.25, 0.50)
"""Orders are told apart by how likely they were: of two that were expected equally large, the rarer one has the longer tail."""


@dataclass(frozen=True)
class SizeLaw:
    """The sizes that orders had, given the size that was expected.

    Attributes
    ----------
    edges
        Expected sizes (units) between one bin and the next (bins - 1,).
    sizes
        Observed sizes at the probabilities of ``GRID``, units (bins, 200), never falling along a row.
    """

    edges: Floats
    sizes: Floats

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold; ``from_json`` reads it back."""
        return {"edges": self.edges.tolist(), "sizes": self.sizes.tolist()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> SizeLaw:
        """Read what ``to_json`` wrote."""
        return cls(np.asarray(stored["edges"], dtype=np.float64), np.asarray(stored["sizes"], dtype=np.float64))


@dataclass(frozen=True)
class SizeQuantiles:
    """The sizes that orders had, given how likely an order was and the size that was expected.

    Attributes
    ----------
    laws
        One per bin of ``CHANCE_EDGES``, or a single one for all.
    """

    laws: tuple[SizeLaw, ...]

    def predict(self, p_order: Floats, mean_units: Floats, levels: Sequence[float] | Floats) -> Floats:
        """Return quantiles of demand, units (n, levels): never negative, never crossing.

        With P(D = 0) = 1 - p the quantile at level q is 0 for q <= 1 - p, else the size's quantile at (q - 1 + p) / p.

        Parameters
        ----------
        p_order
            Probability of any demand (n,).
        mean_units
            Expected demand (n,), zeros included.
        levels
            In rising order, between 0 and 1: the same for all (levels,), or for each row its own (n, levels).

        Examples
        --------
        >>> sizes = SizeQuantiles((SizeLaw(np.empty(0), np.repeat([[6.0, 12.0]], 100, axis=1)),))
        >>> sizes.predict(np.array([0.6]), np.array([5.4]), [0.3, 0.5, 0.9]).tolist()
        [[0.0, 6.0, 12.0]]
        """
        p = np.clip(p_order, 1e-9, 1.0)
        asked = np.asarray(levels, dtype=np.float64)
        within = (np.broadcast_to(asked, (p.size, asked.shape[-1])) - (1.0 - p)[:, None]) / p[:, None]
        quantiles = np.zeros(within.shape)
        for law, member in self._members(p):
            bins = np.searchsorted(law.edges, mean_units[member] / p[member])
            cells = np.clip((within[member] * GRID.size).astype(np.int64), 0, GRID.size - 1)
            quantiles[member] = np.where(within[member] > 0, law.sizes[bins[:, None], cells], 0.0)
        return quantiles

    def p_less(self, p_order: Floats, mean_units: Floats, units: Floats) -> Floats:
        """Return P(D < units) of each row (n,), which is the least level whose quantile reaches those units; 0 for none.

        >>> sizes = SizeQuantiles((SizeLaw(np.empty(0), np.repeat([[6.0, 12.0]], 100, axis=1)),))
        >>> sizes.p_less(np.array([0.6, 0.6]), np.array([5.4, 5.4]), np.array([0.0, 12.0])).round(3).tolist()
        [0.0, 0.7]
        """
        p = np.clip(p_order, 1e-9, 1.0)
        less = np.zeros(p.size)
        for law, member in self._members(p):
            ordered = member[units[member] > 0]
            bins = np.searchsorted(law.edges, mean_units[ordered] / p[ordered])
            for position in np.unique(bins):
                rows = ordered[bins == position]
                smaller = np.searchsorted(law.sizes[position], units[rows]) / GRID.size
                less[rows] = 1.0 - p[rows] + p[rows] * smaller
        return less

    def _members(self, p: Floats) -> Iterator[tuple[SizeLaw, Integers]]:
        of_law = np.digitize(p, CHANCE_EDGES) if len(self.laws) > 1 else np.zeros(p.size, dtype=np.int64)
        for position, law in enumerate(self.laws):
            yield law, np.flatnonzero(of_law == position)

    def to_json(self) -> list[dict[str, Any]]:
        """Return what JSON can hold; ``from_json`` reads it back."""
        return [law.to_json() for law in self.laws]

    @classmethod
    def from_json(cls, stored: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> SizeQuantiles:
        """Read what ``to_json`` wrote; before there were laws by chance, a model stored a single one."""
        return cls(tuple(SizeLaw.from_json(law) for law in ([stored] if isinstance(stored, Mapping) else stored)))


def fit_sizes(p_order: Floats, mean_units: Floats, units: Floats) -> SizeQuantiles:
    """Keep the sizes of the orders among some forecasts.

    Parameters
    ----------
    p_order, mean_units
        What was forecast (n,). On weeks the model was taught on it expects too nearly what came; where to read the quantiles is
        learned on others (models.demand_calibration).
    units
        What came (n,); at least one above 0.

    Returns
    -------
    SizeQuantiles
        A law per bin of ``CHANCE_EDGES``, each of at most 256 bins of at least 200 orders; where a chance has fewer than one bin, the law
        of all orders.
    """
    ordered = units > 0
    chance = np.clip(p_order[ordered], 1e-9, 1.0)
    expected, actual = mean_units[ordered] / chance, units[ordered]
    of_law = np.digitize(chance, CHANCE_EDGES)
    laws = []
    for position in range(len(CHANCE_EDGES) + 1):
        member = of_law == position
        laws.append(_fit_law(expected[member], actual[member]) if member.sum() >= ORDERS_PER_BIN else _fit_law(expected, actual))
    return SizeQuantiles(tuple(laws))


def _fit_law(expected: Floats, actual: Floats) -> SizeLaw:
    bins = int(np.clip(actual.size // ORDERS_PER_BIN, 1, MOST_BINS))
    # edges are sizes that were expected, and none is the largest: every bin has orders, however many expect the same
    edges = np.unique(np.quantile(expected, np.arange(1, bins) / bins, method="inverted_cdf")) if bins > 1 else np.empty(0)
    edges = edges[edges < expected.max()]
    member = np.searchsorted(edges, expected)
    sizes = [np.quantile(actual[member == b], GRID, method="inverted_cdf") for b in range(edges.size + 1)]
    return SizeLaw(edges, np.stack(sizes))
