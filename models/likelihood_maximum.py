"""At which positive parameters is a likelihood largest, of a law of orders or of anything?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from typing import TypeVar

import numpy as np
from scipy.optimize import minimize

from contracts.errors import UncapError
from models.repeat_orders import RepeatOrders
from models.stacking import Floats

Law = TypeVar("Law")

LARGEST_LOG = 11.0
"""Parameters are sought between e to minus and to plus this. A gamma or beta law whose parameters are that large has no spread: retailers
are alike, which is a fit. One whose parameters are that small says that nearly nobody does what it is the law of."""

ScoreFunction = Callable[[Floats], tuple[float, Floats]]
"""Of parameters: the mean log-likelihood, and its derivatives by the parameters."""


def likeliest(
    law: type[Law],
    scores: Callable[[Law, RepeatOrders], tuple[Floats, Floats]],
    orders: RepeatOrders,
    starts: Sequence[Sequence[float]],
    name: str,
) -> Law:
    """Return the law of orders with the largest likelihood, equal retailers taken together.

    Parameters
    ----------
    law
        A dataclass whose fields are the parameters, all positive.
    scores
        Of a law: log L of each retailer, and its derivatives by the parameters, shape (retailers, parameters).
    orders
        One row per retailer.
    starts
        Parameters to begin from, see `maximise`.
    name
        Of the law, for the message.

    Raises
    ------
    UncapError
        As `maximise`.
    """
    distinct = orders.distinct()
    share = distinct.weight / distinct.weight.sum()

    def score(parameters: Floats) -> tuple[float, Floats]:
        log_likelihood, gradient = scores(law(*map(float, parameters)), distinct)
        return float(share @ log_likelihood), share @ gradient

    names = [*signature(law).parameters]
    return law(**maximise(score, names, starts, f"{name} of {orders.weight.sum():.0f} retailers"))


def maximise(score: ScoreFunction, names: Sequence[str], starts: Sequence[Sequence[float]], of_what: str) -> dict[str, float]:
    """Return the parameters with the largest likelihood, by L-BFGS-B on their logarithms.

    Parameters
    ----------
    score
        Mean log-likelihood and its gradient.
    names
        Of the parameters, all positive.
    starts
        Parameters to begin from: the second is tried where the search from the first does not converge, and so on.
    of_what
        What is fitted, for the message.

    Raises
    ------
    UncapError
        If no start converges, or a parameter ends at the lower edge of what is sought.

    Examples
    --------
    An exponential law with mean 2: log-likelihood log(rate) − 2·rate.

    >>> fitted = maximise(lambda rate: (float(np.log(rate[0]) - 2 * rate[0]), 1 / rate - 2), ["rate"], [[1.0]], "the example")
    >>> round(fitted["rate"], 6)
    0.5
    """

    def loss(logs: Floats) -> tuple[float, Floats]:
        parameters = np.exp(logs)
        value, gradient = score(parameters)
        return -value, -gradient * parameters

    bounds = [(-LARGEST_LOG, LARGEST_LOG)] * len(names)
    options = {"maxiter": 500, "ftol": 1e-11, "gtol": 1e-7}
    for start in starts:
        best = minimize(loss, np.log(start), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        if best.success and np.isfinite(best.fun):
            break
    else:
        raise UncapError(
            f"{of_what}: {len(starts)} searches for the largest likelihood did not converge; the last says: {best.message}",
            hint="fit it on more retailers, or on some whose orders differ more",
        )
    fitted = dict(zip(names, map(float, np.exp(best.x)), strict=True))
    vanishing = [name for name, log in zip(names, best.x, strict=True) if log < 0.1 - LARGEST_LOG]
    if vanishing:
        raise UncapError(
            f"{of_what}: the likelihood is largest with {' and '.join(vanishing)} at 0; expected parameters above it",
            hint="hardly anybody ordered again, or stopped: fit it on more retailers, or over a longer time",
        )
    return fitted
