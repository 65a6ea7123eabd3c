"""How good were probabilities of no order, now that their windows are over?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.classification import brier_loss, calibration_loss
from models.estimates import Estimate

Floats = npt.NDArray[np.float64]

BINS = 10
"""Of equally many retailers, as in ``models.classification.calibration_loss``."""


def observed_over_predicted(outcomes: npt.ArrayLike, probabilities: npt.ArrayLike) -> Estimate | None:
    """Return how many stopped over how many were expected to: Σ y / Σ p; above 1 more stopped.

    The error is that of independent outcomes, √(Σ p (1 − p)) / Σ p. ``baseline`` is the mean probability.

    Parameters
    ----------
    outcomes
        1 where no order came, else 0 (n,).
    probabilities
        As published (n,).

    Returns
    -------
    Estimate
        None where nobody was expected to.

    Examples
    --------
    >>> found = observed_over_predicted([1, 0, 0, 0], [0.25, 0.25, 0.25, 0.25])
    >>> found.value, round(found.error, 3), found.baseline
    (1.0, 0.866, 0.25)
    """
    y, p = np.asarray(outcomes, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    expected = float(p.sum())
    if expected <= 0:
        return None
    return Estimate(float(y.sum()) / expected, float(np.sqrt(np.sum(p * (1 - p)))) / expected, len(y), float(p.mean()))


def together(parts: Sequence[Estimate]) -> Estimate | None:
    """Return observed over predicted of several windows of the same retailers together; their errors add up, as they overlap.

    >>> together([Estimate(1.0, 0.1, 100, 0.1), Estimate(2.0, 0.2, 100, 0.3)])
    Estimate(value=1.75, error=0.175, n=200, baseline=0.2, usual=0.0)
    """
    expected = np.array([part.n * (part.baseline or 0.0) for part in parts])
    if not len(parts) or expected.sum() <= 0:
        return None
    weights, n = expected / expected.sum(), sum(part.n for part in parts)
    value, error = (float(np.round(weights @ [getattr(part, name) for part in parts], 12)) for name in ("value", "error"))
    return Estimate(value, error, n, float(expected.sum()) / n)


def brier_skill(outcomes: npt.ArrayLike, probabilities: npt.ArrayLike) -> Estimate | None:
    """Return the share of the Brier loss of the observed share that the probabilities save; ``baseline`` is 0.

    Returns
    -------
    Estimate
        With the error of the mean difference of squared errors; None where all or none stopped.
    """
    y, p = np.asarray(outcomes, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    reference = float(y.mean() * (1 - y.mean())) if y.size else 0.0
    if reference <= 0:
        return None
    saved = (y.mean() - y) ** 2 - (p - y) ** 2
    return Estimate(float(saved.mean()) / reference, float(saved.std() / np.sqrt(y.size)) / reference, y.size, 0.0)


def brier_estimate(outcomes: npt.ArrayLike, probabilities: npt.ArrayLike) -> Estimate:
    """Return the Brier loss, with the one that the probabilities themselves expect, mean p (1 − p), as ``baseline``."""
    y, p = np.asarray(outcomes, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    squares = (p - y) ** 2
    return Estimate(brier_loss(y, p), float(squares.std() / np.sqrt(y.size)), y.size, float(np.mean(p * (1 - p))))


def calibration_estimate(outcomes: npt.ArrayLike, probabilities: npt.ArrayLike) -> Estimate:
    """Return the expected calibration error over ten bins, with what chance alone gives as ``baseline``.

    Of perfectly calibrated probabilities the gap of a bin of m retailers is about normal with variance v = Σ p (1 − p) / m², so that its
    size is √(2 v / π) on average, with variance v (1 − 2/π).
    """
    y, p = np.asarray(outcomes, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    by_risk = p[np.argsort(p, kind="stable")]
    parts = np.array_split(by_risk, min(BINS, len(p)))
    weights = np.array([len(part) / len(p) for part in parts])
    sigmas = np.array([np.sqrt(np.sum(part * (1 - part))) / len(part) for part in parts])
    chance = float(weights @ sigmas * np.sqrt(2 / np.pi))
    spread = float(np.sqrt(np.sum((weights * sigmas) ** 2) * (1 - 2 / np.pi)))
    return Estimate(calibration_loss(y, p), spread, len(y), chance)
