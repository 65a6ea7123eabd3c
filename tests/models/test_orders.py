"""Orders as arrays: which cells are orders, and where each was or may have been cut."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from models.orders import joint_codes, orders_of
from tests.rationed_market import FIRST_WEEK, rationed_market

CELLS = pd.DataFrame(
    [
        ("none", 5.0, np.nan, 6.0),
        ("none", 5.0, 8.0, np.nan),
        ("cap", 8.0, 8.0, 0.0),
        ("cap", 9.0, 8.0, 1.0),
        ("cap", 3.0, np.nan, 1.0),
        ("band", 2.0, np.nan, 1.0),
        ("band", 2.0, 8.0, 1.0),
        ("none", 0.0, np.nan, 1.0),
        ("cap", 0.0, np.nan, 1.0),
        ("floor", 4.0, np.nan, 1.0),
        ("stockout", 4.0, np.nan, 1.0),
    ],
    columns=["censoring", "delivered_units", "cap_units", "pack_units"],
).assign(retailer_id="R", sku_id="S", tier="", category="", week_start=FIRST_WEEK)


def test_orders_are_the_cells_with_a_delivery_that_no_floor_made() -> None:
    assert orders_of(CELLS).row.tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_only_a_cap_that_the_books_name_is_named_and_others_cut_where_they_stand() -> None:
    orders = orders_of(CELLS)
    assert orders.at_cap.tolist() == [False, False, True, True, True, True, True]
    assert orders.cap.tolist() == [np.inf, 8, 8, 8, 3, 2, 2]
    assert orders.named.tolist() == [False, True, True, True, False, False, False]


def test_a_pack_has_at_least_one_unit() -> None:
    assert orders_of(CELLS).pack.tolist() == [6, 1, 1, 1, 1, 1, 1]


def test_codes_tell_apart_what_the_names_tell_apart() -> None:
    market = rationed_market(1, rationed=3, free=2, retailers=8, weeks=10).sort_values("week_start", ignore_index=True)
    orders = orders_of(market)
    for codes, names in (
        (orders.pair, ["retailer_id", "sku_id"]),
        (orders.tier_sku, ["tier", "sku_id"]),
        (orders.retailer, ["retailer_id"]),
        (orders.category, ["category"]),
        (orders.week, ["week_start"]),
    ):
        expected = market.groupby(names, sort=False).ngroup().to_numpy()
        np.testing.assert_array_equal(pd.factorize(codes)[0], expected)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1))
def test_joint_codes_are_equal_where_both_codes_are(pairs: list[tuple[int, int]]) -> None:
    left, right = np.asarray(pairs).T
    seen = list(dict.fromkeys(pairs))
    assert joint_codes(left, right).tolist() == [seen.index(pair) for pair in pairs]
