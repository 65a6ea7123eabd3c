"""The level of recovered orders: by orders capped on purpose, and by what rationed SKUs sell when nothing caps them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from models.cap_context import CappedOrders
from models.recapping import rationed_skus
from models.recovery import censored_history, expected_sizes
from models.recovery_level import TRANSFER_ERROR, Level, open_week_level, ratio_over_skus, scales
from models.size_laws import RecoverySettings, fit_size_laws
from tests.rationed_market import FIRST_WEEK, rationed_market

LAWS = RecoverySettings(power=0.15, pooling_orders=1.0, spread_pooling_orders=4.0, iterations=25)
Weeks = npt.NDArray[Any]

KEY = ["retailer_id", "sku_id", "week_start"]


def level_of(market: pd.DataFrame, share_found: float) -> Level | None:
    """Ask open weeks about a recovery that finds a share of what was cut off."""
    history = censored_history(market, LAWS.power)
    orders = history.orders
    asked = (
        history.cells[KEY].astype({"retailer_id": str, "sku_id": str}).merge(market[[*KEY, "asked"]], on=KEY, how="left").asked.to_numpy()
    )
    rationed = orders.take(np.isin(orders.sku, rationed_skus(orders)))
    at = np.flatnonzero(rationed.at_cap)
    size, nothing = rationed.size[at], np.empty((at.size, 0), dtype=np.float32)
    real = CappedOrders(at, rationed.row[at], size, size, np.zeros(at.size, dtype=bool), nothing, ())
    laws = fit_size_laws(history.sizes(), (history.cells.censoring != "none").to_numpy(), LAWS)
    whole = replace(rationed, size=expected_sizes(history, rationed, laws))
    return open_week_level(orders, whole, real, share_found * (asked[rationed.row[at]] - size))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("share_found", [0.7, 1.0, 1.4])
def test_open_weeks_tell_what_share_of_the_excess_was_found(seed: int, share_found: float) -> None:
    level = level_of(rationed_market(seed, rationed=24), share_found)
    assert level is not None
    assert 0.01 < level.error < 0.2
    assert abs(level.ratio - 1.0 / share_found) < 3.0 * level.error
    assert abs(level.taken - 1.0) < abs(level.ratio - 1.0) or level.ratio == pytest.approx(1.0)


def cut_by_others(market: pd.DataFrame, share: float, censoring: str, seed: int) -> pd.DataFrame:
    """Let a limit that names no SKU take three in ten units of such a share of the orders in open weeks, the more the larger they are."""
    was_open = market.cap_units.isna() & market.sku_id.isin(market.sku_id[market.cap_units.notna()])
    asked = np.where(was_open, market.asked, 0.0)
    hit = np.random.default_rng(seed).random(len(market)) < share * asked / asked[was_open].mean()
    delivered = np.where(hit, np.maximum(np.floor(0.7 * market.asked), 1.0), market.delivered_units)
    return market.assign(
        delivered_units=delivered,
        lower_units=delivered,
        upper_units=np.where(hit, market.asked if censoring == "cap" else np.nan, market.upper_units),
        censoring=np.where(hit, censoring, market.censoring),
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("share", [0.08, 0.2])
def test_large_orders_that_a_shared_cap_cut_in_open_weeks_count_with_what_is_expected_of_them(seed: int, share: float) -> None:
    """Left out, they would leave a ratio of .65 and .3."""
    market = rationed_market(seed, rationed=24)
    whole, cut = level_of(market, 1.0), level_of(cut_by_others(market, share, "band", seed), 1.0)
    assert whole is not None
    assert cut is not None
    assert abs(cut.ratio - whole.ratio) < 0.1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_orders_that_were_cut_below_what_was_asked_for_count_with_something_between(seed: int) -> None:
    market = rationed_market(seed, rationed=24)
    whole, cut = level_of(market, 1.0), level_of(cut_by_others(market, 0.08, "cap", seed), 1.0)
    assert whole is not None
    assert cut is not None
    assert whole.ratio - 0.15 < cut.ratio < whole.ratio


def test_tiers_that_other_limits_cut_often_in_open_weeks_tell_nothing() -> None:
    assert level_of(cut_by_others(rationed_market(1, rationed=24), 2.0, "band", 1), 1.0) is None


def rationed_when(market: pd.DataFrame, times: Callable[[Weeks], Weeks], capped: Callable[[Weeks], Weeks]) -> pd.DataFrame:
    """Let all SKUs be wanted so many times as much in a week (from the first), with caps as much looser, and only in some weeks."""
    week = ((market.week_start - FIRST_WEEK).dt.days // 7).to_numpy()
    asked = market.asked * times(week)
    cap = (market.cap_units * times(week)).round().where(capped(week))
    at_cap = asked >= cap
    delivered = np.where(at_cap, cap, asked)
    return market.assign(
        asked=asked,
        cap_units=cap,
        delivered_units=delivered,
        lower_units=delivered,
        upper_units=np.where(at_cap, np.nan, delivered),
        censoring=np.where(at_cap, "cap", "none"),
    )


def test_a_growth_that_free_skus_share_is_not_taken_for_demand_above_caps() -> None:
    """All order three times as much in the end, and most open weeks are early."""
    market = rationed_market(4, rationed=24)
    grown = rationed_when(market, lambda week: 1.0 + 2.0 * week / week.max(), lambda week: week > 40)
    with_free = level_of(grown, 1.0)
    alone = level_of(grown[grown.sku_id.isin(grown.sku_id[grown.cap_units.notna()])], 1.0)
    assert with_free is not None
    assert alone is not None
    assert abs(with_free.ratio - 1.0) < 0.1
    assert alone.ratio < 0.8


def test_caps_of_the_weeks_before_a_holiday_are_not_held_against_ordinary_weeks() -> None:
    """All order twice as much in one week of thirteen, and caps stand in these weeks and a few others."""
    level = level_of(
        rationed_when(rationed_market(7, rationed=24), lambda week: 1.0 + (week % 13 == 6), lambda week: np.isin(week % 13, (3, 6, 9))), 1.0
    )
    assert level is not None
    assert abs(level.ratio - 1.0) < 0.1


def test_caps_that_come_with_demand_are_not_believed() -> None:
    market = rationed_market(5, rationed=24)
    surge = np.where(market.cap_units.notna(), 2.0, 1.0)
    level = level_of(market.assign(asked=market.asked * surge, delivered_units=market.delivered_units * surge), 1.0)
    assert level is not None
    assert level.ratio < 0.4
    assert not level.believed
    assert level.taken == 1.0


def test_few_skus_with_open_and_capped_weeks_tell_nothing() -> None:
    assert level_of(rationed_market(6, rationed=4), 1.0) is None
    market = rationed_market(6)
    assert level_of(market[market.cap_units.notna()], 1.0) is None
    assert level_of(market[market.cap_units.notna() | market.sku_id.gt("S11")], 1.0) is None


def test_the_error_is_that_of_skus_drawn_anew() -> None:
    rng = np.random.default_rng(1)
    sku = np.repeat(np.arange(40), 25)

    def drawn() -> Level:
        found = rng.gamma(2.0, 1.0, sku.size)
        return ratio_over_skus(found * rng.normal(1.2, 0.3, 40)[sku], found, sku)

    levels = [drawn() for _ in range(300)]
    assert np.mean([level.ratio for level in levels]) == pytest.approx(1.2, abs=0.01)
    assert np.mean([level.error for level in levels]) == pytest.approx(np.std([level.ratio for level in levels]), rel=0.1)


def test_tiers_that_were_never_open_have_a_scale_of_their_own() -> None:
    sku, never = np.repeat(np.arange(40), 50), np.repeat(np.arange(40) % 2 == 1, 50)
    found = np.ones(sku.size)
    true = np.where(never, 1.5, 1.2) + np.random.default_rng(2).normal(0.0, 0.05, 40)[sku]
    open_at_times, never_open = scales(true, found, sku, never)
    assert open_at_times == pytest.approx(1.2, abs=0.03)
    assert never_open == pytest.approx(1.5, abs=0.04)
    # one SKU in five that needs five times as much: what the others say is not given up for it
    lumpy = np.where(never & (sku % 10 == 1), 5.0, true)
    assert open_at_times < scales(lumpy, found, sku, never)[1] < lumpy[never].mean() - 0.3


@pytest.mark.parametrize("kind", [True, False])
def test_where_too_few_skus_are_of_one_kind_all_share_a_scale(kind: bool) -> None:
    sku = np.repeat(np.arange(20), 10)
    never = np.where(sku < 3, kind, not kind)
    true = np.where(never, 1.5, 1.2)
    assert scales(true, np.ones(sku.size), sku, never) == pytest.approx((true.mean(), true.mean()))


def test_where_nothing_was_found_it_is_not_scaled() -> None:
    assert scales(np.ones(4), np.zeros(4), np.arange(4), np.zeros(4, dtype=bool)) == (1.0, 1.0)


def test_a_level_without_an_error_or_far_from_all_chance_changes_nothing() -> None:
    assert Level(1.4, inf).taken == 1.0
    assert Level(1.0 + 3.1 * TRANSFER_ERROR, 0.0).taken == 1.0
    assert Level(1.0 - 2.9 * TRANSFER_ERROR, 0.0).taken == pytest.approx(1.0 - 2.9 * TRANSFER_ERROR)
    assert ratio_over_skus(np.empty(0), np.empty(0), np.empty(0, dtype=np.int64)) == Level(1.0, inf)
