"""How likely is a retailer to stay silent, if it may stop after each of its orders?

BG/NBD (Fader, Hardie and Lee 2005, "Counting Your Customers" the Easy Way). While active a retailer orders by a Poisson process with
rate λ; after each order past the first it stops with probability p; over the retailers λ is gamma(r, alpha) and p is beta(a, b). Given x
orders after the first, the last at t_x, nothing since up to T (their equation 6):

    L = Γ(r + x) / Γ(r) · alpha^r · B(a, b + x) / B(a, b) · { (alpha + T)^-(r+x) + [x > 0] a / (b + x − 1) · (alpha + t_x)^-(r+x) }

A retailer with one order cannot have stopped; this is where the model is wrong about those who tried once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, digamma, gammaln

from models.likelihood_maximum import likeliest
from models.repeat_orders import RepeatOrders
from models.stacking import Floats

STARTS = ((1.0, 5.0, 1.0, 3.0), (0.5, 5.0, 0.5, 10.0), (5.0, 5.0, 0.3, 30.0))


@dataclass(frozen=True)
class BgNbd:
    """A fitted or published model; time is in the unit it was fitted in.

    Attributes
    ----------
    r, alpha
        Shape and rate of the gamma law of the rates of ordering.
    a, b
        The beta law of the probability of stopping after an order.
    """

    r: float
    alpha: float
    a: float
    b: float

    def log_likelihood(self, orders: RepeatOrders) -> Floats:
        """Return log L of each retailer.

        Examples
        --------
        >>> published = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)
        >>> published.log_likelihood(RepeatOrders.from_arrays([2, 0], [30.43, 0], [38.86, 38.86])).round(4).tolist()
        [-9.4586, -0.5547]
        """
        active, stopped = _ends(self, orders)
        value: Floats = _front(self, orders) + np.log(active + stopped)
        return value

    def p_dead(self, orders: RepeatOrders) -> Floats:
        """Return the probability that each retailer has stopped already: 0 for all with one order. No churn score: see `p_no_order`."""
        active, stopped = _ends(self, orders)
        return np.asarray(stopped / (active + stopped), dtype=np.float64)

    def p_no_order(self, orders: RepeatOrders, weeks: float) -> Floats:
        """Return P(no order in the next weeks) = L(x, t_x, T + weeks) / L(x, t_x, T).

        It falls with ``weeks`` towards `p_dead` (who still orders stops at an order only), and rises with T at a given t_x.

        Parameters
        ----------
        orders
            One row per retailer.
        weeks
            Length of the window that begins at T, above 0, in the unit of the fit.
        """
        later, now = sum(_ends(self, orders.aged(weeks))), sum(_ends(self, orders))
        return np.asarray(np.minimum(later / now, 1.0), dtype=np.float64)


def fit_bg_nbd(orders: RepeatOrders) -> BgNbd:
    """Return the model with the largest likelihood.

    Raises
    ------
    UncapError
        If the likelihood has no maximum: hardly anybody ordered again, or nobody stopped.
    """
    return likeliest(BgNbd, _score, orders, STARTS, "BG/NBD")


def _front(law: BgNbd, orders: RepeatOrders) -> Floats:
    """Log of all that stands before the braces, with alpha moved to t_x."""
    value: Floats = (
        gammaln(law.r + orders.x)
        - gammaln(law.r)
        - law.r * np.log1p(orders.t_x / law.alpha)
        - orders.x * np.log(law.alpha + orders.t_x)
        + betaln(law.a, law.b + orders.x)
        - betaln(law.a, law.b)
    )
    return value


def _ends(law: BgNbd, orders: RepeatOrders) -> tuple[Floats, Floats]:
    """Weights of still ordering at T and of having stopped at t_x."""
    active = np.exp(-(law.r + orders.x) * np.log1p((orders.age - orders.t_x) / (law.alpha + orders.t_x)))
    again = orders.x > 0
    return active, np.where(again, law.a / np.where(again, law.b + orders.x - 1.0, 1.0), 0.0)


def _score(law: BgNbd, orders: RepeatOrders) -> tuple[Floats, Floats]:
    """Log L of each retailer, and its derivatives by r, alpha, a and b, shape (retailers, 4)."""
    active, stopped = _ends(law, orders)
    total = active + stopped
    alive, dead = active / total, stopped / total
    at_last, at_age = law.alpha + orders.t_x, law.alpha + orders.age
    silence = alive * np.log1p((orders.age - orders.t_x) / at_last)
    tries = digamma(law.a + law.b) - digamma(law.a + law.b + orders.x)
    gradient = np.column_stack(
        [
            digamma(law.r + orders.x) - digamma(law.r) - np.log1p(orders.t_x / law.alpha) - silence,
            law.r / law.alpha - (law.r + orders.x) * (alive / at_age + dead / at_last),
            tries + dead / law.a,
            tries + digamma(law.b + orders.x) - digamma(law.b) - dead / np.where(orders.x > 0, law.b + orders.x - 1.0, 1.0),
        ]
    )
    return _front(law, orders) + np.log(total), gradient
