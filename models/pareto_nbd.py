"""How likely is a retailer to stay silent, if retailers order at rates of their own until they stop at times of their own?

Pareto/NBD (Schmittlein, Morrison and Colombo 1987, Counting Your Customers). While active a retailer orders by a Poisson process with rate
λ; it stops after an exponential time with rate μ; over the retailers λ is gamma(r, alpha) and μ is gamma(s, beta). Given x orders after the
first, the last at t_x, nothing since up to T (Fader and Hardie 2005, A Note on Deriving the Pareto/NBD Model and Related Expressions):

    L = Γ(r + x) / Γ(r) · alpha^r beta^s · { (alpha + T)^-(r+x) (beta + T)^-s + s ∫ (alpha + y)^-(r+x) (beta + y)^-(s+1) dy }

with y from t_x to T: it still orders at T, or stopped at y. The note turns the integral into a difference of two Gauss hypergeometric
functions; here it is summed as it stands, so that nothing cancels where T is close to t_x, and the derivatives of log L are means over the
end of the retailer's time (T or y). The sum runs over the share of the faster of its two decays, in which the rest of the integrand is
smooth, at the points of the double exponential rule (Takahasi and Mori 1974), which finds what changes near the ends of an interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln

from models.likelihood_maximum import likeliest
from models.repeat_orders import RepeatOrders
from models.stacking import Floats

STEPS = 16
"""Points of the rule on either side; what log L is off by is in `tests/oracles/test_pareto_nbd_twin.py`."""

REACH = 2.8
"""The outermost points lie within 1e-11 of the ends of the interval, as a share of its length."""

LARGEST_PLACE = 1.0 - 1e-16
"""Just under 1: the logarithm of what is left stays finite."""

STARTS = ((1.0, 10.0, 0.5, 10.0), (0.5, 5.0, 1.0, 50.0), (5.0, 5.0, 0.5, 100.0))


@dataclass(frozen=True)
class ParetoNbd:
    """A fitted or published model; time is in the unit it was fitted in.

    Attributes
    ----------
    r, alpha
        Shape and rate of the gamma law of the rates of ordering.
    s, beta
        Shape and rate of the gamma law of the rates of stopping.
    """

    r: float
    alpha: float
    s: float
    beta: float

    def log_likelihood(self, orders: RepeatOrders) -> Floats:
        """Return log L of each retailer.

        Examples
        --------
        >>> published = ParetoNbd(r=0.553, alpha=10.578, s=0.606, beta=11.669)
        >>> published.log_likelihood(RepeatOrders.from_arrays([2, 0], [30.43, 0], [38.86, 38.86])).round(4).tolist()
        [-9.5543, -0.521]
        """
        value: Floats = _front(self, orders) + np.log(_ends(self, orders).total)
        return value

    def p_dead(self, orders: RepeatOrders) -> Floats:
        """Return the probability that each retailer has stopped already. That is no churn score: see `p_no_order`."""
        ends = _ends(self, orders)
        return np.asarray(ends.stopped.sum(axis=1) / ends.total, dtype=np.float64)

    def p_no_order(self, orders: RepeatOrders, weeks: float) -> Floats:
        """Return P(no order in the next weeks) = L(x, t_x, T + weeks) / L(x, t_x, T).

        L is a constant plus a mixture of exponentials of T, so this falls with ``weeks`` and rises with T at a given t_x. It stays above
        `p_dead`: who still orders may stop before its next order.

        Parameters
        ----------
        orders
            One row per retailer.
        weeks
            Length of the window that begins at T, above 0, in the unit of the fit.
        """
        later, now = _ends(self, orders.aged(weeks)).total, _ends(self, orders).total
        return np.asarray(np.minimum(later / now, 1.0), dtype=np.float64)


def fit_pareto_nbd(orders: RepeatOrders) -> ParetoNbd:
    """Return the model with the largest likelihood.

    Raises
    ------
    UncapError
        If the likelihood has no maximum: hardly anybody ordered again, or nobody stopped.
    """
    return likeliest(ParetoNbd, _score, orders, STARTS, "Pareto/NBD")


@dataclass(frozen=True)
class _Ends:
    """How the orders of each retailer may have ended, with weights that are 1 for an active one without silence.

    Attributes
    ----------
    silence
        Points y − t_x of the integral, then T − t_x: shape (retailers, points + 1).
    log_ordering, log_stopping
        Logarithms of (alpha + end) / (alpha + t_x) and of (beta + end) / (beta + t_x), of the same shape.
    stopped
        Weights of having stopped there, shape (retailers, points).
    active
        Weights of still ordering at T, shape (retailers,).
    """

    silence: Floats
    log_ordering: Floats
    log_stopping: Floats
    stopped: Floats
    active: Floats

    @property
    def total(self) -> Floats:
        return np.asarray(self.active + self.stopped.sum(axis=1), dtype=np.float64)


def _front(law: ParetoNbd, orders: RepeatOrders) -> Floats:
    """Log of all that stands before the weights: L with alpha and beta moved to t_x."""
    value: Floats = (
        gammaln(law.r + orders.x)
        - gammaln(law.r)
        - law.r * np.log1p(orders.t_x / law.alpha)
        - orders.x * np.log(law.alpha + orders.t_x)
        - law.s * np.log1p(orders.t_x / law.beta)
    )
    return value


def _ends(law: ParetoNbd, orders: RepeatOrders) -> _Ends:
    place, width = _rule()
    power, length = law.r + orders.x, orders.age - orders.t_x
    ordering, stopping = law.alpha + orders.t_x, law.beta + orders.t_x
    orders_faster = power / ordering > (law.s + 1.0) / stopping
    decay, origin = np.where(orders_faster, power, law.s), np.where(orders_faster, ordering, stopping)
    # the share of the faster decay that is over falls from 1 at t_x to 1 - reach at T
    reach = -np.expm1(-decay * np.log1p(length / origin))
    log_share = np.log1p(-np.minimum(reach[:, None] * place, LARGEST_PLACE))
    silence = np.minimum(origin[:, None] * np.expm1(-log_share / decay[:, None]), length[:, None])
    silence = np.column_stack([silence, length])
    log_ordering, log_stopping = np.log1p(silence / ordering[:, None]), np.log1p(silence / stopping[:, None])
    kept = -power[:, None] * log_ordering - law.s * log_stopping
    slope = (origin[:, None] + silence[:, :-1]) / (stopping[:, None] + silence[:, :-1]) * (law.s * reach / decay)[:, None]
    return _Ends(silence, log_ordering, log_stopping, np.exp(kept[:, :-1] - log_share) * slope * width, np.exp(kept[:, -1]))


def _rule() -> tuple[Floats, Floats]:
    """Points in (0, 1) and their weights: the double exponential rule, points near 0 exact to their own size."""
    t = np.linspace(-REACH, REACH, 2 * STEPS + 1)
    outer = np.exp(np.pi * np.sinh(t))
    return outer / (1.0 + outer), np.pi * np.cosh(t) * outer / (1.0 + outer) ** 2 * (t[1] - t[0])


def _score(law: ParetoNbd, orders: RepeatOrders) -> tuple[Floats, Floats]:
    """Log L of each retailer, and its derivatives by r, alpha, s and beta, shape (retailers, 4)."""
    ends = _ends(law, orders)
    total = ends.total
    chance = np.column_stack([ends.stopped, ends.active]) / total[:, None]
    dead = chance[:, :-1].sum(axis=1)
    by_alpha = 1.0 / (law.alpha + orders.t_x[:, None] + ends.silence)
    by_beta = 1.0 / (law.beta + orders.t_x[:, None] + ends.silence)
    log_ordering = np.log1p(orders.t_x / law.alpha) + _mean(chance, ends.log_ordering)
    log_stopping = np.log1p(orders.t_x / law.beta) + _mean(chance, ends.log_stopping)
    gradient = np.column_stack(
        [
            digamma(law.r + orders.x) - digamma(law.r) - log_ordering,
            law.r / law.alpha - (law.r + orders.x) * _mean(chance, by_alpha),
            dead / law.s - log_stopping,
            law.s / law.beta - law.s * _mean(chance, by_beta) - _mean(chance[:, :-1], by_beta[:, :-1]),
        ]
    )
    return _front(law, orders) + np.log(total), gradient


def _mean(chance: Floats, values: Floats) -> Floats:
    return np.asarray(np.einsum("ij,ij->i", chance, values), dtype=np.float64)
