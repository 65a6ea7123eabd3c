"""Suggestions are what peers sell and the retailer does not carry, with counts that a plain loop gives, whatever the order of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from models.cross_sell import COLUMNS, LEAST_SELLERS, CrossSellSettings, shrunk_lift, suggest
from models.retailer_ranges import Ranges

FEW = CrossSellSettings(skus_per_retailer=3, peers=4, prior_peers=2.0)


def ranges_of(units: Sequence[Sequence[float]], kinds: list[str] | None = None) -> Ranges:
    carried = sparse.csr_matrix(np.array(units, dtype=np.float64))
    n_retailers, n_skus = carried.shape
    return Ranges(
        retailer_ids=np.array([f"R{number}" for number in range(n_retailers)], dtype=object),
        sku_ids=np.array([f"S{number}" for number in range(n_skus)], dtype=object),
        kinds=np.array(kinds or [""] * n_retailers, dtype=object),
        units=carried,
        recent=(carried > 0).astype(np.float64),
        weekly_units=carried / 26.0,
        offered=np.ones(n_skus, dtype=bool),
        shut=sparse.csr_matrix(carried.shape),
    )


# Four shops of one kind sell S0 to S2; the first of them lacks S2. Two others sell S3 and S4.
MARKET = [[26, 26, 0, 0, 0], [26, 26, 52, 0, 0], [26, 26, 52, 0, 0], [26, 26, 26, 0, 0], [0, 0, 0, 26, 26], [0, 0, 0, 26, 26]]


def test_what_its_peers_sell_and_it_lacks_is_suggested_with_the_units_of_its_size() -> None:
    (first,) = suggest(ranges_of(MARKET), FEW).query("retailer_id == 'R0'").to_dict("records")
    assert (first["sku_id"], first["rank"], first["peers"]) == ("S2", 1, 3)
    # 2 + 2 + 1 of the peers' 4 + 4 + 3 units a week, for a shop of 2
    assert first["expected_weekly_units"] == pytest.approx(2 * 5 / 11)
    # all three peers sell it, half of all shops do: (3 + 2) ÷ (1.5 + 2)
    assert (first["because_sku_id"], first["support"], first["confidence"]) == (None, 1, 1)
    assert first["lift"] == pytest.approx(5 / 3.5)
    assert first["reason"] == "3 of 3 shops with a similar range sell it; at its size about 0.91 units a week are expected"


def test_a_sku_that_goes_with_another_among_the_peers_names_it() -> None:
    # Of five peers two sell both S1 and S2, the others neither; R0 carries S1.
    units = [[9, 9, 0], [9, 9, 9], [9, 9, 9], [9, 0, 0], [9, 0, 0], [9, 0, 0]]
    one = suggest(ranges_of(units), replace(FEW, peers=5)).query("retailer_id == 'R0'").iloc[0]
    assert (one.sku_id, one.because_sku_id, one.support, one.confidence) == ("S2", "S1", pytest.approx(0.4), 1)
    assert one.lift == pytest.approx((2 + 2) / (2 * 2 / 5 + 2))
    assert "of the 2 of them that sell S1, which it carries, 2 do" in one.reason


def test_what_nobody_can_be_offered_or_the_retailer_may_not_order_is_never_suggested() -> None:
    open_to_all = ranges_of(MARKET)
    shut = sparse.csr_matrix(np.array([[0, 0, 1, 0, 0]] + [[0] * 5] * 5, dtype=np.float64))
    assert "R0" not in set(suggest(replace(open_to_all, shut=shut), FEW).retailer_id)
    withdrawn = replace(open_to_all, offered=np.array([True, True, False, True, True]))
    assert "S2" not in set(suggest(withdrawn, FEW).sku_id)


def test_peers_are_of_the_same_kind_where_there_are_enough() -> None:
    units = [[1, 1, 0, 0]] + [[1, 1, 1, 0]] * 3 + [[1, 1, 0, 1]] * 3
    kinds = ["bar"] * 4 + ["shop"] * 3
    three = replace(FEW, peers=3)
    assert list(suggest(ranges_of(units, kinds), three).query("retailer_id == 'R0'").sku_id) == ["S2"]
    # two bars are no three peers
    assert set(suggest(ranges_of(units, ["bar"] * 2 + ["shop"] * 5), replace(three, peers=6)).query("retailer_id == 'R0'").sku_id) == {
        "S2",
        "S3",
    }


def test_retailers_without_peers_and_an_empty_market_get_nothing() -> None:
    assert tuple(suggest(ranges_of([[1, 0], [0, 1]]), FEW).columns) == COLUMNS
    assert suggest(ranges_of([[1, 0], [0, 1]]), FEW).empty


markets = st.integers(2, 7).flatmap(
    lambda n: st.lists(st.lists(st.sampled_from([0.0, 0.0, 1.0, 3.0, 8.0]), min_size=n, max_size=n), min_size=1, max_size=9)
)


@settings(deadline=None, max_examples=60)
@given(markets)
def test_counts_are_those_of_a_plain_loop_and_the_laws_hold(units: list[list[float]]) -> None:
    market = ranges_of(units)
    suggested = suggest(market, FEW)
    held = np.array(units)
    logs = np.log1p(held)
    for row in suggested.to_dict("records"):
        retailer, sku = int(row["retailer_id"][1:]), int(row["sku_id"][1:])
        likeness = [float(logs[retailer] @ other / (np.linalg.norm(logs[retailer]) * np.linalg.norm(other) or 1.0)) for other in logs]
        others = sorted((-round(like, 12), other) for other, like in enumerate(likeness) if other != retailer and like > 0)
        if len({like for like, _ in others}) < len(others):
            continue  # alike to the last digit: who comes first is a matter of rounding
        peers = held[[other for _, other in others[: FEW.peers]]] > 0
        because = int(row["because_sku_id"][1:]) if isinstance(row["because_sku_id"], str) else None
        both = peers[:, sku] & (peers[:, because] if because is not None else True)
        assert row["peers"] == len(peers)
        assert row["support"] == pytest.approx(both.mean())
        assert row["confidence"] == pytest.approx(both.sum() / (peers[:, because].sum() if because is not None else len(peers)))
        assert peers[:, sku].sum() >= LEAST_SELLERS
    assert all(held[int(row["retailer_id"][1:]), int(row["sku_id"][1:])] == 0 for row in suggested.to_dict("records"))
    assert (suggested.groupby("retailer_id")["rank"].max() <= FEW.skus_per_retailer).all()
    assert (suggested.expected_weekly_units >= 0).all()


@given(st.floats(0, 1e4), st.floats(0, 1e4), st.floats(0.1, 100))
def test_a_shrunk_lift_lies_between_one_and_the_raw_one(together: float, expected: float, prior: float) -> None:
    lift = float(shrunk_lift(np.array([together]), np.array([expected]), prior)[0])
    raw = together / expected if expected > 0 else np.inf
    assert min(1.0, raw) - 1e-9 <= lift <= max(1.0, raw) + 1e-9


def test_settings_of_more_suggestions_only_append() -> None:
    market = ranges_of([[1, 1, 1, 0, 0, 0]] + [[1, 1, 1, 1, 1, 1]] * 2 + [[1, 1, 1, 1, 0, 0]] * 2)
    few, many = (suggest(market, replace(FEW, skus_per_retailer=n)).query("retailer_id == 'R0'") for n in (1, 3))
    pd.testing.assert_frame_equal(few, many.head(1))
    assert many.sku_id.iloc[0] == "S3"
