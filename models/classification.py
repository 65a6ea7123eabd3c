"""How good are probabilities of a yes-or-no outcome: do they rank, and do they mean what they say?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

FloatArray = npt.NDArray[np.float64]


def auc_score(outcomes: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Return the chance that a yes is scored above a no, ties counting half (Mann and Whitney).

    Parameters
    ----------
    outcomes
        0 or 1, shape (n,).
    scores
        Higher is more likely a yes, shape (n,).

    Returns
    -------
    float
        In [0, 1]; .5 is chance; NaN where all outcomes are equal.

    Examples
    --------
    >>> auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    yes = np.asarray(outcomes, dtype=bool)
    n_yes, n_no = int(yes.sum()), int((~yes).sum())
    if n_yes == 0 or n_no == 0:
        return float("nan")
    ranks = rankdata(np.asarray(scores, dtype=np.float64))
    return float((ranks[yes].sum() - n_yes * (n_yes + 1) / 2) / (n_yes * n_no))


def average_precision_score(outcomes: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Return Σ (recallₖ − recallₖ₋₁) · precisionₖ over the distinct scores, from the highest down.

    Returns
    -------
    float
        In [0, 1]; the share of yeses is chance; NaN where there is no yes.

    Examples
    --------
    >>> round(average_precision_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
    0.8333
    """
    yes, order_scores = np.asarray(outcomes, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if yes.sum() == 0:
        return float("nan")
    order = np.argsort(-order_scores, kind="stable")
    last_of_tie = np.append(np.diff(order_scores[order]) != 0, True)
    hits = np.cumsum(yes[order])[last_of_tie]
    taken = np.arange(1, len(yes) + 1)[last_of_tie]
    return float(np.sum(np.diff(hits, prepend=0.0) * hits / taken) / yes.sum())


def brier_loss(outcomes: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """Return the mean squared distance of the probabilities from the outcomes.

    >>> brier_loss([0, 1], [0.0, 0.5])
    0.125
    """
    gap = np.asarray(probabilities, dtype=np.float64) - np.asarray(outcomes, dtype=np.float64)
    return float(np.mean(gap**2)) if gap.size else float("nan")


def brier_skill_score(outcomes: npt.ArrayLike, probabilities: npt.ArrayLike, reference: npt.ArrayLike | None = None) -> float:
    """Return 1 − Brier loss ÷ that of a reference.

    Parameters
    ----------
    outcomes, probabilities
        Shape (n,).
    reference
        Probabilities to be compared with, shape (n,) or one number; None is the share of yeses itself,
        which nobody knows beforehand, so that a skill of 0 is already something.

    Returns
    -------
    float
        1 is perfect, 0 no better than the reference; NaN where the reference has no loss.

    Examples
    --------
    >>> brier_skill_score([0, 1], [0.25, 0.75])
    0.75
    """
    yes = np.asarray(outcomes, dtype=np.float64)
    if not yes.size:
        return float("nan")
    known = np.full(yes.shape, yes.mean()) if reference is None else np.broadcast_to(np.asarray(reference, dtype=np.float64), yes.shape)
    loss = brier_loss(yes, known)
    return 1.0 - brier_loss(yes, probabilities) / loss if loss > 0 else float("nan")


def calibration_loss(outcomes: npt.ArrayLike, probabilities: npt.ArrayLike, bins: int = 10) -> float:
    """Return the expected calibration error over bins of equally many rows.

    Bins of equal width would put nearly every row of a rare outcome into the first.

    Returns
    -------
    float
        Σ share of the bin · |mean probability − share of yeses|; 0 is calibrated; NaN without rows.

    Examples
    --------
    >>> calibration_loss([0, 0, 1, 1], [0.0, 0.0, 0.5, 0.5], bins=2)
    0.25
    """
    yes, p = np.asarray(outcomes, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    if not p.size:
        return float("nan")
    order = np.argsort(p, kind="stable")
    parts = np.array_split(order, min(bins, len(p)))
    return float(sum(abs((p[part] - yes[part]).sum()) for part in parts) / len(p))


def top_decile_lift_score(outcomes: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Return the share of yeses among the tenth with the highest scores ÷ that among all.

    Ties at the edge of the tenth count in proportion, so the order of the rows does not matter.

    Returns
    -------
    float
        1 is chance, 10 the most there can be; NaN where there is no yes.

    Examples
    --------
    >>> top_decile_lift_score([1] + [0] * 9, [0.9] + [0.1] * 9)
    10.0
    """
    yes, order_scores = np.asarray(outcomes, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if yes.sum() == 0:
        return float("nan")
    tenth = max(1, round(len(yes) / 10))
    edge = np.sort(order_scores)[-tenth]
    above, tied = order_scores > edge, order_scores == edge
    hits = yes[above].sum() + yes[tied].mean() * (tenth - above.sum())
    return float(hits / tenth / yes.mean())
