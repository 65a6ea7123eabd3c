"""The boosters of the mean: several of the same kind, each grown on its own draw of the rows, and what they say together.

One booster follows the few huge orders that it happened to be shown; the geometric mean of several does so less, and one of them that runs
away is held by the others. Their scores are logarithms, so their mean is again a sum of contributions of features.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np

from contracts.errors import TrackingError
from models.stacking import Floats, Integers, Matrix, StackedRows

DRAWN_SHARE = 0.65
"""Of the rows to train on: more make each member better, and less alike they are better together (docs/method.md)."""


@dataclass(frozen=True)
class MeanBoosters:
    """Boosters of log(mean / level).

    Attributes
    ----------
    members
        At least one, all of the same features.
    shift
        Added to the mean of their scores: a geometric mean lies below the arithmetic one, and with it the total is again the true one.
    """

    members: tuple[lgb.Booster, ...]
    shift: float

    def scores(self, matrix: Matrix, threads: int) -> Floats:
        """Return log(mean / level) of each row (n,)."""
        return self.shift + _mean([np.asarray(member.predict(matrix, raw_score=True, num_threads=threads)) for member in self.members])

    def contributions(self, matrix: Matrix, threads: int) -> Floats:
        """Return what each feature adds to the score, and last the score of an average row (n, features + 1); a row sums to its score."""
        parts = _mean([np.asarray(member.predict(matrix, pred_contrib=True, num_threads=threads)) for member in self.members])
        parts[:, -1] += self.shift
        return parts

    def gains(self) -> Floats:
        """Return the gain of each feature, summed over the members."""
        return np.asarray(np.sum([member.feature_importance("gain") for member in self.members], axis=0), dtype=np.float64)

    def save(self, folder: Path) -> None:
        """Write each member as LightGBM's text; ``shift`` is the caller's to keep."""
        for number, member in enumerate(self.members):
            member.save_model(folder / _file(number))

    @classmethod
    def load(cls, folder: Path, members: int | None, shift: float) -> MeanBoosters:
        """Read what ``save`` wrote; None for ``members`` reads the one booster of a version that had no more.

        Raises
        ------
        TrackingError
            If a file is missing.
        """
        files = ["mean.txt"] if members is None else [_file(number) for number in range(members)]
        missing = [name for name in files if not (folder / name).exists()]
        if missing:
            raise TrackingError(
                f"demand model: no {', '.join(missing)} in {folder}", hint="train again, or restore the tracking store's artifacts"
            )
        return cls(tuple(lgb.Booster(model_file=folder / name) for name in files), shift)


def fit_members(
    rows: StackedRows, members: int, most_rows: int, seed: int, grow: Callable[[StackedRows, int], lgb.Booster], threads: int
) -> MeanBoosters:
    """Grow the members, each from its own draw of the rows.

    Parameters
    ----------
    rows
        All of them (n rows).
    members
        How many to grow.
    most_rows
        Of which each member is grown on ``DRAWN_SHARE`` at most: where no more rows are there, each sees them all.
    seed
        Of the draws; member k is grown with seed + k.
    grow
        Returns the booster of some rows and a seed.
    """
    most = max(round(DRAWN_SHARE * most_rows), 1)
    grown = []
    for number in range(members):
        drawn = rows if rows.units.size <= most or members == 1 else rows.take(_drawn(rows.units.size, most, [seed, number]))
        grown.append(grow(drawn, seed + number))
    unshifted = MeanBoosters(tuple(grown), 0.0)
    if members == 1:
        return unshifted
    found = float((rows.level * np.exp(unshifted.scores(rows.features, threads))).sum())
    return MeanBoosters(unshifted.members, float(np.log(rows.units.sum() / found)))


def _drawn(n: int, most: int, seed: list[int]) -> Integers:
    return np.sort(np.random.default_rng(seed).permutation(n)[:most])


def _file(number: int) -> str:
    return f"mean_{number}.txt"


def _mean(parts: list[Floats]) -> Floats:
    return np.asarray(np.mean(parts, axis=0), dtype=np.float64)
