"""Pareto/NBD: the published fit of CDNOW, and laws that hold whatever the parameters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from contracts.errors import UncapError
from models.pareto_nbd import ParetoNbd, fit_pareto_nbd
from models.repeat_orders import RepeatOrders
from tests.cdnow import WEEKS_AHEAD, cdnow_ordered_later, cdnow_orders

# Fader, Hardie and Lee 2005, "Counting Your Customers" the Easy Way, table 1
PUBLISHED = ParetoNbd(r=0.553, alpha=10.578, s=0.606, beta=11.669)
PUBLISHED_LOG_LIKELIHOOD = -9595.0

laws = st.builds(ParetoNbd, *(st.floats(0.05, 50.0),) * 4)
silences = st.lists(st.floats(0.1, 60.0), min_size=2, max_size=6).map(sorted)


def test_the_published_fit_of_cdnow_comes_out() -> None:
    fitted, orders = fit_pareto_nbd(cdnow_orders()), cdnow_orders()
    assert fitted.r == pytest.approx(PUBLISHED.r, abs=1e-3)
    assert fitted.alpha == pytest.approx(PUBLISHED.alpha, abs=5e-3)
    assert fitted.s == pytest.approx(PUBLISHED.s, abs=1e-3)
    assert fitted.beta == pytest.approx(PUBLISHED.beta, abs=1e-2)
    assert fitted.log_likelihood(orders).sum() == pytest.approx(PUBLISHED_LOG_LIKELIHOOD, abs=0.05)


def test_the_chance_of_no_order_in_39_weeks_is_that_of_the_published_fit() -> None:
    orders = cdnow_orders()
    ours, published = (law.p_no_order(orders, WEEKS_AHEAD) for law in (fit_pareto_nbd(orders), PUBLISHED))
    assert ours == pytest.approx(published, abs=2e-4)


def test_it_tells_who_orders_in_weeks_40_to_78() -> None:
    orders, ordered = cdnow_orders(), cdnow_ordered_later()
    p_no_order = fit_pareto_nbd(orders).p_no_order(orders, WEEKS_AHEAD)
    assert roc_auc_score(ordered, 1.0 - p_no_order) >= 0.77


@given(laws, st.integers(0, 120), st.floats(0.5, 100.0), silences)
def test_the_chance_of_no_order_rises_with_the_silence(law: ParetoNbd, x: int, t_x: float, silences: list[float]) -> None:
    last = t_x if x else 0.0
    orders = RepeatOrders.from_arrays([x] * len(silences), [last] * len(silences), [last + silence for silence in silences])
    assert (np.diff(law.p_no_order(orders, 13.0)) >= -1e-6).all()


@given(laws, st.integers(0, 120), st.floats(0.5, 100.0), st.floats(0.0, 60.0), silences)
def test_the_chance_of_no_order_falls_with_the_window_and_stays_above_that_of_having_stopped(
    law: ParetoNbd, x: int, t_x: float, silence: float, windows: list[float]
) -> None:
    orders = RepeatOrders.from_arrays([x], [t_x if x else 0.0], [(t_x if x else 0.0) + silence])
    curve = [float(law.p_no_order(orders, weeks)[0]) for weeks in windows]
    assert (np.diff(curve) <= 1e-6).all()
    assert curve[-1] >= float(law.p_dead(orders)[0]) - 1e-6
    assert curve[0] <= 1.0


def test_a_thousand_orders_and_no_silence_are_no_trouble() -> None:
    orders = RepeatOrders.from_arrays([1000, 1000], [10.0, 10.0], [10.0, 200.0])
    p_no_order = PUBLISHED.p_no_order(orders, 1.0)
    assert p_no_order[0] < 0.01
    assert p_no_order[1] == pytest.approx(1.0)


def test_parameters_that_made_the_orders_are_found_again() -> None:
    fitted = fit_pareto_nbd(drawn_orders(ParetoNbd(r=2.0, alpha=4.0, s=0.8, beta=20.0), retailers=4000, seed=1))
    assert fitted.r / fitted.alpha == pytest.approx(0.5, rel=0.1)
    assert fitted.r == pytest.approx(2.0, rel=0.2)
    assert fitted.s == pytest.approx(0.8, rel=0.3)


def test_retailers_none_of_whom_ever_stopped_fit_no_law_of_stopping() -> None:
    always = RepeatOrders.from_arrays([50] * 100, [50] * 100, [50] * 100)
    with pytest.raises(UncapError, match="Pareto/NBD of 100 retailers: the likelihood is largest with s at 0"):
        fit_pareto_nbd(always)


def drawn_orders(law: ParetoNbd, retailers: int, seed: int) -> RepeatOrders:
    """Orders of retailers that follow a law, known for 10 to 80 weeks."""
    rng = np.random.default_rng(seed)
    age, rate = rng.uniform(10.0, 80.0, retailers), rng.gamma(law.r, 1.0 / law.alpha, retailers)
    active = np.minimum(age, rng.exponential(1.0 / rng.gamma(law.s, 1.0 / law.beta, retailers)))
    x = rng.poisson(rate * active)
    # the last of x times spread evenly over the active time
    t_x = np.where(x > 0, active * rng.random(retailers) ** (1.0 / np.maximum(x, 1)), 0.0)
    return RepeatOrders.from_arrays(x, t_x, age)
