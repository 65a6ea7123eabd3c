"""How good are probabilities when rows count with weights, for many sets of weights at once?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

BINS = 10
"""Of the calibration loss: equally many rows each, as in `classification.calibration_loss`."""

AT_RISK = 0.1
"""Probability from which the mean probability is compared with the share of yeses."""

WEIGHTED_SCORES = (
    "auc_score",
    "average_precision_score",
    "top_decile_lift_score",
    "brier_loss",
    "brier_skill_score",
    "calibration_loss",
    "at_risk_ratio",
)
"""Names of what `RankedForecast.scores` gives; with all weights 1 those of `models.classification`."""


@dataclass(frozen=True)
class RankedForecast:
    """Outcomes and probabilities in the order of falling probability, sorted once for all sets of weights.

    Attributes
    ----------
    order
        Row of each place, shape (n,).
    outcomes, probabilities
        In that order, shape (n,).
    ends
        The last place of each group of equal probabilities.
    """

    order: npt.NDArray[np.intp]
    outcomes: FloatArray
    probabilities: FloatArray
    ends: npt.NDArray[np.intp]

    @classmethod
    def of(cls, outcomes: npt.ArrayLike, probabilities: npt.ArrayLike) -> RankedForecast:
        """Sort probabilities, shape (n,), with their outcomes, 0 or 1."""
        p = np.asarray(probabilities, dtype=np.float64)
        order = np.argsort(-p, kind="stable")
        ends = np.flatnonzero(np.append(np.diff(p[order]) != 0, True))
        return cls(order, np.asarray(outcomes, dtype=np.float64)[order], p[order], ends)

    def scores(self, weights: FloatArray) -> dict[str, FloatArray]:
        """Return WEIGHTED_SCORES for each set of weights.

        Parameters
        ----------
        weights
            How often each row counts, in the order the outcomes were given, shape (sets, n).

        Returns
        -------
        dict
            Name to an array of shape (sets,); NaN where a set has no yes or no no.
        """
        ranked = weights[:, self.order]
        yes_weights = ranked * self.outcomes
        taken, hits = np.cumsum(ranked, axis=1)[:, self.ends], np.cumsum(yes_weights, axis=1)[:, self.ends]
        total, yes = taken[:, -1], hits[:, -1]
        with np.errstate(divide="ignore", invalid="ignore"):
            brier = ranked @ (self.probabilities - self.outcomes) ** 2 / total
            share = yes / total
            at_risk = self.probabilities >= AT_RISK
            values = (
                _auc(taken, hits),
                np.sum(np.diff(hits, axis=1, prepend=0.0) * hits / np.maximum(taken, 1e-12), axis=1) / yes,
                _top_tenth(taken, hits) / share,
                brier,
                1 - brier / (share * (1 - share)),
                self._calibration(ranked) / total,
                ranked[:, at_risk] @ self.probabilities[at_risk] / yes_weights[:, at_risk].sum(axis=1),
            )
        return dict(zip(WEIGHTED_SCORES, values, strict=True))

    def _calibration(self, ranked: FloatArray) -> FloatArray:
        """Σ |Σ weight · (probability − outcome)| over bins that hold equally many rows before they are weighted."""
        gaps = ranked * (self.probabilities - self.outcomes)
        # From the lowest probability up, so that a remainder of rows falls to the same bins as in calibration_loss.
        parts = np.array_split(np.arange(len(self.order))[::-1], min(BINS, len(self.order)))
        return np.asarray(sum(np.abs(gaps[:, part].sum(axis=1)) for part in parts), dtype=np.float64)


def _auc(taken: FloatArray, hits: FloatArray) -> FloatArray:
    """Share of (yes, no) pairs in the right order, ties counting half."""
    misses = taken - hits
    above = (hits + np.concatenate([np.zeros((len(hits), 1)), hits[:, :-1]], axis=1)) / 2
    pairs = np.sum(np.diff(misses, axis=1, prepend=0.0) * above, axis=1)
    return np.asarray(pairs / (hits[:, -1] * misses[:, -1]), dtype=np.float64)


def _top_tenth(taken: FloatArray, hits: FloatArray) -> FloatArray:
    """Share of yeses in the tenth ranked first; ties at its edge count in proportion."""
    tenth = np.maximum(1.0, np.round(taken[:, -1] / 10))
    zero = np.zeros(1)
    found = [np.interp(size, np.append(zero, row), np.append(zero, hit)) for size, row, hit in zip(tenth, taken, hits, strict=True)]
    return np.asarray(found, dtype=np.float64) / tenth
