"""Unmet demand that moves to neighbours: where it goes, and what it leaves alone."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from contracts.errors import ConfigurationError
from demo.county import County
from demo.life import Lives, live
from demo.rationing import effective_cap
from demo.timeline import Timeline

WEEKS = Timeline(date(2025, 9, 28), 60)
SHARE = 0.4


def _county(spill: float) -> Lives:
    return live(80, 18, 40, WEEKS, 3, spill=spill)


@pytest.fixture(scope="module")
def plain() -> Lives:
    return _county(0.0)


@pytest.fixture(scope="module")
def spilled() -> Lives:
    return _county(SHARE)


def _by_cell(lives: Lives, units: np.ndarray) -> np.ndarray:
    dense = np.zeros((lives.pairs.n, WEEKS.n_all), dtype=np.int64)
    dense[lives.delivered.wanted.pair, lives.delivered.wanted.week] = units
    return dense


def test_true_demand_is_the_same_with_and_without_spill(plain: Lives, spilled: Lives) -> None:
    without, given = (_by_cell(lives, lives.delivered.wanted.units) for lives in (plain, spilled))
    assert np.array_equal(without, given)


def test_nobody_gets_less_and_a_share_of_what_was_missing_is_taken_of_neighbours(plain: Lives, spilled: Lives) -> None:
    more = _by_cell(spilled, spilled.delivered.units) - _by_cell(plain, plain.delivered.units)
    unmet = np.maximum(plain.delivered.wanted.units - plain.delivered.units, 0).sum()
    assert (more >= 0).all()
    assert 0.1 * unmet < more.sum() < SHARE * unmet * 1.02


def test_units_move_only_to_neighbours_delivered_in_full_in_a_shop_and_band_that_missed_some(plain: Lives, spilled: Lives) -> None:
    wanted, before = (_by_cell(plain, units) for units in (plain.delivered.wanted.units, plain.delivered.units))
    more = _by_cell(spilled, spilled.delivered.units) - before
    pair, week = np.nonzero(more)
    assert (before[pair, week] >= wanted[pair, week]).all()
    shelf = plain.pairs.shop * 6 + plain.products.band[plain.pairs.sku]
    missing = np.zeros((shelf.max() + 1, WEEKS.n_all), dtype=np.int64)
    np.add.at(missing, shelf, np.maximum(wanted - before, 0))
    gained = np.zeros_like(missing)
    np.add.at(gained, shelf, more)
    assert (gained <= missing).all()


def test_limits_hold_for_what_moved(plain: Lives, spilled: Lives) -> None:
    delivered, quotas, pairs = spilled.delivered, spilled.quotas, spilled.pairs
    before = _by_cell(plain, plain.delivered.units)[delivered.wanted.pair, delivered.wanted.week]
    came = delivered.units > before
    sku, tier = pairs.sku[delivered.wanted.pair], spilled.shops.tier[pairs.shop[delivered.wanted.pair]]
    assert (delivered.units <= effective_cap(delivered.wanted, sku, tier, quotas))[came].all()
    assert not quotas.stock_out[sku, delivered.wanted.week][came].any()
    band = spilled.products.band[sku]
    shelf = pairs.shop[delivered.wanted.pair] * 6 + band
    of_band = np.zeros((shelf.max() + 1, WEEKS.n_all), dtype=np.int64)
    np.add.at(of_band, (shelf, delivered.wanted.week), delivered.units)
    cap = quotas.band_cap[band, tier, delivered.wanted.week]
    capped = came & ~np.isnan(cap)
    assert (of_band[shelf, delivered.wanted.week][capped] <= cap[capped]).all()


def test_a_share_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"county\.spill: 1\.5; expected a share, 0 to 1"):
        County(60, 10, 40, 104, date(2025, 9, 28), seed=1, spill=1.5)
