"""Who orders up to the cap without needing it? Retailers who expect rationing; their orders at a cap say nothing of their demand.

A share pi of the orders of a rationed item is for as much as the cap gives, whatever was wanted (MODELLING §4). With S = P(Y >= cap),

    P(at cap) = S + pi(1 - S) = Q,  w = (1 - pi) S / Q  (the share of orders at the cap that a cap cut)

and with g, h the derivatives of -log S in log(mu) (models.censored_likelihood):

    -dlogQ/deta = w·g,  -d2logQ/deta2 = w·h - w(1 - w)·g²

An order below the cap has probability (1 - pi)·p(y): its derivatives are those without hoarding.
"""

from __future__ import annotations

import numpy as np

from models.censored_likelihood import expected_units, gradient_and_hessian, order_mean, survival
from models.stacking import Floats, Integers


def hoarding_gradient_and_hessian(cap: Floats, mu: Floats, alpha: Floats, hoarding: Floats) -> tuple[Floats, Floats]:
    """Return both derivatives of -log P(at cap) in log(mu) for orders at their cap, (n,) each.

    Parameters
    ----------
    cap
        Units, at least 1 (n,).
    mu, alpha
        Mean (units) and dispersion of the law, which is taken given an order (n,).
    hoarding
        Share pi of orders for the whole cap (n,), 0 to below 1; 0 gives the derivatives of a right-censored order.

    Examples
    --------
    >>> known = np.array([12.0]), np.array([5.0]), np.array([1.0])
    >>> [float(hoarding_gradient_and_hessian(*known, np.array([pi]))[0][0].round(3)) for pi in (0.0, 0.2, 0.8)]
    [-1.833, -0.642, -0.06]
    """
    gradient, hessian = gradient_and_hessian(cap, np.full(cap.shape, np.inf), mu, alpha, ordered=True)
    reached = survival(cap, mu, alpha, ordered=True)
    cut = (1.0 - hoarding) * reached / np.maximum(hoarding + (1.0 - hoarding) * reached, np.finfo(np.float64).tiny)
    return cut * gradient, cut * hessian - cut * (1.0 - cut) * gradient**2


def expected_units_at_cap(cap: Floats, mu: Floats, alpha: Floats, hoarding: Floats) -> Floats:
    """Return E[Y | at cap], units (n,), parameters as above: below the cap where most orders at it are for show.

    (pi·E[Y] + (1 - pi)·S·E[Y | Y >= cap]) / Q, given an order throughout.
    """
    reached = survival(cap, mu, alpha, ordered=True)
    beyond = expected_units(cap, np.full(cap.shape, np.inf), mu, alpha)
    chance = hoarding + (1.0 - hoarding) * reached
    cut = (1.0 - hoarding) * reached / np.maximum(chance, np.finfo(np.float64).tiny)
    # what hoarders want on average is what all want
    return np.where(chance > 0, (1.0 - cut) * order_mean(mu, alpha) + cut * beyond, beyond)


def estimated_hoarding(at_cap: Integers, reached: Floats, most_reached: float) -> float:
    """Return pi = sum(1{at cap} - S) / sum(1 - S), within 0 and 1, over orders for which the cap was far away.

    Parameters
    ----------
    at_cap
        1 for an order at its cap, 0 for one below, of items with a cap in force (n,).
    reached
        P(Y >= cap) from a model that was not taught by these orders' being at the cap (n,): one that was has explained them already.
    most_reached
        Only orders with ``reached`` at most this count: where the cap is likely reached anyway, errors of S outweigh hoarding.

    Returns
    -------
    float
        NaN where no order counts.

    Examples
    --------
    >>> estimated_hoarding(np.array([1, 0, 0, 1]), np.array([0.1, 0.1, 0.2, 0.9]), 0.3).__round__(3)
    0.231
    """
    far = reached <= most_reached
    if not far.any():
        return float("nan")
    return float(np.clip((at_cap[far] - reached[far]).sum() / max((1.0 - reached[far]).sum(), 1e-9), 0.0, 1.0))
