"""The negative binomial family on a market of counts, of which four in ten are cut by caps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.censored_boosting import CensoredBoostingSettings
from models.negative_binomial_family import (
    NegativeBinomialFamily,
    NegativeBinomialSettings,
    RationedOrders,
    drawn_positions,
    too_long,
)
from models.orders import Orders, joint_codes
from models.retailer_sizes import retailer_sizes
from models.size_laws import RecoverySettings, laws_of_orders
from models.stacking import Floats

LAWS = RecoverySettings(power=0.15, pooling_orders=1.0, spread_pooling_orders=4.0, iterations=25)
SMALL = NegativeBinomialSettings(
    boosting=CensoredBoostingSettings(
        rounds=12, leaves=7, min_rows_per_leaf=100, learning_rate=0.2, threads=1, seed=3, rounds_per_alpha=12
    ),
    max_orders=6000,
    spread_classes=2,
    size_classes=1,
    largest_history=100_000,
)


def orders_of_market(seed: int, skus: int = 6, retailers: int = 40, weeks: int = 60) -> tuple[Orders, Floats]:
    """Orders by week, and their true sizes; the sizes of every second SKU are lumpier."""
    rng = np.random.default_rng(seed)
    week, sku, retailer = (axis.ravel() for axis in np.meshgrid(np.arange(weeks), np.arange(skus), np.arange(retailers), indexing="ij"))
    mean = np.exp(2.3 + 0.4 * rng.normal(size=retailers)[retailer] + 0.3 * rng.normal(size=skus)[sku])
    alpha = np.where(sku % 2 == 0, 0.1, 0.6)
    size = rng.negative_binomial(1 / alpha, 1 / (1 + alpha * mean)).astype(float)
    cap = np.where((week // 6 + sku) % 3 > 0, np.array([6.0, 10.0, 16.0])[sku % 3], np.inf)
    some = (size > 0) & (rng.random(size.size) < 0.6)
    week, sku, retailer = (codes[some] for codes in (week, sku, retailer))
    size, cap = size[some], cap[some]
    tier = retailer % 2
    rows = np.arange(size.size)
    market = Orders(
        row=rows,
        week=week,
        retailer=retailer,
        sku=sku,
        pair=joint_codes(sku, retailer),
        tier=tier,
        tier_sku=joint_codes(sku, tier),
        category=np.zeros(size.size, dtype=np.int64),
        size=np.minimum(size, cap),
        cap=cap,
        at_cap=size >= cap,
        named=np.isfinite(cap),
        pack=np.ones(size.size),
    )
    return market, size


def rationed(market: Orders) -> RationedOrders:
    laws = laws_of_orders(market, LAWS)
    return RationedOrders(market, market.sku, retailer_sizes(market, laws.typical_units(market.pair)), laws)


@pytest.fixture(scope="module")
def fitted() -> NegativeBinomialFamily:
    return rationed(orders_of_market(1)[0]).fit(SMALL)


def test_capped_counts_are_recovered_nearly_without_bias_and_with_their_spread() -> None:
    market, size = orders_of_market(2)
    seen = rationed(market)
    at = np.flatnonzero(market.at_cap)
    fitted, capped = seen.fit(SMALL), seen.describe(at)
    expected = market.size[at] + fitted.excess(capped, 1)
    assert market.size[at].sum() / size[at].sum() - 1 < -0.3
    assert abs(expected.sum() / size[at].sum() - 1) < 0.06
    low, high = fitted.quantiles(capped, (0.1, 0.9), 1).T
    assert (low >= market.size[at]).all()
    assert 0.84 < (size[at] <= high).mean() < 0.96
    assert (size[at] < low).mean() < 0.12


def test_lumpier_skus_have_a_larger_dispersion(fitted: NegativeBinomialFamily) -> None:
    even, lumpy = fitted.boosting.alpha
    assert 0.02 < even < 0.25
    assert 0.35 < lumpy < 0.9


def test_nothing_it_sees_tells_in_which_weeks_a_pair_was_capped() -> None:
    market, _ = orders_of_market(2)
    seen = rationed(market)
    pair = np.flatnonzero(market.pair == market.pair[0])
    features = seen.describe(pair).features
    same = (features == features[0]) | np.isnan(features) & np.isnan(features[0])
    # the retailer's sizes of other SKUs in the week are all that differs
    varying = int((~same.all(axis=0)).sum())
    assert 0 < varying <= 6
    assert len({bool(at) for at in market.at_cap[pair]}) == 2


def test_the_same_seed_fits_the_same_and_saving_keeps_all(fitted: NegativeBinomialFamily, tmp_path: Path) -> None:
    seen = rationed(orders_of_market(1)[0])
    described = seen.describe(np.arange(500))
    fitted.save(tmp_path / "counts")
    loaded, again = NegativeBinomialFamily.load(tmp_path / "counts"), seen.fit(SMALL)
    np.testing.assert_array_equal(loaded.excess(described, 1), fitted.excess(described, 1))
    np.testing.assert_array_equal(again.excess(described, 1), fitted.excess(described, 1))
    assert {path.suffix for path in (tmp_path / "counts").iterdir()} == {".txt", ".json"}


def test_a_draw_is_in_order_and_without_repeats() -> None:
    drawn = drawn_positions(1000, 100, 1)
    assert drawn.size == 100
    assert (np.diff(drawn) > 0).all()


def test_a_long_history_leaves_the_family_out_and_says_why() -> None:
    assert too_long(10, replace(SMALL, largest_history=10)) == ""
    assert too_long(11, None) == ""
    assert "11 orders of rationed SKUs are more than 10" in too_long(11, replace(SMALL, largest_history=10))
