"""Moments and quantiles of cut normal laws against scipy's slower ones, far tails and infinite bounds included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import truncnorm

from models.truncated_normal import FARTHEST, moments, quantile

INF = np.inf
INTERVALS = [
    *((a, INF) for a in (-40, -8, -1, 0, 0.5, 3, 8, 15, 29)),
    *((-INF, b) for b in (-29, -15, -8, -3, 0, 1, 8, 40)),
    *((a, a + width) for a in (-29, -20, -8, -1, -0.5, 0, 2, 8, 20, 28) for width in (0.01, 1.0, 5.0, 60.0)),
    (-INF, INF),
]


def arrays(*values: float) -> list[np.ndarray]:
    return [np.array([value], dtype=float) for value in values]


@pytest.mark.parametrize(("a", "b"), INTERVALS)
@pytest.mark.parametrize(("mu", "sd"), [(0.0, 1.0), (7.0, 0.3)])
def test_moments_and_quantiles_are_those_of_scipy(a: float, b: float, mu: float, sd: float) -> None:
    law = truncnorm(a, b, loc=mu, scale=sd)
    given_law = arrays(mu + sd * a, mu + sd * b, mu, sd)
    mean, variance = moments(*given_law)
    assert mean[0] == pytest.approx(law.mean(), rel=1e-9, abs=1e-9)
    assert variance[0] == pytest.approx(law.var(), rel=1e-3, abs=1e-9 * sd**2)
    for probability in (0.001, 0.1, 0.5, 0.9, 0.999):
        assert quantile(probability, *given_law)[0] == pytest.approx(law.ppf(probability), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("lower", "upper", "nearer"), [(100, INF, 100), (-INF, -100, -100), (50, 51, 50), (-51, -50, -50)])
def test_beyond_all_densities_the_law_sits_at_the_nearer_bound(lower: float, upper: float, nearer: float) -> None:
    law = arrays(lower, upper, 0.0, 1.0)
    assert min(abs(lower), abs(upper)) > FARTHEST
    mean, variance = moments(*law)
    assert (mean[0], quantile(0.5, *law)[0]) == (nearer, nearer)
    assert 0 < variance[0] < 1e-2


bounds = st.floats(-60, 60)


@settings(max_examples=200, deadline=None)
@given(
    ends=st.tuples(bounds | st.just(-INF), bounds | st.just(INF)).filter(lambda ends: ends[1] - ends[0] > 1e-6),
    mu=st.floats(-20, 20),
    sd=st.floats(0.01, 20),
    probabilities=st.tuples(st.floats(0.01, 0.99), st.floats(0.01, 0.99)),
)
def test_what_is_expected_lies_in_the_interval_and_quantiles_never_cross(
    ends: tuple[float, float], mu: float, sd: float, probabilities: tuple[float, float]
) -> None:
    law = arrays(*ends, mu, sd)
    mean, variance = moments(*law)
    low, high = (quantile(probability, *law)[0] for probability in sorted(probabilities))
    assert ends[0] <= mean[0] <= ends[1]
    assert 0 <= variance[0] <= sd**2
    assert ends[0] <= low <= high <= ends[1]


@settings(max_examples=60, deadline=None)
@given(lower=st.floats(-9, 9), width=st.floats(0.01, 30), shift=st.floats(-100, 100), scale=st.floats(0.1, 10))
def test_the_law_moves_and_stretches_with_its_interval_and_mirrors(lower: float, width: float, shift: float, scale: float) -> None:
    mean, variance = moments(*arrays(lower, lower + width, 0.0, 1.0))
    moved = moments(*arrays(shift + scale * lower, shift + scale * (lower + width), shift, scale))
    mirrored = moments(*arrays(-lower - width, -lower, 0.0, 1.0))
    np.testing.assert_allclose([moved[0][0], moved[1][0]], [shift + scale * mean[0], scale**2 * variance[0]], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose([mirrored[0][0], mirrored[1][0]], [-mean[0], variance[0]], rtol=1e-5, atol=1e-6)


def test_arrays_are_taken_entry_by_entry() -> None:
    law = [np.array(values) for values in ([0.0, -INF, 1.0, -INF], [INF, 0.0, 2.0, INF], [0.0, 0.0, 5.0, 3.0], [1.0, 2.0, 0.5, 1.0])]
    mean, variance = moments(*law)
    for position in range(4):
        alone = moments(*(values[[position]] for values in law))
        assert (mean[position], variance[position]) == (alone[0][0], alone[1][0])
