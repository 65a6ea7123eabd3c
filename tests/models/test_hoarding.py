"""Orders up to the cap that nobody needed: derivatives against finite differences, and what simulated hoarders give away."""

from __future__ import annotations

import numpy as np
import pytest

from models.censored_likelihood import expected_units, gradient_and_hessian, survival
from models.hoarding import estimated_hoarding, expected_units_at_cap, hoarding_gradient_and_hessian


def one(*values: float) -> list[np.ndarray]:
    return [np.array([value], dtype=float) for value in values]


def log_chance(cap: float, eta: np.ndarray, alpha: float, hoarding: float) -> np.ndarray:
    reached = survival(np.full(eta.size, cap), np.exp(eta), np.full(eta.size, alpha), ordered=True)
    return np.log(reached + hoarding * (1 - reached))


@pytest.mark.parametrize("hoarding", [0.01, 0.3, 0.9])
@pytest.mark.parametrize(("cap", "mu"), [(2, 1.0), (12, 3.0), (12, 12.0), (12, 60.0)])
@pytest.mark.parametrize("alpha", [1e-6, 0.4, 3.0])
def test_derivatives_are_those_of_finite_differences(cap: float, mu: float, alpha: float, hoarding: float) -> None:
    eta = np.log(mu) + 1e-3 * np.arange(-2, 3)
    law = (np.full(5, cap), np.exp(eta), np.full(5, alpha), np.full(5, hoarding))
    gradients, hessians = hoarding_gradient_and_hessian(*law)
    for derivative, values in ((gradients, -log_chance(cap, eta, alpha, hoarding)), (hessians, gradients)):
        difference = (values[0] - 8 * values[1] + 8 * values[3] - values[4]) / 12e-3
        assert derivative[2] == pytest.approx(difference, rel=1e-6, abs=1e-9)


def test_without_hoarders_an_order_at_the_cap_is_a_right_censored_one() -> None:
    law = one(12, 5, 0.7)
    without = one(0.0)
    ours, theirs = hoarding_gradient_and_hessian(*law, *without), gradient_and_hessian(law[0], one(np.inf)[0], *law[1:], ordered=True)
    np.testing.assert_allclose(ours, theirs)
    np.testing.assert_allclose(expected_units_at_cap(*law, *without), expected_units(law[0], one(np.inf)[0], *law[1:]))


@pytest.mark.parametrize("hoarding", [0.0, 0.1, 0.35])
def test_simulated_hoarders_are_counted_and_their_demand_is_not_inflated(hoarding: float) -> None:
    rng = np.random.default_rng(11)
    mu, alpha, cap = np.full(60_000, 5.0), np.full(60_000, 0.6), np.full(60_000, 12.0)
    demand = rng.negative_binomial(1 / 0.6, 1 / (1 + 0.6 * mu)).astype(float)
    mu, alpha, cap, demand = (part[demand > 0] for part in (mu, alpha, cap, demand))
    at_cap = (demand >= cap) | (rng.random(demand.size) < hoarding)
    found = estimated_hoarding(at_cap.astype(np.int64), survival(cap, mu, alpha, ordered=True), 0.3)
    assert found == pytest.approx(hoarding, abs=0.01)
    expected = expected_units_at_cap(cap, mu, alpha, np.full(cap.size, hoarding))[at_cap]
    assert expected.mean() == pytest.approx(demand[at_cap].mean(), rel=0.03)


def test_where_the_cap_is_always_near_hoarding_is_not_known() -> None:
    assert np.isnan(estimated_hoarding(np.ones(3, dtype=np.int64), np.full(3, 0.9), 0.3))
