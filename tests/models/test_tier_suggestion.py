"""What may be suggested: one step, to those that may move, and nothing where nothing is to gain."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from models.tier_suggestion import suggested_tiers

TIERS = ["T1", "T2", "T3"]


@given(places=st.lists(st.integers(0, 2), min_size=3, max_size=60), seed=st.integers(0, 999))
def test_a_retailer_moves_one_step_at_most_and_only_if_it_may(places: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    tier = pd.Series([TIERS[place] for place in places])
    money = np.array([10.0, 100.0, 1000.0])[places]
    may_move = rng.random(len(places)) < 0.7
    suggested = suggested_tiers(tier, rng.random(len(places)), money, may_move)
    steps = suggested.map(TIERS.index).to_numpy() - np.array(places)
    # a tier that nobody may leave is none of the ladder
    ladder = np.searchsorted(sorted(set(np.array(places)[may_move].tolist())), [np.array(places), np.array(places) + steps])
    assert (steps[~may_move] == 0).all()
    assert (np.abs(ladder[1] - ladder[0])[may_move] <= 1).all()


def test_where_the_standing_follows_the_tiers_nothing_is_suggested() -> None:
    tier = pd.Series(["T1"] * 5 + ["T2"] * 3 + ["T3"] * 2)
    standing = np.arange(10.0)
    assert suggested_tiers(tier, standing, standing, [True] * 10).tolist() == tier.tolist()


def test_a_retailer_without_a_tier_is_suggested_none() -> None:
    suggested = suggested_tiers(pd.Series(["T1", None, "T2"]), [1.0, 9.0, 5.0], [1.0, 9.0, 5.0], [True] * 3)
    assert suggested.tolist() == ["T1", None, "T2"]
