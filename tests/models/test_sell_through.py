"""What shelves say of orders at a cap, on shops whose customers are known."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from models.sell_through import KEY, ShelfWeeks, asked_by_customers, corrected_by_shelves, shelf_weeks

FIRST = pd.Timestamp("2019-01-07")
WEEKS = 104
AS_OF = date(2019, 1, 7) + timedelta(weeks=WEEKS, days=-1)
CAP = 12.0


def shops(hoarding: float, *, told: float = 1.0, seed: int = 1) -> pd.DataFrame:
    """Forty shops with five SKUs: every second week an order for two weeks; four SKUs are under a cap every second quarter."""
    rng = np.random.default_rng(seed)
    rows = []
    for shop in range(40):
        for sku in range(5):
            mean = float(np.exp(rng.normal(1.6, 0.4)))
            capped = (np.arange(WEEKS) // 13 % 2 == 1) & (sku > 0)
            ordering = (np.arange(WEEKS) + shop) % 2 == 0
            wanted = rng.poisson(mean * 2 * rng.gamma(4, 1 / 4, WEEKS)) * ordering
            hoarded = capped & (wanted > 0) & (rng.random(WEEKS) < hoarding)
            delivered = np.where(hoarded, CAP, np.where(capped, np.minimum(wanted, CAP), wanted))
            stock = 0.0
            for week, asked in enumerate(rng.poisson(mean, WEEKS)):
                sold = min(stock + delivered[week], float(asked))
                stock += delivered[week] - sold
                censoring = None if delivered[week] == 0 else "cap" if capped[week] and delivered[week] >= CAP else "none"
                rows.append((f"R{shop:02d}", f"S{sku}", week, told * sold, stock, delivered[week] or None, censoring, float(wanted[week])))
    names = ["retailer_id", "sku_id", "week", "sold_units", "stock_units", "delivered_units", "censoring", "wanted"]
    frame = pd.DataFrame(rows, columns=names)
    return frame.assign(week_start=FIRST + pd.to_timedelta(7 * frame.week, unit="D"), upper_units=np.nan)


def claims(weeks: pd.DataFrame, times: float) -> pd.DataFrame:
    """What a recovery says that sees so many times the cap in every order at it."""
    at_cap = weeks[weeks.censoring == "cap"].reset_index(drop=True)
    return at_cap.assign(true_units=times * CAP, true_units_p10=CAP, true_units_p90=2 * times * CAP)


def total_error(estimates: pd.DataFrame) -> float:
    return float(estimates.true_units.sum() / estimates.wanted.sum() - 1)


@pytest.mark.parametrize("hoarding", [0.0, 0.3, 0.6])
def test_what_was_sold_shrinks_what_recovery_says_too_much(hoarding: float) -> None:
    weeks = shops(hoarding)
    before = claims(weeks, 2.0)
    after, evidence = corrected_by_shelves(before, shelf_weeks(weeks), AS_OF)
    assert evidence is not None
    assert evidence.orders == len(before)
    assert abs(total_error(after)) < max(0.08, 0.4 * abs(total_error(before)))
    assert evidence.ratio == pytest.approx(after.true_units.sum() / before.true_units.sum())


@pytest.mark.parametrize("hoarding", [0.0, 0.3])
def test_empty_shelves_say_little_so_that_too_low_a_recovery_stays_as_it_is(hoarding: float) -> None:
    weeks = shops(hoarding)
    before = claims(weeks, 1.1)
    after, _ = corrected_by_shelves(before, shelf_weeks(weeks), AS_OF)
    assert total_error(before) < -0.1
    assert total_error(before) - 0.02 < total_error(after) < 0.05


def test_the_more_is_hoarded_the_less_an_order_at_the_cap_is_worth() -> None:
    ratios = []
    for hoarding in (0.0, 0.3, 0.6):
        weeks = shops(hoarding)
        evidence = corrected_by_shelves(claims(weeks, 2.0), shelf_weeks(weeks), AS_OF)[1]
        assert evidence is not None
        ratios.append(evidence.ratio)
    assert all(more > less for more, less in pairwise(ratios))


def test_shops_that_tell_half_of_their_sales_are_read_the_same() -> None:
    whole, half = shops(0.3), shops(0.3, told=0.5)
    found = [corrected_by_shelves(claims(weeks, 1.3), shelf_weeks(weeks), AS_OF)[1] for weeks in (whole, half)]
    assert found[0] is not None
    assert found[1] is not None
    assert found[1].agreement == pytest.approx(2 * found[0].agreement, rel=0.15)
    assert found[1].ratio == pytest.approx(found[0].ratio, abs=0.1)


def test_what_came_later_changes_nothing() -> None:
    weeks = shops(0.3)
    early = AS_OF - timedelta(weeks=30)
    past = weeks[weeks.week_start <= pd.Timestamp(early)]
    known = claims(past, 1.3)
    with_all, evidence = corrected_by_shelves(known, shelf_weeks(weeks), early)
    with_past, same = corrected_by_shelves(known, shelf_weeks(past), early)
    pd.testing.assert_frame_equal(with_all, with_past)
    assert evidence == same


def test_without_shelves_or_with_few_nothing_changes() -> None:
    weeks = shops(0.3)
    known = claims(weeks, 1.3)
    few = shelf_weeks(weeks[weeks.retailer_id == "R00"])
    elsewhere = shelf_weeks(weeks.assign(retailer_id="other " + weeks.retailer_id))
    for shelves in (None, few, elsewhere, shelf_weeks(weeks.iloc[:0])):
        after, evidence = corrected_by_shelves(known, shelves, AS_OF)
        assert evidence is None
        pd.testing.assert_frame_equal(after, known)


def test_only_orders_at_a_cap_of_shops_that_tell_are_corrected() -> None:
    weeks = shops(0.3)
    silent = claims(weeks, 1.3).iloc[:5].assign(retailer_id="silent")
    band = claims(weeks, 1.3).iloc[5:8].assign(censoring="band")
    known = pd.concat([claims(weeks, 1.3).iloc[8:], silent, band], ignore_index=True)
    after, evidence = corrected_by_shelves(known, shelf_weeks(weeks), AS_OF)
    assert evidence is not None
    changed = (after.true_units != known.true_units).to_numpy()
    assert changed[: len(known) - 8].mean() > 0.99
    assert not changed[len(known) - 8 :].any()


def test_an_order_that_was_cut_below_what_was_asked_for_stays_as_it_is() -> None:
    weeks = shops(0.3)
    asked = (weeks.censoring == "cap") & (weeks.retailer_id < "R05")
    weeks["upper_units"] = weeks.upper_units.where(~asked, 2 * CAP)
    known = claims(weeks, 1.3)
    after, evidence = corrected_by_shelves(known, shelf_weeks(weeks), AS_OF)
    assert evidence is not None
    assert ((after.true_units == known.true_units) == (known.retailer_id < "R05")).mean() > 0.99


def test_a_sold_out_week_counts_as_at_least_what_was_sold() -> None:
    rng = np.random.default_rng(3)
    asked = rng.poisson(6.0, 400).astype(float)
    on_shelf = np.tile([4.0, 20.0], 200)
    frame = pd.DataFrame({"retailer_id": "R", "sku_id": "S", "week_start": FIRST + pd.to_timedelta(7 * np.arange(400), unit="D")})
    frame = frame.assign(sold_units=np.minimum(asked, on_shelf), stock_units=np.maximum(on_shelf - asked, 0.0), delivered_units=1.0)
    shelves: ShelfWeeks = shelf_weeks(frame.assign(censoring="none", upper_units=1.0))
    assert shelves.sold.mean() < 5.2
    assert asked_by_customers(shelves)[0].mean() == pytest.approx(6.0, abs=0.3)
    assert list(shelves.key.columns) == KEY
