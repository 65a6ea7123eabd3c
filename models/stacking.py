"""From one row per pair to one row per pair and horizon: the matrix that a model of all horizons learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from contracts.weeks import HORIZONS

Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class FeatureSpace:
    """Which columns a model sees, in what order, and what the codes of its texts stand for.

    Attributes
    ----------
    plain
        Columns of the pair that hold for all horizons.
    seasonal
        Columns that have one version per horizon, ``{name}_{h}``.
    calendar
        Columns of the target week.
    categories
        Text columns with their values in the order of their codes; a value not listed is missing.
    """

    plain: tuple[str, ...]
    seasonal: tuple[str, ...]
    calendar: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the matrix' columns in order."""
        return (*self.plain, *self.categories, *self.seasonal, *self.calendar, "horizon_weeks")

    @property
    def categorical(self) -> list[int]:
        """Positions of the columns that hold codes."""
        return list(range(len(self.plain), len(self.plain) + len(self.categories)))

    def missing_from(self, pairs: pa.Table) -> list[str]:
        """Return the columns it takes of pairs that are not there: another version made the features."""
        seasonal = [f"{name}_{horizon}" for name in self.seasonal for horizon in HORIZONS]
        return [name for name in (*self.plain, *self.categories, *seasonal) if name not in pairs.column_names]

    def pair_block(self, pairs: pa.Table) -> Matrix:
        """Return the columns that hold for all horizons, one row per pair; unknown values are NaN."""
        block = np.empty((pairs.num_rows, len(self.plain) + len(self.categories)), dtype=np.float32)
        for position, name in enumerate(self.plain):
            block[:, position] = column(pairs, name)
        for position, (name, values) in enumerate(self.categories.items(), start=len(self.plain)):
            codes = pc.index_in(pairs[name].combine_chunks(), value_set=pa.array(values, pa.string()))
            block[:, position] = codes.cast(pa.float32()).to_numpy(zero_copy_only=False)
        return block

    def horizon_block(self, pairs: pa.Table, horizon: int, week: Mapping[str, float]) -> Matrix:
        """Return the columns that depend on the target week, one row per pair."""
        block = np.empty((pairs.num_rows, len(self.seasonal) + len(self.calendar) + 1), dtype=np.float32)
        for position, name in enumerate(self.seasonal):
            block[:, position] = column(pairs, f"{name}_{horizon}")
        block[:, len(self.seasonal) : -1] = np.array([week[name] for name in self.calendar], dtype=np.float32)
        block[:, -1] = horizon
        return block

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold; ``from_json`` reads it back."""
        return {
            "plain": list(self.plain),
            "seasonal": list(self.seasonal),
            "calendar": list(self.calendar),
            "categories": {name: list(values) for name, values in self.categories.items()},
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> FeatureSpace:
        """Read what ``to_json`` wrote."""
        categories = {name: tuple(values) for name, values in stored["categories"].items()}
        return cls(tuple(stored["plain"]), tuple(stored["seasonal"]), tuple(stored["calendar"]), categories)


@dataclass(frozen=True)
class StackedRows:
    """Training rows, one per pair, cut-off and horizon.

    Attributes
    ----------
    features
        Matrix (n, number of features) in the order of the feature space.
    units
        True demand of the target week, units (n,).
    level
        The pair's own level before the cut-off, units a week (n,), above 0.
    settled
        True demand as recovered when more was known, units (n,); None where that is ``units``.
    floored
        Whether a floor hid if anything was wanted (n,): the units are an expectation, and no order or none; None where none is.
    """

    features: Matrix
    units: Floats
    level: Floats
    settled: Floats | None = None
    floored: Flags | None = None

    @property
    def ordered(self) -> Flags:
        """Whether something is known to have been wanted (n,)."""
        wanted: Flags = self.units > 0
        return wanted if self.floored is None else wanted & ~self.floored

    def take(self, which: Integers) -> StackedRows:
        """Return some of the rows."""
        settled = None if self.settled is None else self.settled[which]
        floored = None if self.floored is None else self.floored[which]
        return StackedRows(self.features[which], self.units[which], self.level[which], settled, floored)

    def settle(self) -> StackedRows:
        """Return the rows with the true demand that was recovered when more was known."""
        return self if self.settled is None else StackedRows(self.features, self.settled, self.level, floored=self.floored)

    @classmethod
    def concatenate(cls, parts: Sequence[StackedRows]) -> StackedRows:
        """Put the rows of several cut-offs under each other."""
        settled = [part.units if part.settled is None else part.settled for part in parts]
        floored = [np.zeros(part.units.size, dtype=bool) if part.floored is None else part.floored for part in parts]
        return cls(
            np.concatenate([part.features for part in parts]),
            np.concatenate([part.units for part in parts]),
            np.concatenate([part.level for part in parts]),
            np.concatenate(settled) if any(part.settled is not None for part in parts) else None,
            np.concatenate(floored) if any(part.floored is not None for part in parts) else None,
        )


def sample_rows(
    space: FeatureSpace,
    pairs: pa.Table,
    calendar: Sequence[Mapping[str, float]],
    horizons: Sequence[int],
    rows: int,
    seed: int | Sequence[int],
) -> StackedRows:
    """Draw pair-horizons of one cut-off at random, each at most once, leaving out weeks of which nothing was learned.

    Parameters
    ----------
    pairs
        Pair features of one cut-off with the columns ``target_1`` … ``target_8`` (units; null is a week that was closed), and perhaps
        ``settled_1`` … ``settled_8``: the same weeks as recovered when more was known, and ``target_1_floored`` … ``target_8_floored``.
    calendar
        One mapping of calendar columns per horizon, the first for horizon 1.
    horizons
        Those whose target week is known already.
    rows
        How many to draw at most.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(pairs.num_rows * len(horizons))[:rows]
    of_horizon = np.asarray(horizons)[chosen // pairs.num_rows]
    base, level = space.pair_block(pairs), level_units(pairs)
    parts = []
    for horizon in horizons:
        index = np.sort(chosen[of_horizon == horizon] % pairs.num_rows)
        units = column(pairs, f"target_{horizon}")[index]
        index, units = index[~np.isnan(units)], units[~np.isnan(units)]
        late = space.horizon_block(pairs.take(pa.array(index)), horizon, calendar[horizon - 1])
        settled = column(pairs, f"settled_{horizon}")[index] if f"settled_{horizon}" in pairs.column_names else None
        name = f"target_{horizon}_floored"
        floored = column(pairs, name)[index] > 0 if name in pairs.column_names else np.zeros(index.size, dtype=bool)
        parts.append(StackedRows(np.hstack([base[index], late]), units, level[index], settled, floored if floored.any() else None))
    return StackedRows.concatenate(parts)


LEVEL_WEIGHTS = {"mean_13w": 0.5, "mean_26w": 0.3, "mean_52w": 0.2}
"""How much each mean counts for a pair's level."""

PEER_SHARE = 0.1
"""The level is never below this share of what peers buy: a level near zero makes the forecast run away."""

LOWEST_LEVEL = 0.01
"""Units a week below which no level falls: one unit in two years."""


def level_units(pairs: pa.Table) -> Floats:
    """Return what each pair is known to want, units a week: a weighted mean of its own means, never far below its peers' level.

    A pair without a history has its peers' level.
    """
    peers = np.nan_to_num(column(pairs, "peer_units"))
    weighted, weights = np.zeros(pairs.num_rows), np.zeros(pairs.num_rows)
    for name, weight in LEVEL_WEIGHTS.items():
        mean = column(pairs, name)
        known = ~np.isnan(mean)
        weighted[known] += weight * mean[known]
        weights[known] += weight
    own = np.divide(weighted, weights, out=peers.copy(), where=weights > 0)
    return np.maximum(np.maximum(own, PEER_SHARE * peers), LOWEST_LEVEL)


def column(rows: pa.Table, name: str) -> Floats:
    """Return a numeric column as floats, nulls as NaN."""
    values: Floats = rows[name].to_numpy(zero_copy_only=False).astype(np.float64)
    return values


def feature_space(
    pairs: pa.Table, plain: Sequence[str], seasonal: Sequence[str], calendar: Sequence[str], categorical: Sequence[str]
) -> FeatureSpace:
    """Fix the columns and the codes of texts from the rows of training.

    Plain and categorical columns that hold one value only are left out: they say nothing.
    """
    texts = {name: tuple(sorted(pc.unique(pairs[name]).drop_null().to_pylist())) for name in categorical}
    varied = tuple(name for name in plain if _varies(column(pairs, name)))
    return FeatureSpace(varied, tuple(seasonal), tuple(calendar), {name: v for name, v in texts.items() if len(v) > 1})


def _varies(values: Floats) -> bool:
    known = values[~np.isnan(values)]
    return known.size > 0 and (known.size < values.size or known.min() < known.max())
