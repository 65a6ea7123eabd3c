"""Which buy-till-you-die model answers for retailers with a short history."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models.bg_nbd import BgNbd
from models.btyd import LEAST_RETAILERS, Btyd, NoBtyd, fit_btyd
from models.pareto_nbd import ParetoNbd
from models.repeat_orders import ORDER_COLUMNS, RepeatOrders
from tests.models.test_pareto_nbd import drawn_orders

HORIZONS = (4, 8, 13, 26)


def rows_of(orders: RepeatOrders) -> pd.DataFrame:
    return pd.DataFrame(dict(zip(ORDER_COLUMNS, (orders.x, orders.t_x, orders.age), strict=True)))


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return rows_of(drawn_orders(ParetoNbd(r=2.0, alpha=4.0, s=0.8, beta=20.0), retailers=600, seed=2))


@pytest.fixture(scope="module")
def fitted(rows: pd.DataFrame) -> Btyd:
    fitted = fit_btyd(rows)
    assert isinstance(fitted, Btyd)
    return fitted


def test_the_pareto_nbd_is_taken_where_it_fits(fitted: Btyd) -> None:
    assert (fitted.family, fitted.note, fitted.retailers) == ("pareto_nbd", "", 600)


def test_the_curve_never_rises_and_is_a_probability(fitted: Btyd, rows: pd.DataFrame) -> None:
    before = rows.copy()
    curve = fitted.p_no_order(rows, HORIZONS)
    assert curve.shape == (600, 4)
    assert (np.diff(curve, axis=1) <= 0).all()
    assert curve.min() >= 0
    assert curve.max() <= 1
    pd.testing.assert_frame_equal(rows, before)


def test_the_curve_is_about_what_then_happened() -> None:
    law, horizon = ParetoNbd(r=2.0, alpha=4.0, s=0.8, beta=20.0), 13
    rng = np.random.default_rng(5)
    n = 6000
    age, rate = rng.uniform(10.0, 80.0, n), rng.gamma(law.r, 1.0 / law.alpha, n)
    stop = rng.exponential(1.0 / rng.gamma(law.s, 1.0 / law.beta, n))
    x = rng.poisson(rate * np.minimum(age, stop))
    t_x = np.where(x > 0, np.minimum(age, stop) * rng.random(n) ** (1.0 / np.maximum(x, 1)), 0.0)
    no_order = rng.poisson(rate * np.clip(stop - age, 0.0, horizon)) == 0
    fitted = fit_btyd(rows_of(RepeatOrders.from_arrays(x, t_x, age)))
    assert isinstance(fitted, Btyd)
    p_no_order = fitted.p_no_order(rows_of(RepeatOrders.from_arrays(x, t_x, age)), [horizon])[:, 0]
    for low, high in ((0.0, 0.1), (0.1, 0.5), (0.5, 0.9), (0.9, 1.0)):
        band = (p_no_order >= low) & (p_no_order < high)
        assert p_no_order[band].mean() == pytest.approx(no_order[band].mean(), abs=0.05)


def test_the_order_of_rows_does_not_matter(fitted: Btyd, rows: pd.DataFrame) -> None:
    turned = fit_btyd(rows.iloc[::-1])
    assert isinstance(turned, Btyd)
    assert turned.p_no_order(rows, HORIZONS) == pytest.approx(fitted.p_no_order(rows, HORIZONS), abs=1e-5)


@pytest.mark.parametrize("law", [ParetoNbd(0.553, 10.578, 0.606, 11.669), BgNbd(0.243, 4.414, 0.793, 2.426)])
def test_json_keeps_it(law: ParetoNbd | BgNbd, fitted: Btyd) -> None:
    stored = replace(fitted, law=law, note="why")
    assert Btyd.from_json(json.loads(json.dumps(stored.to_json()))) == stored


def test_too_few_retailers_are_told(rows: pd.DataFrame) -> None:
    assert fit_btyd(rows.head(LEAST_RETAILERS - 1)) == NoBtyd("49 retailers; expected at least 50")


def test_retailers_that_all_order_every_week_fit_no_model() -> None:
    always = pd.DataFrame({"repeat_orders": [50.0] * 100, "last_order_age_weeks": 50.0, "age_weeks": 50.0})
    found = fit_btyd(always)
    assert isinstance(found, NoBtyd)
    assert "Pareto/NBD of 100 retailers" in found.reason
    assert "BG/NBD of 100 retailers" in found.reason


def test_retailers_that_ordered_once_fit_no_model() -> None:
    once = pd.DataFrame({"repeat_orders": [0.0] * 95 + [1.0] * 5, "last_order_age_weeks": [0.0] * 95 + [3.0] * 5, "age_weeks": 50.0})
    assert fit_btyd(once) == NoBtyd("5 of 100 retailers ordered again; expected at least 10")


def test_retailers_that_stop_at_one_and_the_same_rate_are_fitted() -> None:
    alike = fit_btyd(rows_of(drawn_orders(ParetoNbd(r=3.0, alpha=3.0, s=1e5, beta=5e6), retailers=1500, seed=4)))
    assert isinstance(alike, Btyd)
    assert isinstance(alike.law, ParetoNbd)
    assert alike.law.s / alike.law.beta == pytest.approx(0.02, rel=0.15)
