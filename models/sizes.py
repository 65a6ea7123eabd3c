"""Quantiles of lumpy demand: nothing with probability 1 - p, else an order of a size that such pairs were seen to order.

Orders come in packs: a smooth law would put its quantiles between them. So sizes are kept as they were: training orders are put into
bins by the size the model expects, and each bin keeps the quantiles of the sizes that really came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.stacking import Floats

GRID = (np.arange(200) + 0.5) / 200
"""Probabilities at which each bin keeps a size."""

ORDERS_PER_BIN = 400
MOST_BINS = 64


@dataclass(frozen=True)
class SizeQuantiles:
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

    def predict(self, p_order: Floats, mean_units: Floats, levels: Sequence[float]) -> Floats:
        """Return quantiles of demand, units (n, levels): never negative, never crossing.

        With P(D = 0) = 1 - p the quantile at level q is 0 for q <= 1 - p, else the size's quantile at (q - 1 + p) / p.

        Parameters
        ----------
        p_order
            Probability of any demand (n,).
        mean_units
            Expected demand (n,), zeros included.
        levels
            In rising order, between 0 and 1.

        Examples
        --------
        >>> sizes = SizeQuantiles(np.empty(0), np.repeat([[6.0, 12.0]], 100, axis=1))
        >>> sizes.predict(np.array([0.6]), np.array([5.4]), [0.3, 0.5, 0.9]).tolist()
        [[0.0, 6.0, 12.0]]
        """
        p = np.clip(p_order, 1e-9, 1.0)
        bins = np.searchsorted(self.edges, mean_units / p)
        quantiles = np.zeros((p.size, len(levels)))
        for position, level in enumerate(levels):
            within = (level - (1.0 - p)) / p
            ordered = within > 0
            cell = np.minimum((within[ordered] * GRID.size).astype(np.int64), GRID.size - 1)
            quantiles[ordered, position] = self.sizes[bins[ordered], cell]
        return quantiles

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold; ``from_json`` reads it back."""
        return {"edges": self.edges.tolist(), "sizes": self.sizes.tolist()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> SizeQuantiles:
        """Read what ``to_json`` wrote."""
        return cls(np.asarray(stored["edges"], dtype=np.float64), np.asarray(stored["sizes"], dtype=np.float64))


def fit_sizes(p_order: Floats, mean_units: Floats, units: Floats) -> SizeQuantiles:
    """Keep the sizes of the orders among some forecasts.

    Parameters
    ----------
    p_order, mean_units
        What was forecast (n,), best on weeks the model has not seen.
    units
        What came (n,); at least one above 0.

    Returns
    -------
    SizeQuantiles
        At most 64 bins of at least 400 orders each (one bin where there are fewer).
    """
    ordered = units > 0
    expected = mean_units[ordered] / np.clip(p_order[ordered], 1e-9, 1.0)
    actual = units[ordered]
    bins = int(np.clip(actual.size // ORDERS_PER_BIN, 1, MOST_BINS))
    edges = np.unique(np.quantile(expected, np.arange(1, bins) / bins)) if bins > 1 else np.empty(0)
    member = np.searchsorted(edges, expected)
    sizes = [
        np.quantile(actual[member == b] if (member == b).any() else actual, GRID, method="inverted_cdf") for b in range(edges.size + 1)
    ]
    return SizeQuantiles(edges, np.asarray(sizes))
