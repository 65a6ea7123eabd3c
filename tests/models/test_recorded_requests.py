"""Requests on simulated markets: genuine, padded, cut to the cap, and of too few SKUs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.recensoring import Recensoring
from models.recorded_requests import held_against_requests
from models.recovery import CensoredHistory, censored_history, learn_to_uncap, recover
from tests.models.test_recensoring import COUNTS, END, KEY, LAWS, SIZES, SMALL, sunday
from tests.rationed_market import rationed_market

TELLING = [f"R{number:02d}" for number in range(0, 60, 3)]
"""A third of the retailers, whose requests are recorded."""


@pytest.fixture(scope="module")
def market() -> pd.DataFrame:
    return rationed_market(9)


def recorded(market: pd.DataFrame, request: Callable[[pd.DataFrame], pd.Series]) -> pd.DataFrame:
    """Record requests of the retailers that tell them, at caps."""
    told = market.retailer_id.isin(TELLING) & market.censoring.eq("cap")
    return market.assign(upper_units=market.upper_units.mask(told, request(market)))


def history_of(cells: pd.DataFrame) -> CensoredHistory:
    return censored_history(cells, LAWS.power)


def learn(cells: pd.DataFrame) -> Recensoring:
    learned = learn_to_uncap(history_of(cells), END, LAWS, SMALL, COUNTS)
    assert learned is not None
    return learned


def recovered(cells: pd.DataFrame, learned: Recensoring) -> pd.DataFrame:
    found = recover(history_of(cells), END, LAWS, learned).astype({"retailer_id": str, "sku_id": str, "censoring": str})
    return found.merge(cells[[*KEY, "asked"]], on=KEY).sort_values(KEY, ignore_index=True)


def test_genuine_requests_are_what_was_wanted(market: pd.DataFrame, tmp_path: Path) -> None:
    cells = recorded(market, lambda rows: rows.asked)
    learned = learn(cells)
    assert learned.requests is not None
    assert learned.believes_requests
    assert abs(learned.requests.ratio - 1) < 0.25
    learned.save(tmp_path)
    stored = Recensoring.load(tmp_path)
    assert stored is not None
    assert stored.requests == learned.requests
    found = recovered(cells, stored)
    told = found.retailer_id.isin(TELLING)
    assert learned.requests.orders == told.sum() > 1000
    np.testing.assert_array_equal(found.loc[told, SIZES], found.loc[told, ["asked"] * 3])
    # of the others no more is known than before
    before = recovered(market, learn(market))
    assert found.loc[~told, "true_units"].sum() == pytest.approx(before.loc[~told, "true_units"].sum(), rel=0.02)


def test_padded_requests_are_only_the_most_that_was_wanted(market: pd.DataFrame) -> None:
    cells = recorded(market, lambda rows: rows.delivered_units + 2.5 * (rows.asked - rows.delivered_units))
    learned = learn(cells)
    assert learned.requests is not None
    assert learned.requests.ratio > 1.7
    assert not learned.believes_requests
    found = recovered(cells, learned).merge(cells[[*KEY, "upper_units"]], on=KEY)
    more = found.upper_units > found.delivered_units
    assert (found.true_units <= found.upper_units)[more].all()
    assert (found.true_units > found.delivered_units).mean() > 0.95


def test_where_nobody_may_ask_for_more_than_its_cap_requests_say_nothing(market: pd.DataFrame) -> None:
    cells = recorded(market, lambda rows: rows.delivered_units)
    learned = learn(cells)
    assert learned.requests is None
    pd.testing.assert_frame_equal(recovered(cells, learned), recovered(market, learn(market)))


def test_requests_without_named_caps_are_held_against_the_law(market: pd.DataFrame) -> None:
    """Limits that the books do not name show in requests only."""
    cut = market.censoring.eq("cap") & (market.asked > market.delivered_units)
    cells = market.assign(
        cap_units=np.nan,
        censoring=np.where(cut, "cap", "none"),
        upper_units=np.where(cut, market.asked, market.delivered_units),
    )
    learned = learn(cells)
    assert learned.family == "law"
    assert learned.believes_requests
    found = recovered(cells, learned)
    np.testing.assert_array_equal(found.true_units, found.asked)


def test_orders_that_were_refused_spoil_nothing(market: pd.DataFrame) -> None:
    """Nothing delivered of what was asked for: there nothing is known without the request."""
    genuine = recorded(market, lambda rows: rows.asked)
    refused = genuine.upper_units.gt(genuine.delivered_units) & (np.arange(len(genuine)) % 12 == 0)
    cells = genuine.assign(**{name: genuine[name].mask(refused, 0.0) for name in ("delivered_units", "lower_units")})
    learned, before = learn(cells), learn(genuine)
    assert learned.requests is not None
    assert before.requests is not None
    assert before.open_weeks is not None
    assert learned.open_weeks is not None
    assert learned.requests.orders == before.requests.orders - refused.sum() < before.requests.orders - 50
    assert learned.requests.ratio == pytest.approx(before.requests.ratio, abs=0.1)
    assert learned.open_weeks.ratio == pytest.approx(before.open_weeks.ratio, abs=0.1)
    found = recovered(cells, learned)
    told = found.retailer_id.isin(TELLING)
    np.testing.assert_array_equal(found.true_units[told], found.asked[told])


@pytest.mark.parametrize("shared", [5, 10])
def test_requests_under_shared_caps_are_held_against_what_the_law_finds(market: pd.DataFrame, shared: int) -> None:
    """``shared`` of ten limits are band caps, which rest on the law."""
    genuine = recorded(market, lambda rows: rows.asked)
    of_band = genuine.censoring.eq("cap") & (genuine.week_start.dt.isocalendar().week.astype(int) % 10 < shared)
    cells = genuine.assign(censoring=genuine.censoring.mask(of_band, "band"), cap_units=genuine.cap_units.mask(of_band))
    learned = learn(cells)
    assert learned.requests is not None
    assert learned.requests.ratio == pytest.approx(1.0, abs=0.15)


def test_later_requests_do_not_change_what_is_learned(market: pd.DataFrame) -> None:
    cells = recorded(market, lambda rows: rows.asked)
    middle = sunday(50)
    later = cells.week_start > pd.Timestamp(middle)
    padded = cells.assign(upper_units=cells.upper_units.mask(later & cells.censoring.eq("cap"), 99 * cells.delivered_units))
    both = [learn_to_uncap(history_of(rows), middle, LAWS, SMALL, COUNTS) for rows in (cells, padded)]
    assert both[0] is not None
    assert both[1] is not None
    assert both[0].requests == both[1].requests
    assert both[0].believes_requests
    found = [recover(history_of(rows), middle, LAWS, both[0]) for rows in (cells, padded)]
    np.testing.assert_array_equal(found[0][SIZES], found[1][SIZES])


def test_too_few_skus_tell_nothing() -> None:
    assert held_against_requests(np.ones(8), np.ones(8), np.arange(8) % 4) is None
