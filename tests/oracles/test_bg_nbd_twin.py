"""BG/NBD against the likelihood of one retailer, averaged over the rate of ordering and the chance of stopping by plain integration."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln, expit, gammaln, log_expit

from models.bg_nbd import BgNbd
from models.repeat_orders import RepeatOrders

STEP = 0.1
LOG_RATES = np.arange(-80.0, 7.0, STEP)
LOG_ODDS = np.arange(-80.0, 80.0, STEP)


def log_likelihood_by_integration(law: BgNbd, x: int, t_x: float, age: float) -> float:
    """Fader et al. 2005, equation 3: not stopped at any of x orders, or stopped at the last."""
    rate, chance = np.exp(LOG_RATES)[:, None], expit(LOG_ODDS)[None, :]
    given_both = (1.0 - chance) ** x * rate**x * np.exp(-rate * age)
    if x:
        given_both = given_both + chance * (1.0 - chance) ** (x - 1) * rate**x * np.exp(-rate * t_x)
    of_rate = np.exp(law.r * np.log(law.alpha) + law.r * LOG_RATES - law.alpha * np.exp(LOG_RATES) - gammaln(law.r)) * STEP
    of_chance = np.exp(law.a * log_expit(LOG_ODDS) + law.b * log_expit(-LOG_ODDS) - betaln(law.a, law.b)) * STEP
    return float(np.log(of_rate @ given_both @ of_chance))


laws = st.builds(BgNbd, *(st.floats(0.3, 20.0),) * 4)


@settings(max_examples=15, deadline=None)
@given(laws, st.integers(0, 40), st.floats(0.5, 40.0), st.floats(0.0, 40.0), st.floats(1.0, 40.0))
def test_likelihood_and_chance_of_no_order_are_those_of_plain_integration(
    law: BgNbd, x: int, t_x: float, silence: float, weeks: float
) -> None:
    last = t_x if x else 0.0
    orders = RepeatOrders.from_arrays([x], [last], [last + silence])
    now, later = (log_likelihood_by_integration(law, x, last, last + silence + ahead) for ahead in (0.0, weeks))
    assert float(law.log_likelihood(orders)[0]) == pytest.approx(now, abs=1e-8)
    assert float(law.p_no_order(orders, weeks)[0]) == pytest.approx(np.exp(later - now), abs=1e-8)
