"""Boosted trees of the mean size of orders when caps and floors hid some: LightGBM on the likelihood of interval-censored counts.

The law of a size is negative binomial given that something was ordered (models.censored_likelihood). Trees learn departures from a starter
mean that must itself be a censored estimate: at orders taken as demand the second derivative of a capped row is near 0, and Newton steps
explode. It is kept above a share of mu / (1 + alpha·mu), its value for a count that is not censored at its mean. The dispersion alpha is
estimated per class of items from the censored likelihood of all rows, again every few rounds, for it depends on the means.

Features must not tell in which weeks a cap was in force (the cap itself, the week's or the neighbours' share at the cap): trees then part
rationed weeks from open ones, nothing holds the mean down where all orders are at their cap, and recovery overshoots (docs/method.md).
Nor may a mean that leaves the row out be a feature beside the mean with it: the difference is the answer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np

from contracts.errors import TrackingError
from models.censored_likelihood import conditional_quantile, expected_units, gradient_and_hessian, profiled_alpha
from models.stacking import Floats, Integers, Matrix

LEAST_START = 0.1
"""Units below which no starter mean falls."""

PROFILE_ROWS = 20_000
"""About so many rows of a class tell its dispersion."""

FARTHEST_LOG = 30.0
"""No mean departs from its starter by more than e to this power, whatever features it meets later."""


@dataclass(frozen=True)
class CensoredBoostingSettings:
    """How the trees are grown.

    Attributes
    ----------
    rounds, leaves, min_rows_per_leaf, learning_rate, feature_fraction
        As in LightGBM.
    hessian_floor
        Least second derivative, as a share of mu / (1 + alpha·mu); 0.02 to 0.25.
    rounds_per_alpha
        After so many rounds the dispersions are estimated again.
    threads, seed
        Of LightGBM.
    """

    rounds: int
    leaves: int
    min_rows_per_leaf: int
    learning_rate: float
    threads: int
    seed: int
    feature_fraction: float = 0.8
    hessian_floor: float = 0.1
    rounds_per_alpha: int = 25

    def lightgbm(self) -> dict[str, Any]:
        """Return the parameters as LightGBM names them; there is no bagging, which would leave rows out of the derivatives."""
        return {
            "objective": "none",
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.min_rows_per_leaf,
            "learning_rate": self.learning_rate,
            "feature_fraction": self.feature_fraction,
            "num_threads": self.threads,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }


@dataclass(frozen=True)
class CensoredBoosting:
    """A fitted law of order sizes.

    Attributes
    ----------
    booster
        Of log(mu / start).
    alpha
        Dispersion by class (classes,); a class beyond them, and one without rows, has that of all rows.
    overall_alpha
        Dispersion of all rows.
    """

    booster: lgb.Booster
    alpha: Floats
    overall_alpha: float

    def means(self, features: Matrix, start: Floats, threads: int = 0) -> Floats:
        """Return mu, the mean of the whole law, units (n,); parameters as in ``fit_censored``, 0 threads are LightGBM's default."""
        departure = np.asarray(self.booster.predict(features, raw_score=True, num_threads=threads), dtype=np.float64)
        return np.maximum(start, LEAST_START) * np.exp(np.clip(departure, -FARTHEST_LOG, FARTHEST_LOG))

    def alphas(self, classes: Integers) -> Floats:
        """Return the dispersion of each row (n,)."""
        known = np.append(self.alpha, self.overall_alpha)
        return known[np.where(classes < self.alpha.size, classes, self.alpha.size)]

    def expected(self, features: Matrix, lower: Floats, upper: Floats, start: Floats, classes: Integers, threads: int = 0) -> Floats:
        """Return E[size | lower <= size <= upper] given an order, units (n,), within the bounds; parameters as in ``fit_censored``."""
        return expected_units(*_of_orders(lower, upper), self.means(features, start, threads), self.alphas(classes))

    def quantiles(
        self,
        features: Matrix,
        lower: Floats,
        upper: Floats,
        start: Floats,
        classes: Integers,
        levels: Sequence[float],
        threads: int = 0,
    ) -> Floats:
        """Return conditional quantiles of the size, units (n, levels), whole steps above ``lower``, not crossing where levels rise."""
        law = (self.means(features, start, threads), self.alphas(classes))
        interval = _of_orders(lower, upper)
        return np.column_stack([conditional_quantile(level, *interval, *law) for level in levels])

    def save(self, folder: Path) -> None:
        """Write the model as text: a LightGBM file and a JSON file."""
        folder.mkdir(parents=True, exist_ok=True)
        self.booster.save_model(folder / "sizes.txt")
        described = {"alpha": self.alpha.tolist(), "overall_alpha": self.overall_alpha}
        (folder / "dispersion.json").write_text(json.dumps(described))

    @classmethod
    def load(cls, folder: Path) -> CensoredBoosting:
        """Read what ``save`` wrote.

        Raises
        ------
        TrackingError
            If a file is missing.
        """
        missing = [name for name in ("sizes.txt", "dispersion.json") if not (folder / name).exists()]
        if missing:
            raise TrackingError(
                f"model of order sizes: no {', '.join(missing)} in {folder}", hint="train again, or restore the tracking store's artifacts"
            )
        described = json.loads((folder / "dispersion.json").read_text())
        alpha = np.asarray(described["alpha"], dtype=np.float64)
        return cls(lgb.Booster(model_file=folder / "sizes.txt"), alpha, described["overall_alpha"])


def fit_censored(
    features: Matrix,
    lower: Floats,
    upper: Floats,
    start: Floats,
    classes: Integers,
    settings: CensoredBoostingSettings,
    weight: Floats | None = None,
) -> CensoredBoosting:
    """Grow trees on cells in which something was ordered.

    Parameters
    ----------
    features
        Matrix (n, k) of what is known of retailer, SKU and week, nothing of caps in force; NaN is unknown.
    lower, upper
        What is known of each size, units (n,): equal where it was not hidden, ``inf`` for no upper bound, 0 for no lower one.
    start
        Starter mean of each row, units (n,), from an estimate that already allows for the caps.
    classes
        Class of the dispersion of each row (n,), codes from 0.
    weight
        How much each row counts (n,), one half where a band's cap was used up; None is 1 each.
    """
    lower, upper = _of_orders(lower, upper)
    rows_weight = np.ones(lower.shape) if weight is None else weight
    base = np.log(np.maximum(start, LEAST_START))
    rows = lgb.Dataset(features, lower, weight=rows_weight, init_score=base, params=settings.lightgbm(), free_raw_data=True)
    booster = lgb.Booster(settings.lightgbm(), rows)
    dispersion, overall = _profiled(lower, upper, np.exp(base), rows_weight, classes)

    def derivatives(score: Floats, _rows: lgb.Dataset) -> tuple[Floats, Floats]:
        mu, alpha = np.exp(np.clip(score, base - FARTHEST_LOG, base + FARTHEST_LOG)), dispersion[classes]
        gradient, hessian = gradient_and_hessian(lower, upper, mu, alpha, ordered=True)
        hessian = np.maximum(hessian, settings.hessian_floor * mu / (1.0 + alpha * mu))
        return rows_weight * gradient, rows_weight * hessian

    score = base
    for done in range(1, settings.rounds + 1):
        booster.update(fobj=derivatives)
        if done % settings.rounds_per_alpha == 0 or done == settings.rounds:
            score = base + np.asarray(booster.predict(features, raw_score=True))
            dispersion, overall = _profiled(lower, upper, np.exp(score), rows_weight, classes)
    return CensoredBoosting(booster, dispersion, overall)


def _of_orders(lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """An order is of one unit at least."""
    return np.maximum(lower, 1.0), np.maximum(upper, 1.0)


def _profiled(lower: Floats, upper: Floats, mu: Floats, weight: Floats, classes: Integers) -> tuple[Floats, float]:
    """Return the dispersion of each class, and of all rows, which also stands for classes without rows."""
    overall = _profiled_on(np.arange(mu.size), lower, upper, mu, weight)
    alpha = np.full(int(classes.max(initial=0)) + 1, overall)
    for group in np.unique(classes):
        alpha[group] = _profiled_on(np.flatnonzero(classes == group), lower, upper, mu, weight)
    return alpha, overall


def _profiled_on(rows: Integers, lower: Floats, upper: Floats, mu: Floats, weight: Floats) -> float:
    some = rows[:: max(1, rows.size // PROFILE_ROWS)]
    return profiled_alpha(lower[some], upper[some], mu[some], weight[some], ordered=True)
