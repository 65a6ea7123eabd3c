"""How much of a forecast each feature made, in units that add up: level · exp(score), with the score taken apart tree by tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from contracts.weeks import HORIZONS
from models.demand import DemandModel
from models.stacking import FeatureSpace, Floats, Matrix, level_units


@dataclass(frozen=True)
class MeanParts:
    """What the forecasts of one horizon are made of: ``level_units + average_units + Σ feature_units = mean_units``.

    Attributes
    ----------
    level_units
        The pairs' own levels, units (n,).
    average_units
        What the mean booster adds for any pair, whatever its features, units (n,).
    feature_units
        What each feature adds, units (n, features), in the order of the model's feature space; negative where it lowers the forecast.
    mean_units
        level · exp(score), units (n,): the forecast before anything that is laid over it.
    values
        The features as the model saw them (n, features); texts as codes, NaN is unknown.
    """

    level_units: Floats
    average_units: Floats
    feature_units: Floats
    mean_units: Floats
    values: Matrix


def mean_parts(model: DemandModel, pairs: pa.Table, calendar: Sequence[Mapping[str, float]], threads: int) -> dict[int, MeanParts]:
    """Take the means of every pair and horizon apart.

    The score is a sum of one contribution per feature and the score of an average row (the Shapley values of the trees: Lundberg, Erion
    and Lee 2018, "Consistent individualized feature attribution for tree ensembles"; LightGBM's ``pred_contrib``), and log(mean / level)
    is that score; ``units_of_contributions`` turns the sum in logarithms into a sum in units.

    Parameters
    ----------
    pairs
        Pair features of one cut-off (n rows), with the columns of ``model.space``.
    calendar
        Calendar columns of the target weeks, the first for horizon 1.

    Returns
    -------
    dict
        ``MeanParts`` by horizon in weeks, in the order of ``pairs``.
    """
    base, level = model.space.pair_block(pairs), level_units(pairs)
    parts = {}
    for horizon in HORIZONS:
        matrix = np.hstack([base, model.space.horizon_block(pairs, horizon, calendar[horizon - 1])])
        contributions = model.mean.contributions(matrix, threads)
        units, mean = units_of_contributions(contributions, level)
        parts[horizon] = MeanParts(level, units[:, -1], units[:, :-1], mean, matrix)
    return parts


def units_of_contributions(contributions: Floats, level: Floats) -> tuple[Floats, Floats]:
    """Split mean − level over additive contributions to log(mean / level).

    A contribution c counts c · L(mean, level) units, where L is the logarithmic mean. As Σ c = log(mean / level), these sum to
    mean − level without a rest and in any order: the additive logarithmic mean Divisia decomposition (LMDI I, Ang 2005, "The LMDI approach
    to decomposition analysis: a practical guide", Energy Policy 33, 867–871).

    Parameters
    ----------
    contributions
        Contributions to log(mean / level), (n, parts).
    level
        Units (n,), above 0.

    Returns
    -------
    tuple
        Units of each part (n, parts), and the mean, level · exp(Σ c), units (n,).

    Examples
    --------
    >>> units, mean = units_of_contributions(np.log([[2.0, 3.0]]), np.array([10.0]))
    >>> units.round(2).tolist(), mean.round(6).tolist()
    ([[19.34, 30.66]], [60.0])
    """
    score = contributions.sum(axis=1)
    return contributions * logarithmic_mean(level, score)[:, None], level * np.exp(score)


SMALL_SCORE = 1e-5
"""Below it (exp(s) − 1) / s is its series 1 + s / 2 to within s² / 6 < 2e-11, and the quotient is 0 / 0 at 0."""


def logarithmic_mean(level: Floats, score: Floats) -> Floats:
    """Return L(a, b) = (a − b) / log(a / b) of a = level · exp(score) and b = level; it lies between the two, and L(b, b) = b.

    >>> logarithmic_mean(np.array([10.0, 10.0]), np.array([0.0, np.log(2.0)])).round(4).tolist()
    [10.0, 14.427]
    """
    small = np.abs(score) < SMALL_SCORE
    quotient = np.expm1(score) / np.where(small, 1.0, score)
    return np.asarray(level * np.where(small, 1.0 + score / 2.0, quotient), dtype=np.float64)


def shown_value(space: FeatureSpace, name: str, value: float) -> float | str | None:
    """Return a feature's value as people know it: the text for a code, None for unknown.

    >>> space = FeatureSpace(("mean_13w",), (), (), {"tier": ("T1", "T2")})
    >>> shown_value(space, "tier", 1.0), shown_value(space, "mean_13w", 2.5), shown_value(space, "mean_13w", float("nan"))
    ('T2', 2.5, None)
    """
    if np.isnan(value):
        return None
    return space.categories[name][int(value)] if name in space.categories else float(value)
