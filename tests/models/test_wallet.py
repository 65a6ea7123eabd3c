"""Whom a retailer is compared with, and the laws of its share of wallet."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from models.wallet import peer_groups, wallet_shares


def shops(urban: int, rural: int) -> pd.DataFrame:
    """Urban groceries and rural restaurants."""
    n = urban + rural
    return pd.DataFrame(
        {
            "area": ["urban"] * urban + ["rural"] * rural,
            "channel": ["grocery"] * urban + ["restaurant"] * rural,
            "consumption_level": [float(place % 9) for place in range(n)],
            "skus_52w": range(1, n + 1),
        }
    )


def test_peers_share_all_attributes_where_they_are_many_and_fewer_where_they_are_few() -> None:
    groups = peer_groups(shops(urban=90, rural=24), ("area", "channel", "consumption_level"))
    assert set(groups[:90]) == {f"urban, grocery, consumption {level}/3" for level in (1, 2, 3)}
    assert set(groups[90:]) == {"rural, restaurant"}


def test_a_lonely_shop_is_compared_with_everybody() -> None:
    assert set(peer_groups(shops(urban=30, rural=2), ("area",))[30:]) == {"everybody"}


def test_where_nothing_is_known_of_the_shops_peers_carry_as_many_skus() -> None:
    groups = peer_groups(shops(urban=50, rural=0), ())
    assert groups.value_counts().to_dict() == {f"carries {level}/5": 10 for level in range(1, 6)}


@given(money=st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_the_shares_lie_between_0_and_1_and_who_spends_more_has_no_smaller_one(money: list[float]) -> None:
    ranked = sorted(money)
    shares = wallet_shares(ranked, pd.Series(["all"] * len(ranked)))
    assert ((shares >= 0) & (shares <= 1)).all()
    assert sorted(shares) == shares.tolist()
