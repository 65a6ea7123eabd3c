"""BG/NBD: the published fit of CDNOW, and laws that hold whatever the parameters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from contracts.errors import UncapError
from models.bg_nbd import BgNbd, fit_bg_nbd
from models.repeat_orders import RepeatOrders
from tests.cdnow import WEEKS_AHEAD, cdnow_ordered_later, cdnow_orders

# Fader, Hardie and Lee 2005, "Counting Your Customers" the Easy Way, table 1
PUBLISHED = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)
PUBLISHED_LOG_LIKELIHOOD = -9582.4

laws = st.builds(BgNbd, *(st.floats(0.05, 50.0),) * 4)
silences = st.lists(st.floats(0.1, 60.0), min_size=2, max_size=6).map(sorted)


def test_the_published_fit_of_cdnow_comes_out() -> None:
    fitted, orders = fit_bg_nbd(cdnow_orders()), cdnow_orders()
    assert [fitted.r, fitted.alpha, fitted.a, fitted.b] == pytest.approx([0.243, 4.414, 0.793, 2.426], abs=1e-3)
    assert fitted.log_likelihood(orders).sum() == pytest.approx(PUBLISHED_LOG_LIKELIHOOD, abs=0.05)


def test_the_chance_of_no_order_in_39_weeks_is_that_of_the_published_fit() -> None:
    orders = cdnow_orders()
    ours, published = (law.p_no_order(orders, WEEKS_AHEAD) for law in (fit_bg_nbd(orders), PUBLISHED))
    assert ours == pytest.approx(published, abs=3e-4)


def test_it_tells_who_orders_in_weeks_40_to_78_as_well_as_the_published_fit() -> None:
    orders, ordered = cdnow_orders(), cdnow_ordered_later()
    auc = roc_auc_score(ordered, 1.0 - fit_bg_nbd(orders).p_no_order(orders, WEEKS_AHEAD))
    assert auc == pytest.approx(roc_auc_score(ordered, 1.0 - PUBLISHED.p_no_order(orders, WEEKS_AHEAD)), abs=1e-4)
    assert auc >= 0.75


def test_the_chance_of_having_stopped_cannot_rank_most_of_cdnow() -> None:
    orders = cdnow_orders()
    certain = PUBLISHED.p_dead(orders) == 0.0
    assert certain.mean() == pytest.approx((orders.x == 0).mean())
    assert certain.mean() > 0.59
    assert np.unique(PUBLISHED.p_no_order(orders, WEEKS_AHEAD)[certain]).size > 50


@given(laws, st.integers(0, 120), st.floats(0.5, 100.0), silences)
def test_the_chance_of_no_order_rises_with_the_silence(law: BgNbd, x: int, t_x: float, silences: list[float]) -> None:
    last = t_x if x else 0.0
    orders = RepeatOrders.from_arrays([x] * len(silences), [last] * len(silences), [last + silence for silence in silences])
    assert (np.diff(law.p_no_order(orders, 13.0)) >= -1e-12).all()


@given(laws, st.integers(0, 120), st.floats(0.5, 100.0), st.floats(0.0, 60.0), silences)
def test_the_chance_of_no_order_falls_with_the_window_to_that_of_having_stopped(
    law: BgNbd, x: int, t_x: float, silence: float, windows: list[float]
) -> None:
    orders = RepeatOrders.from_arrays([x], [t_x if x else 0.0], [(t_x if x else 0.0) + silence])
    curve = [float(law.p_no_order(orders, weeks)[0]) for weeks in (*windows, 1e300)]
    assert (np.diff(curve) <= 1e-12).all()
    assert curve[-1] == pytest.approx(float(law.p_dead(orders)[0]), abs=1e-12)
    assert curve[0] <= 1.0


def test_retailers_none_of_whom_ever_stopped_fit_no_law_of_stopping() -> None:
    always = RepeatOrders.from_arrays([50] * 100, [50] * 100, [50] * 100)
    with pytest.raises(UncapError, match="BG/NBD of 100 retailers: the likelihood is largest with a at 0"):
        fit_bg_nbd(always)
