"""How far did the values of a feature or a score move from where they were when the model was trained?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.errors import TrackingError

Integers = npt.NDArray[np.int64]

FEATURE_BINS = "feature_bins.json"
"""File inside a registered model that says how its inputs were spread."""

BINS = 10
"""Of equally many rows, the usual number (Siddiqi 2006)."""

MOST_ROWS = 50_000
"""Rows from which the usual movement is read; every so manieth of more."""

HALF_A_ROW = 0.5
"""Added to each bin, so that an empty one does not make the index infinite (Agresti 2013, section 3.1)."""


@dataclass(frozen=True)
class FeatureBins:
    """How the values of one feature were spread.

    Attributes
    ----------
    edges
        Upper ends of all bins of numbers but the last, rising, inclusive; none for texts.
    texts
        Values of a text, a bin each; one bin more holds all others. None for numbers.
    counts
        Rows per bin; the last bin is that of missing values.
    usual
        Largest index of an earlier cut-off of the training against this one: so far it moves by itself, with seasons and supply.
    """

    edges: tuple[float, ...]
    texts: tuple[str, ...]
    counts: tuple[int, ...]
    usual: float = 0.0

    @classmethod
    def of(cls, values: pd.Series, bins: int = BINS) -> FeatureBins:
        """Cut values into bins of about equally many rows; where many rows have one value there are fewer.

        >>> FeatureBins.of(pd.Series([0.0, 0.0, 0.0, 1.0, 2.0, None]), bins=3)
        FeatureBins(edges=(0.0, 1.0), texts=(), counts=(3, 1, 1, 1), usual=0.0)
        """
        if _is_text(values):
            empty = cls((), tuple(sorted(str(text) for text in values.dropna().unique())), ())
        else:
            known = values.dropna().to_numpy(dtype=np.float64)
            levels = np.arange(1, bins) / bins
            cuts = np.unique(np.quantile(known, levels, method="inverted_cdf")) if known.size else np.empty(0)
            empty = cls(tuple(float(cut) for cut in cuts), (), ())
        return cls(empty.edges, empty.texts, tuple(int(count) for count in empty.count(values)))

    def count(self, values: pd.Series) -> Integers:
        """Count other values in the same bins, the missing ones last."""
        missing = values.isna().to_numpy()
        # what training saw decides: a column of numbers in which none is left may come back as objects
        if self.texts or (not self.edges and _is_text(values)):
            codes = pd.Index(self.texts).get_indexer(pd.Index(values.astype(object)))
            place, bins = np.where(codes < 0, len(self.texts), codes), len(self.texts) + 1
        else:
            place, bins = np.searchsorted(self.edges, values.to_numpy(dtype=np.float64), side="left"), len(self.edges) + 1
        return np.bincount(np.where(missing, bins, place), minlength=bins + 1).astype(np.int64)

    def names(self) -> list[str]:
        """Say what each bin holds."""
        if self.texts:
            return [*self.texts, "another value", "no value"]
        if not self.edges:
            return ["any value", "no value"]
        edges = [f"{edge:.4g}" for edge in self.edges]
        between = [f"{low} to {high}" for low, high in pairwise(edges)]
        return [f"at most {edges[0]}", *between, f"above {edges[-1]}", "no value"]


def _is_text(values: pd.Series) -> bool:
    return not (pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values))


@dataclass(frozen=True)
class Population:
    """How the inputs of a model were spread as of one Sunday.

    Attributes
    ----------
    as_of
        The Sunday, as text.
    retailers
        How many there were: rows of one retailer move together, so they count as one in sampling errors.
    features
        By name.
    """

    as_of: str
    retailers: int
    features: Mapping[str, FeatureBins]

    @classmethod
    def of(cls, rows: pd.DataFrame, names: Sequence[str], as_of: str) -> Population:
        """Describe rows with ``retailer_id`` and the named features."""
        return cls(as_of, int(rows.retailer_id.nunique()), {name: FeatureBins.of(rows[name]) for name in names})

    def seen(self, rows: pd.DataFrame) -> Population:
        """Remember how far the features of an earlier cut-off lie from these."""
        thinned = rows.iloc[:: -(-len(rows) // MOST_ROWS)] if len(rows) > MOST_ROWS else rows
        features = {
            name: replace(bins, usual=max(bins.usual, population_stability_index(bins.counts, bins.count(thinned[name]))))
            for name, bins in self.features.items()
        }
        return replace(self, features=features)

    def save(self, file: Path) -> None:
        """Write the description as JSON."""
        stored = {"as_of": self.as_of, "retailers": self.retailers, "features": {n: asdict(bins) for n, bins in self.features.items()}}
        file.write_text(json.dumps(stored, indent=1, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, file: Path) -> Population | None:
        """Read what `save` wrote; None where a model of an earlier version of uncap has none.

        Raises
        ------
        TrackingError
            If the file is there and cannot be understood.
        """
        if not file.exists():
            return None
        try:
            stored = json.loads(file.read_text(encoding="utf-8"))
            features = {
                name: FeatureBins(
                    tuple(map(float, bins["edges"])), tuple(map(str, bins["texts"])), tuple(map(int, bins["counts"])), float(bins["usual"])
                )
                for name, bins in stored["features"].items()
            }
            return cls(str(stored["as_of"]), int(stored["retailers"]), features)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TrackingError(
                f"{file}: not the spread of features that a training writes: {error}",
                hint="train again, or restore the tracking store's artifacts",
            ) from error


def population_stability_index(before: npt.ArrayLike, now: npt.ArrayLike) -> float:
    """Return Σ (p − q) ln(p / q) of the shares p now and q before, over the bins (Siddiqi 2006; twice the Jeffreys divergence's half sum).

    Parameters
    ----------
    before, now
        Rows per bin (bins,).

    Examples
    --------
    >>> round(population_stability_index([500, 500], [500, 500]), 6), round(population_stability_index([500, 500], [700, 300]), 3)
    (0.0, 0.169)
    """
    q, p = (_shares(np.asarray(counts, dtype=np.float64)) for counts in (before, now))
    return float(np.sum((p - q) * np.log(p / q)))


def _shares(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    padded = counts + HALF_A_ROW
    return np.asarray(padded / padded.sum())


def filled_bins(before: npt.ArrayLike, now: npt.ArrayLike) -> int:
    """Count the bins that hold a row before or now."""
    return int(np.count_nonzero(np.asarray(before) + np.asarray(now)))


def chance_index(bins: int, before: int, now: int) -> tuple[float, float]:
    """Return mean and standard deviation of the index of two samples of one population, when nothing moved.

    It is about (1/n + 1/m) χ² with bins − 1 degrees of freedom (Yurdakul and Naranjo 2020), so it is never 0, and large where n is small.

    Parameters
    ----------
    bins
        That hold any row.
    before, now
        Independent draws in each sample, such as retailers.

    Examples
    --------
    >>> [round(figure, 4) for figure in chance_index(10, 3000, 3000)], [round(figure, 3) for figure in chance_index(10, 120, 120)]
    ([0.006, 0.0028], [0.15, 0.071])
    """
    if bins < 2 or min(before, now) < 1:
        return 0.0, 0.0
    scale = 1.0 / before + 1.0 / now
    return scale * (bins - 1), scale * (2 * (bins - 1)) ** 0.5


def moved_most(bins: FeatureBins, now: npt.ArrayLike) -> str:
    """Say which bin's share changed most.

    >>> moved_most(FeatureBins((0.0,), (), (50, 50, 0)), [80, 20, 0])
    'at most 0: 50 % of the rows then, 80 % now'
    """
    before, after = (np.asarray(counts, dtype=np.float64) for counts in (bins.counts, now))
    q, p = before / max(before.sum(), 1.0), after / max(after.sum(), 1.0)
    place = int(np.argmax(np.abs(p - q)))
    return f"{bins.names()[place]}: {q[place]:.0%} of the rows then, {p[place]:.0%} now".replace("%", " %")
