"""The search for the largest likelihood."""

from __future__ import annotations

import numpy as np
import pytest

from contracts.errors import UncapError
from models.likelihood_maximum import LARGEST_LOG, maximise
from models.stacking import Floats


@pytest.mark.parametrize("mean", [1e-3, 0.2, 40.0, 1e3])
def test_the_rate_of_an_exponential_law_is_one_over_the_mean(mean: float) -> None:
    fitted = maximise(lambda rate: (float(np.log(rate[0]) - rate[0] * mean), 1.0 / rate - mean), ["rate"], [[1.0]], "times")
    assert fitted["rate"] == pytest.approx(1.0 / mean, rel=1e-5)


def test_a_parameter_that_vanishes_is_told() -> None:
    with pytest.raises(UncapError, match="orders: the likelihood is largest with b at 0; expected parameters above it"):
        maximise(lambda p: (float(np.log(p[0]) - p[0] - p[1]), np.array([1.0 / p[0] - 1.0, -1.0])), ["a", "b"], [[1.0, 1e-4]], "orders")


def test_a_parameter_without_bounds_ends_at_the_upper_edge() -> None:
    fitted = maximise(lambda p: (float(-1.0 / p[0] ** 0.1), 0.1 / p**1.1), ["a"], [[1.0]], "orders")
    assert fitted["a"] == pytest.approx(np.exp(LARGEST_LOG))


def test_where_the_first_search_fails_the_next_start_is_tried() -> None:
    def score(p: Floats) -> tuple[float, Floats]:
        return (float("nan"), p * np.nan) if p[0] > 5 else (float(np.log(p[0]) - p[0]), 1.0 / p - 1.0)

    assert maximise(score, ["a"], [[10.0], [2.0]], "orders")["a"] == pytest.approx(1.0, rel=1e-5)
    with pytest.raises(UncapError, match="orders: 1 searches for the largest likelihood did not converge"):
        maximise(score, ["a"], [[10.0]], "orders")
