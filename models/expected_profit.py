"""What would a retention campaign earn that contacts whom a forecast ranks first?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betainc

FloatArray = npt.NDArray[np.float64]

LEAST_GAIN = 1e-12
"""Money: a retailer worth nothing breaks even at no acceptance."""


@dataclass(frozen=True)
class Campaign:
    """What a contact costs and how often it helps.

    Attributes
    ----------
    incentive_share
        δ: what is given to those who accept, as a share of a retailer's value; a retailer that would have stayed accepts always.
    contact_share
        φ: cost of a contact, as a share of the mean value of the retailers.
    acceptance_alpha, acceptance_beta
        Parameters of the beta density of g, the share of leaving retailers that stay when contacted; 6 and 14 have the mean .3.

    Notes
    -----
    The defaults are those of Verbraken, Verbeke and Baesens (2013): an incentive of 10 and a contact for 1, at a value of 200.
    """

    incentive_share: float = 0.05
    contact_share: float = 0.005
    acceptance_alpha: float = 6.0
    acceptance_beta: float = 14.0


def break_even_acceptance(p_churn: npt.ArrayLike, values: npt.ArrayLike, campaign: Campaign) -> FloatArray:
    """Return the acceptance g at which a contact pays: ((1−p)·δ·v + f) ÷ (p·(1−δ)·v), with f the cost of a contact.

    Who has it below the true acceptance is worth a contact, so that for true probabilities no order is better than from the lowest up,
    whatever the acceptance. With one value for all it is the order of falling probability.

    Parameters
    ----------
    p_churn
        Shape (retailers,).
    values
        Money that each would bring if it stayed; below 0 is 0; shape (retailers,) or one number.
    campaign
        Its terms.

    Examples
    --------
    >>> break_even_acceptance([0.1, 0.9], 100.0, Campaign()).round(3).tolist()
    [0.526, 0.012]
    """
    p = np.asarray(p_churn, dtype=np.float64)
    value = np.broadcast_to(np.maximum(np.asarray(values, dtype=np.float64), 0.0), p.shape)
    cost = (1 - p) * campaign.incentive_share * value + campaign.contact_share * value.mean()
    return np.asarray(cost / np.maximum(p * (1 - campaign.incentive_share) * value, LEAST_GAIN), dtype=np.float64)


def expected_profit_score(
    outcomes: npt.ArrayLike, scores: npt.ArrayLike, values: npt.ArrayLike = 1.0, campaign: Campaign | None = None
) -> float:
    """Return the expected maximum profit per retailer: ∫ maxₖ [g·A(k) − B(k)] h(g) dg over those contacted, the k ranked first.

    A(k) is the value, less the incentive, of the leaving retailers among them; B(k) the contacts, and the incentives of those who would
    have stayed; h is the beta density of the acceptance g. With one value for all it is EMPC (Verbraken, Verbeke and Baesens 2013, IEEE
    TKDE 25 (5)). With the value of each it is EMPB (Janssens, Bogaert, Bagué and Van den Poel 2024, Annals of Operations Research 341):
    incentive in proportion to the retailer's value, one price of a contact for all. The best k changes with g only at the corners of the
    convex hull of (B, A), which with one value for all is that of the ROC curve; between two corners the integral is a difference of
    incomplete betas.

    Parameters
    ----------
    outcomes
        1 for a retailer that leaves, shape (n,).
    scores
        Higher is contacted sooner, ties together, shape (n,): a probability, or less `break_even_acceptance`.
    values
        Money that each would bring if it stayed; below 0 is 0; shape (n,) or one number.
    campaign
        Its terms; None for those of the literature.

    Returns
    -------
    float
        Money per retailer, at least 0: contacting nobody is allowed. NaN without retailers.

    Examples
    --------
    >>> perfect = expected_profit_score([1, 0, 0, 0], [0.9, 0.1, 0.1, 0.1], 200.0)
    >>> round(perfect, 2), round((0.3 * 190 - 1) / 4, 2)
    (14.0, 14.0)
    """
    yes = np.asarray(outcomes, dtype=np.float64)
    if not yes.size:
        return float("nan")
    steps = ProfitSteps.along(yes, np.asarray(scores, dtype=np.float64), values, campaign or Campaign())
    return float(steps.profits(np.ones((1, len(yes))))[0])


@dataclass(frozen=True)
class ProfitSteps:
    """The campaign's gains and costs along the ranking of a forecast, for rows that count with any weights.

    Attributes
    ----------
    order
        Rows from the first to be contacted to the last, shape (n,).
    gains, costs
        What each adds to A and to B, in that order, shape (n,).
    corners
        Where contacting may stop: the ends of those groups of ties that add to A.
    campaign
        Its terms.
    """

    order: npt.NDArray[np.intp]
    gains: FloatArray
    costs: FloatArray
    corners: npt.NDArray[np.intp]
    campaign: Campaign

    @classmethod
    def along(cls, yes: FloatArray, scores: FloatArray, values: npt.ArrayLike, campaign: Campaign) -> ProfitSteps:
        """Return the steps along falling scores."""
        order = np.argsort(-scores, kind="stable")
        value = np.broadcast_to(np.maximum(np.asarray(values, dtype=np.float64), 0.0), yes.shape)
        incentive, contact = campaign.incentive_share * value, campaign.contact_share * value.mean()
        gains = (yes * (value - incentive))[order]
        costs = ((1 - yes) * incentive + contact)[order]
        ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
        adds = np.diff(np.cumsum(gains)[ends], prepend=0.0) > 0
        return cls(order, gains, costs, ends[adds], campaign)

    def profits(self, weights: FloatArray) -> FloatArray:
        """Return the expected maximum profit per retailer for each set of weights.

        Parameters
        ----------
        weights
            How often each row counts, in the order the outcomes were given, shape (sets, n).

        Returns
        -------
        ndarray
            Shape (sets,).
        """
        ranked = weights[:, self.order]
        gains = np.cumsum(ranked * self.gains, axis=1)[:, self.corners]
        costs = np.cumsum(ranked * self.costs, axis=1)[:, self.corners]
        totals = np.array([self._profit(gain, cost) for gain, cost in zip(gains, costs, strict=True)])
        return np.asarray(totals / weights.sum(axis=1), dtype=np.float64)

    def _profit(self, gains: FloatArray, costs: FloatArray) -> float:
        """∫ max(0, maxₖ g·gains[k] − costs[k]) h(g) dg in closed form."""
        hull_gains, hull_costs, turns = _hull(gains.tolist(), costs.tolist())
        edges = np.append(np.minimum(turns, 1.0), 1.0)
        alpha, beta = self.campaign.acceptance_alpha, self.campaign.acceptance_beta
        share = np.diff(betainc(alpha, beta, edges))
        accepted = alpha / (alpha + beta) * np.diff(betainc(alpha + 1, beta, edges))
        return float(np.sum(np.asarray(hull_gains) * accepted - np.asarray(hull_costs) * share))


def _hull(gains: list[float], costs: list[float]) -> tuple[list[float], list[float], list[float]]:
    """Corners of the upper convex hull from (0, 0) on, each with the g = Δcost ÷ Δgain from which it is the best; rising."""
    corners = [(0.0, 0.0, 0.0)]
    for gain, cost in zip(gains, costs, strict=True):
        if gain <= corners[-1][0]:
            continue
        turn = (cost - corners[-1][1]) / (gain - corners[-1][0])
        while len(corners) > 1 and turn <= corners[-1][2]:
            corners.pop()
            turn = (cost - corners[-1][1]) / (gain - corners[-1][0])
        corners.append((gain, cost, turn))
    return [corner[0] for corner in corners], [corner[1] for corner in corners], [corner[2] for corner in corners]
