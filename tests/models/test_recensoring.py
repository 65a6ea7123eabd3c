"""Re-censoring on simulated markets whose true demand is known, and when it is not used."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.censored_boosting import CensoredBoostingSettings
from models.negative_binomial_family import NegativeBinomialFamily, NegativeBinomialSettings, RationedOrders
from models.recapping import rationed_skus
from models.recensoring import Recensoring, RecensoringSettings
from models.recovery import censored_history, learn_to_uncap, recover
from models.recovery_checks import BLENDS
from models.recovery_level import Level
from models.retailer_sizes import retailer_sizes
from models.size_laws import RecoverySettings, fit_size_laws
from tests.rationed_market import FIRST_WEEK, rationed_market

LAWS = RecoverySettings(power=0.15, pooling_orders=1.0, spread_pooling_orders=4.0, iterations=25)
SMALL = RecensoringSettings(
    donors=2,
    max_orders=40_000,
    folds=3,
    rounds=30,
    leaves=15,
    min_rows_per_leaf=20,
    learning_rate=0.1,
    feature_fraction=0.7,
    tweedie_power=1.5,
    threads=1,
    seed=1,
)
COUNTS = NegativeBinomialSettings(
    boosting=CensoredBoostingSettings(rounds=8, leaves=7, min_rows_per_leaf=50, learning_rate=0.2, threads=1, seed=1, rounds_per_alpha=8),
    max_orders=4000,
    spread_classes=2,
    size_classes=1,
    largest_history=100_000,
)
KEY = ["retailer_id", "sku_id", "week_start"]
BY_TWO = ("law", "blend", "recensoring")
SIZES = ["true_units", "true_units_p10", "true_units_p90"]


def sunday(week: int) -> date:
    return (FIRST_WEEK + pd.Timedelta(weeks=week, days=6)).date()


END = sunday(79)


def learn(cells: pd.DataFrame, as_of: date = END, using: RecensoringSettings = SMALL) -> Recensoring | None:
    return learn_to_uncap(censored_history(cells, LAWS.power), as_of, LAWS, using, COUNTS)


def recovered(cells: pd.DataFrame, learned: Recensoring | None, as_of: date = END) -> pd.DataFrame:
    found = recover(censored_history(cells, LAWS.power), as_of, LAWS, learned)
    return found.astype({"retailer_id": str, "sku_id": str, "censoring": str}).sort_values(KEY, ignore_index=True)


@pytest.fixture(scope="module")
def market() -> pd.DataFrame:
    return rationed_market(7)


@pytest.fixture(scope="module")
def small_market() -> pd.DataFrame:
    return rationed_market(8, rationed=6, free=6, retailers=40)


@pytest.fixture(scope="module")
def learned(market: pd.DataFrame) -> Recensoring:
    found = learn(market)
    assert found is not None
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_learned_is_far_nearer_to_the_truth_than_deliveries(seed: int) -> None:
    market = rationed_market(seed)
    learned = learn(market)
    assert learned is not None
    estimates = recovered(market, replace(learned, family="recensoring")).merge(market[[*KEY, "asked"]], on=KEY)
    asked = estimates.asked.sum()
    assert estimates.delivered_units.sum() / asked - 1 < -0.4
    assert abs(estimates.true_units.sum() / asked - 1) < 0.12
    wrong = estimates[["true_units", "delivered_units"]].sub(estimates.asked, axis=0).abs().sum()
    assert wrong.true_units < 0.95 * wrong.delivered_units
    assert 0.7 < estimates.asked.between(estimates.true_units_p10, estimates.true_units_p90).mean() < 0.95


@pytest.mark.parametrize("free", [0, 12])
def test_skus_that_a_shared_cap_cut_do_not_pass_for_free(free: int) -> None:
    market = rationed_market(1, rationed=24, free=free)
    shared = market.sku_id.isin([f"S{number:02d}" for number in range(12, 24)])
    market["cap_units"] = market.cap_units.mask(shared)
    market["censoring"] = market.censoring.mask(shared & market.censoring.eq("cap"), "band")
    learned = learn(market)
    assert learned is not None
    assert {check.where for check in learned.checks} == ({"all", "free SKUs", "open weeks"} if free else {"all", "open weeks"})
    estimates = recovered(market, replace(learned, family="recensoring")).merge(market[[*KEY, "asked"]], on=KEY)
    named = estimates[estimates.censoring == "cap"]
    # they once taught that hardly anything was cut: -23 % with free ones beside them, -32 % without
    assert abs(named.true_units.sum() / named.asked.sum() - 1) < 0.12


def test_where_no_order_exceeds_its_cap_nothing_is_added(market: pd.DataFrame) -> None:
    ones = market.assign(asked=1.0, delivered_units=1.0, lower_units=1.0, upper_units=1.0, cap_units=market.cap_units * 0 + 1)
    capped = ones.cap_units.notna()
    ones = ones.assign(censoring=np.where(capped, "cap", "none"), upper_units=ones.upper_units.mask(capped))
    learned = learn(ones)
    assert learned is not None
    found = recovered(ones, replace(learned, family="recensoring"))
    assert len(found) == capped.sum()
    np.testing.assert_allclose(found.true_units, 1.0, atol=0.01)


def test_no_size_is_below_its_cap(market: pd.DataFrame, learned: Recensoring) -> None:
    for family in BY_TWO:
        estimates = recovered(market, replace(learned, family=family))
        assert len(estimates) == (market.censoring == "cap").sum()
        assert (estimates[SIZES].to_numpy() >= estimates[["delivered_units"]].to_numpy()).all()
        assert (estimates.true_units > estimates.delivered_units).all()
        assert (estimates.true_units_p90 >= estimates.true_units_p10).all()


def test_the_mean_of_both_lies_halfway_between_the_law_and_what_is_learned(market: pd.DataFrame, learned: Recensoring) -> None:
    sizes = {family: recovered(market, replace(learned, family=family, open_weeks=None)).true_units.to_numpy() for family in BY_TWO}
    within = np.max(list(sizes.values()), axis=0) < 40 * recovered(market, learned).delivered_units
    np.testing.assert_allclose(sizes["blend"][within], (sizes["law"] + sizes["recensoring"])[within] / 2, rtol=1e-9)
    np.testing.assert_allclose(sizes["law"][within], recovered(market, None).true_units[within], rtol=1e-6)


@pytest.mark.parametrize("family", BY_TWO)
def test_what_open_weeks_ask_for_multiplies_what_was_cut_off(market: pd.DataFrame, learned: Recensoring, family: str) -> None:
    plain = recovered(market, replace(learned, family=family, open_weeks=Level(1.0, 0.0)))
    larger = recovered(market, replace(learned, family=family, open_weeks=Level(1.2, 0.0)))
    within = larger.true_units < 40 * larger.delivered_units
    np.testing.assert_allclose(
        (larger.true_units - larger.delivered_units)[within], 1.2 * (plain.true_units - plain.delivered_units)[within], rtol=1e-6
    )
    disbelieved = recovered(market, replace(learned, family=family, open_weeks=Level(0.2, 0.0)))
    pd.testing.assert_frame_equal(disbelieved, plain)


def test_the_same_seed_learns_the_same(small_market: pd.DataFrame) -> None:
    first, again, other = (learn(small_market, using=replace(SMALL, seed=seed)) for seed in (1, 1, 2))
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.checks == again.checks != other.checks
    pd.testing.assert_frame_equal(recovered(small_market, first), recovered(small_market, again), check_exact=True)


def test_what_is_saved_is_loaded_again(tmp_path: Path, market: pd.DataFrame, learned: Recensoring) -> None:
    learned.save(tmp_path / "recovery")
    loaded = Recensoring.load(tmp_path / "recovery")
    assert loaded is not None
    assert learned.open_weeks is not None
    for name in ("family", "factor", "factor_never_open", "names", "checks", "open_weeks"):
        assert getattr(loaded, name) == getattr(learned, name)
    pd.testing.assert_frame_equal(recovered(market, loaded), recovered(market, learned), rtol=1e-12)
    assert {path.suffix for path in (tmp_path / "recovery").iterdir()} == {".json", ".txt"}


def test_where_nothing_was_saved_nothing_is_loaded(tmp_path: Path) -> None:
    assert Recensoring.load(tmp_path) is None


def test_all_families_are_judged_on_the_same_orders_and_the_nearest_is_used(learned: Recensoring) -> None:
    checks = {(check.family, check.where): check for check in learned.checks}
    assert set(checks) == {(family, where) for family in BLENDS for where in ("all", "free SKUs", "open weeks")}
    for family in BLENDS:
        orders = {where: checks[family, where].orders for where in ("all", "free SKUs", "open weeks")}
        assert orders == {where: checks["law", where].orders for where in orders}
        assert orders["all"] == orders["free SKUs"] + orders["open weeks"]
    wrong = {family: checks[family, "all"].wape + abs(checks[family, "all"].bias) for family in BLENDS}
    assert wrong[learned.family] == min(wrong.values())


def test_what_came_later_changes_neither_what_is_learned_nor_what_is_recovered(small_market: pd.DataFrame) -> None:
    past = small_market[small_market.week_start <= FIRST_WEEK + pd.Timedelta(weeks=60)]
    early, of_past = learn(small_market, sunday(60)), learn(past, sunday(60))
    assert early is not None
    assert of_past is not None
    pd.testing.assert_frame_equal(recovered(small_market, early, sunday(60)), recovered(past, of_past, sunday(60)), rtol=1e-6)


def test_where_nothing_is_capped_nothing_is_learned(market: pd.DataFrame) -> None:
    assert learn(market[market.cap_units.isna()]) is None


def test_where_only_shared_caps_cut_nothing_is_learned(market: pd.DataFrame) -> None:
    shared = market.assign(cap_units=np.nan, censoring=market.censoring.replace("cap", "band"))
    assert learn(shared) is None
    assert recovered(shared, None).censoring.eq("band").all()


def test_where_everything_is_always_capped_a_law_is_chosen_by_orders_held_out(market: pd.DataFrame, tmp_path: Path) -> None:
    always = market[market.cap_units.notna()]
    learned = learn(always)
    assert learned is not None
    assert learned.checks == ()
    assert learned.boosters == ()
    loss = {check.family: check.loss for check in learned.held_out}
    assert set(loss) == {"law", "negative_binomial"}
    assert loss[learned.family] == min(loss.values())
    learned.save(tmp_path)
    loaded = Recensoring.load(tmp_path)
    assert loaded is not None
    assert loaded.held_out == learned.held_out
    pd.testing.assert_frame_equal(recovered(always, loaded), recovered(always, learned), rtol=1e-12)


def counts_of(market: pd.DataFrame) -> NegativeBinomialFamily:
    history = censored_history(market, LAWS.power)
    orders = history.orders
    laws = fit_size_laws(history.sizes(), (history.cells.censoring != "none").to_numpy(), LAWS)
    rationed = orders.take(np.isin(orders.sku, rationed_skus(orders)))
    return RationedOrders(rationed, rationed.sku, retailer_sizes(orders, laws.typical_units(orders.pair)), laws).fit(COUNTS)


def test_the_negative_binomial_law_serves_where_it_is_chosen(market: pd.DataFrame, learned: Recensoring, tmp_path: Path) -> None:
    by_counts = replace(learned, family="negative_binomial", counts=counts_of(market))
    by_counts.save(tmp_path)
    loaded = Recensoring.load(tmp_path)
    assert loaded is not None
    estimates, by_law = recovered(market, by_counts), recovered(market, None)
    pd.testing.assert_frame_equal(recovered(market, loaded), estimates, rtol=1e-12)
    assert (estimates[SIZES].to_numpy() >= estimates[["delivered_units"]].to_numpy()).all()
    asked = estimates.merge(market[[*KEY, "asked"]], on=KEY).asked.sum()
    assert abs(estimates.true_units.sum() / asked - 1) < abs(estimates.delivered_units.sum() / asked - 1) / 2
    assert (estimates.true_units != by_law.true_units).mean() > 0.9


def test_where_the_history_is_too_long_the_negative_binomial_law_is_left_out_and_said_to_be(market: pd.DataFrame) -> None:
    history = censored_history(market, LAWS.power)
    learned = learn_to_uncap(history, END, LAWS, SMALL, replace(COUNTS, largest_history=1000))
    assert learned is not None
    assert {check.family for check in learned.checks} == set(BY_TWO)
    assert "more than 1,000" in learned.left_out
    always = censored_history(market[market.cap_units.notna()], LAWS.power)
    alone = learn_to_uncap(always, END, LAWS, SMALL, replace(COUNTS, largest_history=1000))
    assert alone is not None
    assert (alone.family, alone.held_out) == ("law", ())
    assert "more than 1,000" in alone.left_out


def test_from_few_orders_or_few_skus_nothing_is_learned(market: pd.DataFrame) -> None:
    assert learn(market[market.week_start < FIRST_WEEK + pd.Timedelta(weeks=4)]) is None
    assert learn(market[market.sku_id.isin(["S00", "S12"])]) is None


def test_as_many_skus_as_folds_are_enough_whatever_the_seed() -> None:
    """Rationed SKUs that were never open teach nothing, and no fold may be made of them alone."""
    market = rationed_market(1, rationed=4, free=2, retailers=120)
    never_open = market[market.cap_units.notna() | market.sku_id.isin(["S04", "S05"])]
    for seed in range(4):
        few = learn(never_open, using=replace(SMALL, seed=seed, rounds=3, folds=2))
        assert few is not None
        assert len(few.boosters) == 2


def test_shared_caps_and_floors_rest_on_the_law(market: pd.DataFrame, learned: Recensoring) -> None:
    turn = np.where(market.censoring == "cap", np.arange(len(market)) % 9, 2)
    cells = market.assign(
        censoring=np.select([turn == 0, turn == 1], ["band", "floor"], market.censoring),
        cap_units=market.cap_units.mask(turn == 0),
        upper_units=market.upper_units.where(turn != 1, market.delivered_units),
    )
    with_both, by_law = recovered(cells, learned), recovered(cells, None)
    rest = with_both.censoring != "cap"
    pd.testing.assert_frame_equal(with_both[rest], by_law[rest])
    assert (with_both.true_units[~rest] != by_law.true_units[~rest]).mean() > 0.9


def test_a_wish_that_was_recorded_is_the_most_that_was_wanted(market: pd.DataFrame, learned: Recensoring) -> None:
    asked = market.assign(upper_units=np.where(market.censoring == "cap", market.delivered_units + 1.0, market.delivered_units))
    estimates = recovered(asked, learned)
    assert (estimates[SIZES].to_numpy() <= estimates[["delivered_units"]].to_numpy() + 1.0).all()


def test_before_the_first_cap_what_is_learned_is_not_asked(market: pd.DataFrame, learned: Recensoring) -> None:
    begun = market.week_start >= FIRST_WEEK + pd.Timedelta(weeks=20)
    cells = market[begun | market.cap_units.isna()].copy()
    cells["censoring"] = cells.censoring.where(cells.week_start > FIRST_WEEK, "floor")
    early = recovered(cells, learned, sunday(19))
    assert len(early) > 0
    pd.testing.assert_frame_equal(early, recovered(cells, None, sunday(19)))
