"""Log-odds are finite and keep the order of the probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from models.calibration import LEAST_PROBABILITY, log_odds

probabilities = st.floats(0, 1)


@given(probabilities, probabilities)
def test_the_order_of_probabilities_is_kept(first: float, second: float) -> None:
    low, high = log_odds(sorted([first, second]))
    assert -np.inf < low <= high < np.inf


@given(st.floats(LEAST_PROBABILITY, 1 - LEAST_PROBABILITY))
def test_a_probability_within_the_bounds_comes_back(probability: float) -> None:
    assert expit(log_odds(probability)) == pytest.approx(probability, rel=1e-9)
