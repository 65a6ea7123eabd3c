"""How likely is an outcome of a retailer, by boosted trees calibrated on a later origin, and between which bounds does that lie?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.calibration_misfit import misfit_variance
from models.churn_columns import HORIZON, ChurnColumns
from models.churn_interval import Curves, curves_of_odds
from models.churn_trees import ChurnSettings, TreeHalves, grow_halves, pair_variance
from models.clustered_platt import ClusteredPlatt, fit_clustered_platt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CalibratedTrees:
    """An ensemble of trees, the map that calibrates it, and how far its members usually lie apart.

    Attributes
    ----------
    trees
        Grown on all that is known.
    calibration
        One map for all horizons, of an ensemble that knew no outcome it was calibrated on.
    usual_variance
        Mean `pair_variance` over the rows of the fit: what a retailer's own, from few pairs, is drawn to. None in earlier versions.
    misfit
        By horizon, the `misfit_variance` that the one map leaves there.
    """

    trees: TreeHalves
    calibration: ClusteredPlatt
    usual_variance: float | None
    misfit: Mapping[int, float] = field(default_factory=dict)

    def curves(self, retailers: pd.DataFrame, horizons: Sequence[int]) -> Curves:
        """Return P(outcome) for each horizon; the bounds are NaN for a model of an earlier version.

        The variance of the log-odds is that of the calibration (delta method), plus slope² times that of the trees, plus the misfit.

        Parameters
        ----------
        retailers
            One row per retailer: the features.
        horizons
            Weeks, rising.
        """
        curves, variances = [], []
        matrix = self.trees.columns.matrix(retailers, horizons[0])
        for weeks in horizons:
            matrix[:, -1] = weeks
            odds = self.trees.odds_of(matrix)
            mean = odds.mean(axis=0)
            curves.append(self.calibration.apply(mean))
            of_trees = self.calibration.slope**2 * self._tree_variance(odds)
            variances.append(self.calibration.variance(mean) + of_trees + self.misfit.get(weeks, 0.0))
        return curves_of_odds(np.column_stack(curves), np.column_stack(variances))

    def contributions(self, retailers: pd.DataFrame, horizon: int, groups: Sequence[str]) -> FloatArray:
        """Return what each group of features adds to the calibrated log-odds, shape (retailers, groups)."""
        shares = self.trees.contributions(retailers, horizon)
        return self.calibration.slope * self.trees.columns.by_group(shares, groups)

    def to_json(self) -> dict[str, Any]:
        """Return all but the trees, as JSON can hold it."""
        misfit = {str(weeks): variance for weeks, variance in self.misfit.items()}
        return {"calibration": asdict(self.calibration), "usual_variance": self.usual_variance, "misfit": misfit}

    @classmethod
    def from_stored(cls, trees: TreeHalves, stored: Mapping[str, Any]) -> Self:
        """Return what ``to_json`` described, around its trees; what an earlier version lacks is unknown."""
        misfit = {int(weeks): variance for weeks, variance in stored.get("misfit", {}).items()}
        return cls(trees, ClusteredPlatt.from_json(stored["calibration"]), stored.get("usual_variance"), misfit)

    def _tree_variance(self, odds: FloatArray) -> FloatArray:
        """Variance of the mean of the members; a retailer's own from k pairs counts as much as the usual one."""
        if self.usual_variance is None:
            return np.full(odds.shape[1], np.nan)
        return (pair_variance(odds) + self.usual_variance) / 2


def fit_calibrated_trees(
    train: pd.DataFrame,
    calibrate: pd.DataFrame,
    known: pd.DataFrame,
    outcome: str,
    columns: ChurnColumns,
    settings: ChurnSettings,
    grown: TreeHalves | None = None,
) -> CalibratedTrees:
    """Return trees grown on all that is known, with the calibration of trees that knew only ``train``.

    The newest half year is worth too much to serve calibration alone: what it says of the trees of ``train`` is taken to hold for those
    that learned from it too, who saw more and are, if anything, too cautious under it.

    Parameters
    ----------
    train, calibrate, known
        One row per retailer, origin and horizon: retailer_id, horizon_weeks, the outcome and the features. The origins of ``calibrate``
        lie after the windows of ``train``; ``known`` are all rows that may be learned from.
    outcome
        Column that is foretold: boolean, or 0 and 1.
    columns
        What the trees see.
    settings
        How to grow them.
    grown
        Trees that were grown on ``train`` with the same columns and settings, where there are such: the first of their members are those
        that would be grown again.
    """
    n_early = max(2, settings.members // 4 * 2)
    early = grow_halves(train, outcome, columns, settings, n_early) if grown is None else replace(grown, members=grown.members[:n_early])
    odds = early.odds(calibrate, calibrate[HORIZON]).mean(axis=0)
    silent, retailers = calibrate[outcome].to_numpy(dtype=bool), calibrate["retailer_id"].to_numpy()
    calibration = fit_clustered_platt(odds, silent, retailers)
    misfit = {
        weeks: misfit_variance(calibration.apply(odds[rows]), silent[rows], retailers[rows])
        for weeks, rows in ((int(weeks), (calibrate[HORIZON] == weeks).to_numpy()) for weeks in calibrate[HORIZON].unique())
    }
    trees = grow_halves(known, outcome, columns, settings, settings.members)
    variance = float(pair_variance(trees.odds(known, known[HORIZON])).mean())
    return CalibratedTrees(trees, calibration, variance, misfit)
