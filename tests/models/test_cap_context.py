"""How capped orders are described: against loops, and without their own true size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.cap_context import CappedOrders, describe_capped
from models.orders import Orders, orders_of
from models.recapping import Recapped, rationed_skus, recap_free_skus, recap_open_weeks
from models.retailer_sizes import retailer_sizes
from models.size_laws import RecoverySettings, laws_of_orders
from models.stacking import Flags, Floats
from tests.rationed_market import rationed_market

LAWS = RecoverySettings(power=0.15, pooling_orders=1.0, spread_pooling_orders=4.0, iterations=25)
GROUPS = {"pair": "pair", "tier": "tier_sku", "sku": "sku"}


@pytest.fixture(scope="module")
def orders() -> Orders:
    return orders_of(rationed_market(5, rationed=3, free=2, retailers=8, weeks=45).sort_values("week_start", ignore_index=True))


def described(orders: Orders, among: Flags | None = None) -> CappedOrders:
    """Describe the capped orders by the orders themselves."""
    laws = laws_of_orders(orders, LAWS)
    return describe_capped(orders, orders.sku, retailer_sizes(orders, laws.typical_units(orders.pair)), laws, among)


def column(capped: CappedOrders, name: str) -> Floats:
    return np.asarray(capped.features[:, capped.names.index(name)], dtype=np.float64)


def mean(values: Floats | Flags) -> float:
    return float(np.mean(values)) if values.size else np.nan


def assert_column(capped: CappedOrders, name: str, expected: list[float]) -> None:
    np.testing.assert_allclose(column(capped, name), expected, rtol=1e-5, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("unit", [1.0, 0.75, 1 / 3])
def test_what_was_ordered_under_looser_caps_is_what_a_loop_finds(orders: Orders, unit: float) -> None:
    scaled = replace(orders, size=orders.size * unit, cap=orders.cap * unit)
    capped = described(scaled)
    for name, attribute in GROUPS.items():
        group = getattr(scaled, attribute)
        found: dict[str, list[float]] = {"orders": [], "reached": [], "size": [], "cut": []}
        for n, cap in zip(capped.position, capped.cap, strict=True):
            looser = (group == group[n]) & (scaled.cap > cap)
            reached = looser & (scaled.size >= cap)
            found["orders"].append(np.log1p(looser.sum()))
            found["reached"].append(mean(reached[looser]))
            found["size"].append(mean(scaled.size[reached] / cap))
            found["cut"].append(mean(scaled.at_cap[reached]))
        assert max(found["orders"]) > 0
        for what, expected in found.items():
            assert_column(capped, f"{name}_looser_{what}", expected)


def test_other_orders_of_the_pair_and_the_tier_are_what_a_loop_finds(orders: Orders) -> None:
    capped = described(orders)
    everywhere = np.arange(orders.count)
    for name in ("pair", "tier"):
        group = getattr(orders, GROUPS[name])
        others = [(group == group[n]) & (everywhere != n) for n in capped.position]
        capped_others = [other & np.isfinite(orders.cap) for other in others]
        assert_column(capped, f"{name}_all_at_cap", [mean(orders.at_cap[other]) for other in others])
        assert_column(capped, f"{name}_all_size", [mean(orders.size[o]) / cap for o, cap in zip(others, capped.cap, strict=True)])
        has_caps = np.array([other.any() for other in capped_others])
        found = [mean(orders.cap[o]) / cap for o, cap in zip(capped_others, capped.cap, strict=True)]
        np.testing.assert_allclose(column(capped, f"{name}_all_cap")[has_caps], np.asarray(found)[has_caps], rtol=1e-5)


def test_the_week_is_told_by_the_other_orders_of_it(orders: Orders) -> None:
    capped = described(orders)
    for name in ("tier", "sku"):
        group = getattr(orders, GROUPS[name])
        same = [(group == group[n]) & (orders.week == orders.week[n]) & (np.arange(orders.count) != n) for n in capped.position]
        assert_column(capped, f"{name}_at_cap_this_week", [mean(orders.at_cap[others]) for others in same])


def test_packs_are_told_by_orders_that_nothing_cut(orders: Orders) -> None:
    capped = described(orders)
    exact = [~orders.at_cap & (orders.pair == orders.pair[n]) for n in capped.position]
    assert_column(capped, "cap_in_packs", list(capped.cap / 6))
    assert_column(capped, "whole_packs", [np.mean(orders.size[own] % 6 == 0) if own.any() else 0.0 for own in exact])
    largest = [orders.size[own].max(initial=0.0) / cap for own, cap in zip(exact, capped.cap, strict=True)]
    assert_column(capped, "pair_largest", largest)


def test_every_capped_order_is_described_once_and_never_by_an_infinite_number(orders: Orders) -> None:
    capped = described(orders)
    assert capped.position.tolist() == np.flatnonzero(orders.at_cap).tolist()
    assert capped.features.shape == (orders.at_cap.sum(), len(set(capped.names)))
    assert not np.isinf(capped.features).any()
    assert (capped.expected > capped.cap).all()
    some = described(orders, orders.week % 2 == 0)
    assert 0 < some.cap.size < capped.cap.size
    np.testing.assert_array_equal(some.features, capped.features[orders.week[capped.position] % 2 == 0])


def test_where_nothing_is_capped_nothing_is_described(orders: Orders) -> None:
    laws = laws_of_orders(orders, LAWS)
    sizes = retailer_sizes(orders, laws.typical_units(orders.pair))
    free = orders.take(~np.isin(orders.sku, rationed_skus(orders)))
    assert free.count > 0
    for none in (free, free.take(np.empty(0, dtype=np.int64))):
        capped = describe_capped(none, none.sku, sizes, laws)
        assert capped.names == described(orders).names
        assert capped.features.shape == (0, len(capped.names))


def described_on_purpose(orders: Orders, open_weeks: bool) -> tuple[Recapped, CappedOrders]:
    laws = laws_of_orders(orders, LAWS)
    sizes = retailer_sizes(orders, laws.typical_units(orders.pair))
    copy = recap_open_weeks(orders) if open_weeks else recap_free_skus(orders, np.random.default_rng(1), 1, 100_000)
    return copy, describe_capped(copy.orders, copy.source, sizes, laws_of_orders(copy.orders, LAWS))


@pytest.mark.parametrize("open_weeks", [False, True])
def test_no_feature_of_an_order_capped_on_purpose_depends_on_its_true_size(orders: Orders, open_weeks: bool) -> None:
    """The largest order of its SKU is made larger, so that the same caps are drawn; only what the EM starts from can tell."""
    copy, before = described_on_purpose(orders, open_weeks)
    cut = copy.taught & copy.orders.at_cap
    chosen = np.flatnonzero(cut)[np.argmax(copy.true_size[cut] - copy.orders.cap[cut])]
    row = copy.orders.row[chosen]
    assert copy.true_size[chosen] == copy.true_size[copy.source == copy.source[chosen]].max()
    larger = replace(orders, size=np.where(orders.row == row, 5.0 * orders.size, orders.size))
    changed, after = described_on_purpose(larger, open_weeks)
    assert changed.true_size[chosen] == 5.0 * copy.true_size[chosen]
    np.testing.assert_array_equal(changed.orders.cap, copy.orders.cap)
    np.testing.assert_array_equal(changed.orders.size, copy.orders.size)
    of_sku = copy.source[before.position] == copy.source[chosen]
    assert before.position[of_sku].tolist().count(chosen) == 1
    np.testing.assert_allclose(after.features[of_sku], before.features[of_sku], rtol=2e-3, atol=1e-4)
    np.testing.assert_allclose(after.expected[of_sku], before.expected[of_sku], rtol=1e-9)
