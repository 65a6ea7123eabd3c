"""Capping on purpose: like the donors' rationing, and no more than that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models.orders import Orders, orders_of
from models.recapping import free_skus, rationed_skus, recap_free_skus, recap_open_weeks
from tests.rationed_market import FIRST_WEEK, rationed_market


@pytest.fixture(scope="module")
def orders() -> Orders:
    return orders_of(rationed_market(3).sort_values("week_start", ignore_index=True))


@pytest.fixture(scope="module")
def one_donor() -> Orders:
    """One rationed SKU, so that it must be the donor of every free one."""
    return orders_of(rationed_market(4, rationed=1, free=6, retailers=200).sort_values("week_start", ignore_index=True))


def test_rationed_is_what_a_named_cap_could_cut(orders: Orders) -> None:
    assert rationed_skus(orders).tolist() == sorted(set(orders.sku[np.isfinite(orders.cap)]))
    assert rationed_skus(replace(orders, named=np.zeros(orders.count, dtype=bool))).size == 0


def test_free_is_what_seldom_was_cut(orders: Orders) -> None:
    free = np.setdiff1d(orders.sku, rationed_skus(orders))
    np.testing.assert_array_equal(free_skus(orders), free)
    of_first = np.flatnonzero(orders.sku == free[0])
    for cut, expected in ((of_first.size // 20, free), (of_first.size // 5, free[1:])):
        some = np.isin(np.arange(orders.count), of_first[:cut])
        shared = replace(orders, at_cap=orders.at_cap | some, cap=np.where(some, orders.size, orders.cap))
        np.testing.assert_array_equal(free_skus(shared), expected)
        assert set(recap_free_skus(shared, np.random.default_rng(1), 1, 10_000_000).source) == set(expected)


def test_one_order_of_half_a_unit_leaves_the_caps_of_other_skus_whole(one_donor: Orders) -> None:
    odd = np.flatnonzero(~np.isin(one_donor.sku, rationed_skus(one_donor)))[0]
    cut = recap_free_skus(
        replace(one_donor, size=np.where(np.arange(one_donor.count) == odd, 2.5, one_donor.size)), np.random.default_rng(1), 1, 100_000
    )
    others = cut.taught & (cut.source != one_donor.sku[odd])
    assert others.sum() > 100
    assert (cut.orders.cap[others] % 1 == 0).all()


def test_free_skus_reach_their_caps_about_as_often_as_the_donor(one_donor: Orders) -> None:
    copy = recap_free_skus(one_donor, np.random.default_rng(1), 1, 100_000)
    donor = one_donor.take(np.isfinite(one_donor.cap))
    capped = np.isfinite(copy.orders.cap)
    for tier in (0, 1):
        wanted = donor.at_cap[donor.tier == tier].mean()
        found = copy.orders.at_cap[capped & (copy.orders.tier == tier)].mean()
        assert 0.2 < wanted < 0.9
        assert found == pytest.approx(wanted, abs=0.05)


def test_weeks_in_which_the_donor_was_open_stay_open(one_donor: Orders) -> None:
    copy = recap_free_skus(one_donor, np.random.default_rng(1), 1, 100_000)
    capped_weeks = {(tier, week) for tier, week, cap in zip(one_donor.tier, one_donor.week, one_donor.cap, strict=True) if np.isfinite(cap)}
    expected = [(tier, week) in capped_weeks for tier, week in zip(copy.orders.tier, copy.orders.week, strict=True)]
    np.testing.assert_array_equal(np.isfinite(copy.orders.cap), expected)
    assert not np.all(expected)


def test_where_the_donor_is_always_capped_no_week_is_open_even_if_nobody_ordered_it(one_donor: Orders) -> None:
    free = ~np.isin(one_donor.sku, rationed_skus(one_donor))
    seldom = one_donor.take(free | (np.isfinite(one_donor.cap) & (one_donor.week % 7 == 0)))
    copy = recap_free_skus(seldom, np.random.default_rng(1), 1, 100_000)
    assert copy.orders.count > 1000
    assert np.isfinite(copy.orders.cap).all()


def test_orders_that_a_shared_cap_cut_do_not_make_their_weeks_open(one_donor: Orders) -> None:
    free = ~np.isin(one_donor.sku, rationed_skus(one_donor))
    closed = one_donor.take(free | np.isfinite(one_donor.cap))
    shared = np.isin(closed.sku, rationed_skus(closed)) & (closed.week == np.median(closed.week))
    assert shared.any()
    copy = recap_free_skus(
        replace(closed, at_cap=closed.at_cap | shared, named=closed.named & ~shared), np.random.default_rng(1), 1, 100_000
    )
    assert np.isfinite(copy.orders.cap).all()


def test_an_order_under_a_cap_of_nothing_leaves_every_cap_a_number(one_donor: Orders) -> None:
    free = ~np.isin(one_donor.sku, rationed_skus(one_donor))
    closed = one_donor.take(free | np.isfinite(one_donor.cap))
    shut = np.isfinite(closed.cap) & (closed.week == np.median(closed.week))
    assert shut.any()
    cut = replace(closed, cap=np.where(shut, 0.0, closed.cap), at_cap=closed.at_cap | shut)
    caps = recap_free_skus(cut, np.random.default_rng(1), 1, 100_000).orders.cap
    assert np.isfinite(caps).all()
    assert caps.min() >= 1


def test_a_tier_with_hardly_an_order_is_not_taken_for_always_capped(one_donor: Orders) -> None:
    free = ~np.isin(one_donor.sku, rationed_skus(one_donor))
    of_tier = one_donor.tier == 1
    first = np.flatnonzero(~free & of_tier & np.isfinite(one_donor.cap))[:1]
    kept = one_donor.take(np.sort(np.concatenate([np.flatnonzero(free | ~of_tier), first])))
    copy = recap_free_skus(kept, np.random.default_rng(1), 1, 100_000).orders
    assert np.isfinite(copy.cap[copy.tier == 1]).mean() < 0.05


def test_sizes_in_fractions_reach_their_caps_as_often_as_whole_ones(one_donor: Orders) -> None:
    free = ~np.isin(one_donor.sku, rationed_skus(one_donor))
    shares = [
        recap_free_skus(
            replace(one_donor, size=np.where(free, one_donor.size * times, one_donor.size)), np.random.default_rng(1), 1, 100_000
        ).orders.at_cap.mean()
        for times in (1.0, 0.1)
    ]
    assert shares[1] == pytest.approx(shares[0], abs=0.02)


def test_caps_of_a_donor_that_was_never_open_do_not_follow_what_was_ordered_under_them(one_donor: Orders) -> None:
    """Free SKUs sell threefold in half of the weeks; their caps are the donor's but for one number per tier."""
    free = ~np.isin(one_donor.sku, rationed_skus(one_donor))
    closed = one_donor.take(free | np.isfinite(one_donor.cap))
    free = ~np.isin(closed.sku, rationed_skus(closed))
    sold = np.where(closed.week > np.median(closed.week), 30.0, 10.0)
    cut = recap_free_skus(replace(closed, size=np.where(free, sold, 1.0) * closed.size), np.random.default_rng(1), 1, 100_000).orders
    capped = closed.take(closed.named)
    given = pd.Series(capped.cap, pd.MultiIndex.from_arrays([capped.tier, capped.week])).groupby(level=[0, 1]).first()
    lent = cut.take(np.array([key in given.index for key in zip(cut.tier, cut.week, strict=True)]))
    times = lent.cap / given.loc[list(zip(lent.tier, lent.week, strict=True))].to_numpy()
    spread = pd.Series(times).groupby([lent.sku, lent.tier]).agg(lambda found: found.max() / found.min())
    assert spread.size > 5
    assert spread.max() < 1.1
    for tier in (0, 1):
        assert cut.at_cap[cut.tier == tier].mean() == pytest.approx(closed.at_cap[closed.named & (closed.tier == tier)].mean(), abs=0.05)


def test_caps_that_change_every_week_are_lent_as_they_are_times_one_number(one_donor: Orders) -> None:
    """With a cap of its own for every few orders, those orders would each reach theirs."""
    changing = replace(one_donor, cap=np.where(np.isfinite(one_donor.cap), one_donor.cap + one_donor.week % 3, np.inf))
    few = changing.take((changing.retailer < 12) | ~np.isin(changing.sku, rationed_skus(changing)))
    donor = few.take(few.named)
    assert 2 < donor.count / np.unique(donor.tier * 1000 + donor.week).size < 20
    cut = recap_free_skus(few, np.random.default_rng(1), 1, 100_000).orders
    given = pd.Series(donor.cap, pd.MultiIndex.from_arrays([donor.tier, donor.week])).groupby(level=[0, 1]).first()
    lent = cut.take(np.isfinite(cut.cap))
    times = lent.cap / given.loc[list(zip(lent.tier, lent.week, strict=True))].to_numpy()
    # whole caps are rounded up
    assert pd.Series(times).groupby([lent.sku, lent.tier]).agg(lambda found: found.max() / found.min()).max() < 1.4
    open_weeks = {(tier, week) for tier, week in zip(few.tier, few.week, strict=True)} - set(given.index)
    assert not open_weeks & set(zip(lent.tier, lent.week, strict=True))
    assert lent.at_cap.mean() == pytest.approx(donor.at_cap.mean(), abs=0.1)


def test_a_run_of_the_donor_gives_a_free_sku_one_whole_cap_per_tier(one_donor: Orders) -> None:
    cut = recap_free_skus(one_donor, np.random.default_rng(1), 1, 100_000).orders
    caps = pd.DataFrame({"sku": cut.sku, "tier": cut.tier, "run": (cut.week - cut.week[0]) // 10, "cap": cut.cap})
    assert caps.groupby(["sku", "tier", "run"]).cap.nunique(dropna=False).eq(1).all()
    finite = caps.cap[np.isfinite(caps.cap)]
    assert (finite >= 1).all()
    assert (finite % 1 == 0).all()


def test_open_weeks_are_capped_a_part_at_a_time_and_the_others_stay_in_view(orders: Orders) -> None:
    whole = recap_open_weeks(orders)
    parts = [recap_open_weeks(orders, part, 4) for part in range(4)]
    np.testing.assert_array_equal(np.sum([part.taught for part in parts], axis=0), whole.taught)
    for part in parts:
        assert 0 < part.taught.sum() < whole.taught.sum()
        np.testing.assert_array_equal(part.orders.cap[part.taught], whole.orders.cap[part.taught])
        others = whole.taught & ~part.taught
        assert np.isinf(part.orders.cap[others]).all()
        assert not part.orders.at_cap[others].any()


def test_what_is_seen_is_cut_and_the_truth_is_kept(orders: Orders) -> None:
    for copy in (recap_free_skus(orders, np.random.default_rng(2), 2, 100_000), recap_open_weeks(orders)):
        cut = copy.orders
        np.testing.assert_array_equal(cut.size, np.minimum(copy.true_size, cut.cap))
        np.testing.assert_array_equal(cut.at_cap, copy.true_size >= cut.cap)
        np.testing.assert_array_equal(copy.true_size, orders.size[np.searchsorted(orders.row, cut.row)])
        np.testing.assert_array_equal(copy.source, orders.sku[np.searchsorted(orders.row, cut.row)])
        assert (np.diff(cut.week) >= 0).all()
        assert np.isfinite(cut.cap[copy.taught]).all()


def test_each_free_sku_has_a_copy_for_every_donor_until_there_are_orders_enough(orders: Orders) -> None:
    free = np.setdiff1d(orders.sku, rationed_skus(orders))
    copies = recap_free_skus(orders, np.random.default_rng(2), 3, 10_000_000)
    assert set(copies.source) == set(free)
    assert np.unique(copies.orders.sku).size == 3 * free.size
    few = recap_free_skus(orders, np.random.default_rng(2), 3, 20_000)
    assert 10_000 < few.orders.count <= 20_000
    assert np.unique(recap_free_skus(orders, np.random.default_rng(2), 3, 1).source).size == 1


def test_the_same_seed_draws_the_same_caps_and_another_one_others(orders: Orders) -> None:
    first, again, other = (recap_free_skus(orders, np.random.default_rng(seed), 2, 100_000).orders.cap for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_an_open_week_gets_the_cap_that_its_tier_had_nearest_in_time(orders: Orders) -> None:
    copy = recap_open_weeks(orders)
    assert set(copy.source) == set(rationed_skus(orders))
    named = orders.take(orders.named)
    for n in np.random.default_rng(1).choice(np.flatnonzero(copy.taught), 200):
        tier = named.take(named.tier_sku == orders.tier_sku[orders.row == copy.orders.row[n]][0])
        away = np.abs(tier.week - copy.orders.week[n])
        assert copy.orders.cap[n] in tier.cap[away == away.min()]
    really = ~copy.taught
    np.testing.assert_array_equal(copy.orders.cap[really], orders.cap[np.searchsorted(orders.row, copy.orders.row[really])])


def test_what_a_shared_cap_left_is_lent_to_nobody() -> None:
    weeks = FIRST_WEEK + pd.to_timedelta(7 * np.arange(30), unit="D")
    free = pd.DataFrame({"week_start": weeks, "sku_id": "free", "delivered_units": 1.0 + np.arange(30), "censoring": "none"})
    named = pd.DataFrame({"week_start": weeks[:20], "sku_id": "S", "delivered_units": 12.0, "cap_units": 12.0, "censoring": "cap"})
    shared = pd.DataFrame({"week_start": weeks[18:], "sku_id": "S", "retailer_id": "Q", "delivered_units": 2.0, "censoring": "band"})
    open_weeks = pd.DataFrame({"week_start": weeks[25:], "sku_id": "S", "delivered_units": 30.0, "censoring": "none"})
    cells = pd.concat([free, named, shared, open_weeks]).sort_values("week_start", ignore_index=True)
    orders = orders_of(cells.assign(tier="", category="", pack_units=1.0).fillna({"retailer_id": "R"}))
    again = recap_open_weeks(orders)
    assert set(again.orders.cap[again.taught]) == {12.0}
    lent = recap_free_skus(orders, np.random.default_rng(1), 1, 1000).orders
    first_open = orders.week[0] + 20
    assert np.isfinite(lent.cap[lent.week < first_open]).all()
    assert np.isinf(lent.cap[lent.week >= first_open]).all()
    assert np.unique(lent.cap[lent.week < first_open]).size == 1


def test_a_retailer_with_a_cap_of_its_own_does_not_lend_it(one_donor: Orders) -> None:
    """It comes first in its tier, and its cap is the largest in every other week and the least between."""
    first = one_donor.retailer == one_donor.retailer[np.flatnonzero(one_donor.named)[0]]
    own = replace(one_donor, cap=np.where(first & one_donor.named, one_donor.cap * np.where(one_donor.week % 2, 9.0, 0.2), one_donor.cap))
    assert (own.cap != one_donor.cap).sum() > 3
    again, without = recap_open_weeks(own), recap_open_weeks(one_donor)
    np.testing.assert_array_equal(again.orders.cap[again.taught], without.orders.cap[without.taught])
    for kept in (np.ones(own.count, dtype=bool), own.named | ~np.isin(own.sku, rationed_skus(own))):
        lent, others = (recap_free_skus(which.take(kept), np.random.default_rng(1), 1, 100_000).orders.cap for which in (own, one_donor))
        np.testing.assert_array_equal(lent, others)
