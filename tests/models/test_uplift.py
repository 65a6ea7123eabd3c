"""The uplift finds an effect that is there, its interval holds it as often as it says, and little evidence moves no belief."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.uplift import Uplift, measure_uplift, shrunk_share


def drawn(random: np.random.Generator, retailers: int, share_held_out: float, base: float, effect: float, spread: float) -> pd.DataFrame:
    """Episodes of retailers that order at rates of their own around ``base``; each has one to four, drawn anew each time."""
    own = np.clip(random.normal(base, spread, retailers), 0.0, 1.0 - effect)
    episodes = random.integers(1, 5, retailers)
    retailer = np.repeat(np.arange(retailers), episodes)
    held_out = random.random(len(retailer)) < share_held_out
    p_order = own[retailer] + np.where(held_out, 0.0, effect)
    return pd.DataFrame(
        {
            "retailer_id": retailer.astype(str),
            "assignment": np.where(held_out, "hold_out", "contact"),
            "ordered": random.random(len(retailer)) < p_order,
            "reached": ~held_out,
        }
    )


@pytest.mark.parametrize(("base", "effect", "spread"), [(0.7, 0.0, 0.0), (0.7, 0.1, 0.2), (0.93, 0.05, 0.1), (0.05, 0.1, 0.05)])
def test_the_interval_holds_the_true_effect_in_nine_of_ten_cases(base: float, effect: float, spread: float) -> None:
    random = np.random.default_rng(1)
    measured = [measure_uplift(drawn(random, 300, 0.1, base, effect, spread)) for _ in range(150)]
    covered = np.mean([one.low <= effect <= one.high for one in measured])
    assert 0.83 <= covered <= 0.98
    error = np.std([one.difference for one in measured]) / len(measured) ** 0.5
    assert abs(np.mean([one.difference for one in measured]) - effect) < 4 * error


def test_retailers_that_are_drawn_often_widen_the_interval() -> None:
    # the same retailers over and over, each always the same: a thousand episodes of twenty retailers are not a thousand
    retailers = pd.DataFrame({"retailer_id": [f"R{n}" for n in range(20)], "assignment": ["contact"] * 10 + ["hold_out"] * 10})
    once = retailers.assign(ordered=[n % 2 == 0 for n in range(20)], reached=True)
    often = pd.concat([once] * 50, ignore_index=True)
    assert measure_uplift(often).high - measure_uplift(often).low == pytest.approx(
        measure_uplift(once).high - measure_uplift(once).low, rel=0.05
    )


def test_without_anybody_left_alone_there_is_no_uplift() -> None:
    contacted = pd.DataFrame({"retailer_id": ["R1"], "assignment": ["contact"], "ordered": [True], "reached": [True]})
    measured = measure_uplift(contacted)
    assert (measured.contacted, measured.reached, measured.held_out, measured.ordering_contacted) == (1, 1, 0, 1.0)
    assert np.isnan([measured.ordering_held_out, measured.difference, measured.low, measured.high]).all()
    assert shrunk_share(0.3, 0.1, measured, base=0.5) == 0.3


def uplift(difference: float, half_width: float) -> Uplift:
    return Uplift(900, 900, 100, 0.8, 0.8 - difference, difference, difference - half_width, difference + half_width)


def test_certain_evidence_takes_the_place_of_the_belief_and_uncertain_evidence_does_not() -> None:
    assert shrunk_share(0.3, 0.1, uplift(0.02, 0.001), base=0.2) == pytest.approx(0.1, abs=0.001)
    assert shrunk_share(0.3, 0.1, uplift(0.02, 0.5), base=0.2) == pytest.approx(0.3, abs=0.01)
    assert 0.1 < shrunk_share(0.3, 0.1, uplift(0.02, 0.03), base=0.2) < 0.3


def test_a_harmful_contact_saves_nothing_rather_than_less() -> None:
    assert shrunk_share(0.3, 0.1, uplift(-0.1, 0.001), base=0.2) == 0.0
