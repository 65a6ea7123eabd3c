"""Pareto/NBD against the likelihood of one retailer, averaged over the rates of ordering and stopping by plain numerical integration."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln, hyp2f1

from models.pareto_nbd import ParetoNbd, fit_pareto_nbd
from models.repeat_orders import RepeatOrders
from tests.models.test_pareto_nbd import drawn_orders

LOG_RATES = np.arange(-80.0, 7.0, 0.15)


def gamma_weights(shape: float, rate: float) -> np.ndarray:
    """Density of a gamma law times the step, at e to LOG_RATES: the trapezoidal rule on the logarithm."""
    log_density = shape * np.log(rate) + shape * LOG_RATES - rate * np.exp(LOG_RATES) - gammaln(shape)
    return np.asarray(np.exp(log_density) * (LOG_RATES[1] - LOG_RATES[0]))


def log_likelihood_by_integration(law: ParetoNbd, x: int, t_x: float, age: float) -> float:
    """Schmittlein et al. 1987: orders at rate l up to the cut-off, or up to a stop at rate m after the last order."""
    ordering, stopping = np.exp(LOG_RATES)[:, None], np.exp(LOG_RATES)[None, :]
    both = ordering + stopping
    given_rates = ordering**x * (stopping / both * np.exp(-both * t_x) + ordering / both * np.exp(-both * age))
    return float(np.log(gamma_weights(law.r, law.alpha) @ given_rates @ gamma_weights(law.s, law.beta)))


laws = st.builds(ParetoNbd, *(st.floats(0.3, 20.0),) * 4)


@settings(max_examples=25, deadline=None)
@given(laws, st.integers(0, 40), st.floats(0.5, 40.0), st.floats(0.0, 40.0), st.floats(1.0, 40.0))
def test_likelihood_and_chance_of_no_order_are_those_of_plain_integration(
    law: ParetoNbd, x: int, t_x: float, silence: float, weeks: float
) -> None:
    last = t_x if x else 0.0
    orders = RepeatOrders.from_arrays([x], [last], [last + silence])
    now, later = (log_likelihood_by_integration(law, x, last, last + silence + ahead) for ahead in (0.0, weeks))
    assert float(law.log_likelihood(orders)[0]) == pytest.approx(now, abs=1e-5)
    assert float(law.p_no_order(orders, weeks)[0]) == pytest.approx(np.exp(later - now), abs=1e-5)


def test_likelihood_is_that_of_the_hypergeometric_functions_of_the_note() -> None:
    law, x, t_x, age = ParetoNbd(0.553, 10.578, 0.606, 11.669), 7, 25.0, 38.86
    power = law.r + law.s + x

    def part(at: float) -> float:
        return float(hyp2f1(power, law.r + x, power + 1, (law.beta - law.alpha) / (law.beta + at)) / (law.beta + at) ** power)

    active = (law.alpha + age) ** -(law.r + x) * (law.beta + age) ** -law.s
    front = gammaln(law.r + x) - gammaln(law.r) + law.r * np.log(law.alpha) + law.s * np.log(law.beta)
    by_the_note = front + np.log(active + law.s / power * (part(t_x) - part(age)))
    assert float(law.log_likelihood(RepeatOrders.from_arrays([x], [t_x], [age]))[0]) == pytest.approx(by_the_note, abs=1e-8)


def test_the_likelihood_is_lower_anywhere_near_the_fit() -> None:
    orders = drawn_orders(ParetoNbd(r=2.0, alpha=4.0, s=0.8, beta=20.0), retailers=800, seed=3)
    fitted = fit_pareto_nbd(orders)
    most = fitted.log_likelihood(orders).sum()
    for name in ("r", "alpha", "s", "beta"):
        for factor in (0.97, 1.03):
            near = ParetoNbd(**(vars(fitted) | {name: getattr(fitted, name) * factor}))
            assert near.log_likelihood(orders).sum() < most
