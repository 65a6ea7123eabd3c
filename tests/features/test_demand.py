"""Features of pairs on small markets counted by hand, the laws they keep, and the targets."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.weeks import HORIZONS
from features.attributes import ATTRIBUTES
from features.cells import retailer_sku_weeks
from features.demand import DEMAND_FEATURES, GROUP_FEATURES, PAIR_FEATURES, SEASON_FEATURES
from features.newcomers import LARGEST_SIZE
from tests.cell_rows import AS_OF, at_cap, cell, closed, week
from tests.statements import Rows, Statement


def stored(rows: Rows) -> Rows:
    """Cells as they are stored: what they say of true demand comes from the estimates."""
    return [{name: value for name, value in row.items() if name != "true_units"} for row in rows]


def estimates(rows: Rows, as_of: date = AS_OF) -> Rows:
    """What was recovered of the censored cells among some rows."""
    hidden = [row for row in rows if row["censoring"] in ("cap", "band", "floor")]
    return [{"as_of": as_of} | {name: row[name] for name in ("retailer_id", "sku_id", "week_start", "true_units")} for row in hidden]


def pairs_of(statement: Statement, cells: Rows, retailers: Rows | None = None, skus: Rows | None = None) -> dict[tuple[str, str], Any]:
    """Features by retailer and SKU."""
    rows = statement.rows(cells=stored(cells), recovered=estimates(cells), retailers=retailers or [], skus=skus or [])
    return {(row["retailer_id"], row["sku_id"]): row for row in rows}


def test_columns_are_the_catalogue_with_one_of_each_season_per_horizon(described_pairs: Statement) -> None:
    [row] = pairs_of(described_pairs, [cell("R", "S", 0, 1)]).values()
    plain = [feature.name for feature in (*PAIR_FEATURES, *GROUP_FEATURES)]
    seasons = [f"{feature.name}_{horizon}" for horizon in HORIZONS for feature in SEASON_FEATURES]
    attributes = [feature.name for feature in ATTRIBUTES]
    span = ["open_from_horizon", "open_until_horizon"]
    assert sorted(row) == sorted(["retailer_id", "sku_id", "method", *span, *plain, *seasons, *attributes])
    assert len({feature.name for feature in DEMAND_FEATURES}) == len(DEMAND_FEATURES)


def test_without_orders_there_is_nobody_to_describe(described_pairs: Statement) -> None:
    assert pairs_of(described_pairs, [], [{"retailer_id": "R", "opened_on": AS_OF}], [{"sku_id": "S", "launched_on": AS_OF}]) == {}


def test_one_order_is_a_history(described_pairs: Statement) -> None:
    [pair] = pairs_of(described_pairs, [cell("R", "S", 9, 6, amount=30.0)]).values()
    assert pair["method"] == "history"
    assert [pair[f"mean_{weeks}w"] for weeks in (4, 8, 13, 52)] == pytest.approx([0, 0, 0.6, 0.6])
    assert (pair["order_rate_8w"], pair["order_rate_13w"]) == (0, pytest.approx(0.1))
    assert (pair["weeks_since_order"], pair["weeks_since_first_order"]) == (9, 9)
    assert (pair["mean_order_units"], pair["largest_order_units"], pair["order_units_spread"]) == (6, 6, 0)
    assert (pair["gap_weeks"], pair["silence_in_gaps"], pair["units_year_before_1"]) == (None, None, None)
    assert (pair["paid_unit_price"], pair["cap_hit_rate_26w"], pair["closed_share_8w"]) == (5, 0, 0)


def test_means_and_rates_are_over_open_weeks_since_the_first_order(described_pairs: Statement) -> None:
    cells = [cell("R", "S", 5, 4), closed("R", "S", 3), closed("R", "S", 2, delivered=50), cell("R", "S", 0, 2)]
    [pair] = pairs_of(described_pairs, cells).values()
    assert (pair["mean_4w"], pair["mean_8w"], pair["mean_52w"]) == (2 / 2, 6 / 4, 6 / 4)
    assert (pair["order_rate_8w"], pair["closed_share_8w"], pair["gap_weeks"]) == (2 / 4, 2 / 8, 5)


def test_a_pair_that_was_closed_throughout_has_no_mean(described_pairs: Statement) -> None:
    [pair] = pairs_of(described_pairs, [closed("R", "S", ago, delivered=3) for ago in range(4)]).values()
    assert (pair["method"], pair["mean_4w"], pair["mean_52w"], pair["weeks_since_order"]) == ("history", None, None, None)


def test_rhythm_size_and_season_of_a_year(described_pairs: Statement) -> None:
    cells = [cell("R", "S", 90, 1)] + [cell("R", "S", ago, units) for ago, units in ((50, 3), (20, 9), (10, 3), (5, 9))]
    [pair] = pairs_of(described_pairs, cells).values()
    assert (pair["gap_weeks"], pair["silence_in_gaps"]) == (15, pytest.approx(1 / 3))
    assert (pair["mean_order_units"], pair["order_units_spread"]) == (6, 0.5)
    assert [pair[f"units_year_before_{h}"] for h in (1, 2, 3, 4)] == [1, 1, 1, 0]
    assert (pair["units_5_ago"], pair["units_4_ago"]) == (9, 0)


def test_rationing_is_seen_in_the_pair_and_around_it(described_pairs: Statement) -> None:
    cells = [at_cap("R", "S", 1, 4, true=9), cell("R", "S", 2, 3), cell("Q", "S", 1, 3), cell("R", "T", 3, 5)]
    pairs = pairs_of(described_pairs, cells)
    pair = pairs["R", "S"]
    assert (pair["cap_hit_rate_26w"], pair["unmet_share_26w"]) == (0.5, pytest.approx(5 / 12))
    assert pair["sku_cap_hit_rate_26w"] == pair["retailer_cap_hit_rate_26w"] == pytest.approx(1 / 3)
    assert pairs["R", "T"]["sku_cap_hit_rate_26w"] == 0
    assert pairs["R", "T"]["retailer_units_13w"] == 9 + 3 + 5


def test_peers_are_the_retailers_of_the_tier_scaled_by_size(described_pairs: Statement) -> None:
    cells = [
        cell("big", "S", 1, 26),
        cell("big", "T", 1, 26),
        cell("small", "S", 1, 13),
        cell("small", "S", 20, 1),
        cell("other tier", "S", 1, 999),
    ]
    register = [{"retailer_id": "big", "tier": "T1"}, {"retailer_id": "small", "tier": "T1"}, {"retailer_id": "other tier", "tier": "T2"}]
    pairs = pairs_of(described_pairs, cells, register)
    per_retailer, mean_size = 39 / 2 / 13, 65 / 2
    assert pairs["big", "S"]["peer_units"] == pytest.approx(per_retailer * 52 / mean_size)
    assert pairs["small", "S"]["peer_units"] == pytest.approx(per_retailer * 13 / mean_size)


def test_a_newcomer_is_described_by_its_peers(described_pairs: Statement) -> None:
    cells = [cell(shop, "S", ago, 13) for shop in ("P", "Q") for ago in (1, 40)] + [cell("P", "T", 1, 130)]
    register: Rows = [{"retailer_id": shop, "tier": "T1"} for shop in ("P", "Q")]
    register.append({"retailer_id": "new", "tier": "T1", "district": "north", "opened_on": AS_OF - timedelta(days=3)})
    pair = pairs_of(described_pairs, cells, register, [{"sku_id": "S", "pack_units": 6.0, "brand": "hidden"}])["new", "S"]
    assert (pair["method"], pair["tier"], pair["district"], pair["pack_units"], pair["brand"]) == ("cold_start", "T1", "north", 6, "")
    assert pair["peer_units"] == pytest.approx(26 / 2 / 13)
    assert (pair["mean_13w"], pair["weeks_since_order"], pair["retailer_weeks_since_order"], pair["retailer_units_13w"]) == (None,) * 4
    assert (pair["sku_weeks_since_first_order"], pair["tier_sku_order_rate_13w"]) == (40, pytest.approx(2 / 26))


def test_a_sku_that_nobody_ordered_yet_is_described_by_like_ones(described_pairs: Statement) -> None:
    cells = [
        cell("P", sku, ago, units) for sku, units in (("old", 26), ("older", 78), ("young", 13)) for ago in (1, 60) if ago < 9 or units > 13
    ]
    skus: Rows = [{"sku_id": sku, "category": "gin"} for sku in ("old", "older", "young")]
    skus.append({"sku_id": "new", "category": "gin", "launched_on": AS_OF + timedelta(days=15)})
    pair = pairs_of(described_pairs, cells, [], skus)["P", "new"]
    young_against_average = (13 / 2) / (117 / 3 / 13)
    assert pair["like_units"] == pytest.approx(117 / 13 / 3 * young_against_average)
    assert (pair["peer_units"], pair["carried_share_13w"]) == (pytest.approx(pair["like_units"]), 0)
    assert (pair["open_from_horizon"], pair["weeks_on_offer"]) == (3, -2)
    known = pairs_of(described_pairs, cells, [], skus)["P", "old"]
    assert (known["open_from_horizon"], known["weeks_on_offer"], known["carried_share_13w"]) == (1, None, 1)
    assert (known["units_per_carrier"], known["retailer_category_share"]) == (2, 1)


def test_a_young_sku_has_the_level_of_like_ones_for_the_weeks_before_its_first_order(described_pairs: Statement) -> None:
    cells = [cell("P", "old", ago, 26) for ago in (1, 60)] + [cell("P", "young", 2, 9)]
    pair = pairs_of(described_pairs, cells)["P", "young"]
    assert pair["peer_units"] == pytest.approx((9 + pair["like_units"] * 10) / 13)


@pytest.mark.parametrize(("opens_in_days", "first_horizon"), [(-20, 1), (0, 1), (1, 1), (7, 1), (8, 2), (56, 8)])
def test_a_retailer_can_order_from_the_week_of_its_opening(described_pairs: Statement, opens_in_days: int, first_horizon: int) -> None:
    register: Rows = [{"retailer_id": "new", "opened_on": AS_OF + timedelta(days=opens_in_days)}]
    pair = pairs_of(described_pairs, [cell("P", "S", ago, 3) for ago in (1, 30)], register)["new", "S"]
    assert pair["open_from_horizon"] == first_horizon
    assert pair["peer_units"] == pytest.approx(3 / 13)


@pytest.mark.parametrize(("delisted_in_days", "last_horizon"), [(None, 8), (-40, 0), (0, 0), (1, 1), (7, 1), (8, 2), (49, 7), (500, 8)])
def test_a_pair_can_order_until_the_week_of_the_delisting(
    described_pairs: Statement, delisted_in_days: int | None, last_horizon: int
) -> None:
    delisted_on = None if delisted_in_days is None else AS_OF + timedelta(days=delisted_in_days)
    skus: Rows = [{"sku_id": "S", "delisted_on": delisted_on}]
    assert pairs_of(described_pairs, [cell("R", "S", 8, 3)], [], skus)["R", "S"]["open_until_horizon"] == last_horizon


def test_who_still_orders_a_delisted_sku_is_believed_and_the_register_is_not(described_pairs: Statement) -> None:
    skus: Rows = [{"sku_id": "S", "delisted_on": AS_OF - timedelta(days=30)}]
    assert pairs_of(described_pairs, [cell("R", "S", 1, 3)], [], skus)["R", "S"]["open_until_horizon"] == 8


def test_who_ordered_already_has_opened_whatever_the_register_says(described_pairs: Statement) -> None:
    register: Rows = [{"retailer_id": "R", "opened_on": AS_OF + timedelta(days=30)}]
    skus: Rows = [{"sku_id": "S", "launched_on": AS_OF + timedelta(days=30)}]
    assert pairs_of(described_pairs, [cell("R", "S", 3, 1)], register, skus)["R", "S"]["open_from_horizon"] == 1


def test_rhythms_stand_beside_each_pair_of_the_retailer(described_pairs: Statement) -> None:
    cells = [cell("R", "S", ago, 1) for ago in range(1, 26, 2)] + [cell("R", "T", 3, 1), cell("Q", "S", 0, 1)]
    pairs = pairs_of(described_pairs, cells)
    for pair in (pairs["R", "S"], pairs["R", "T"]):
        assert (pair["rhythm_weeks"], pair["rhythm_phase_1"], pair["due_share_1"], pair["pair_parity_share_1"]) == (2, 0, 1, 1)
        assert (pair["rhythm_phase_2"], pair["due_share_2"], pair["pair_parity_share_2"]) == (1, 0, 0)
    assert (pairs["Q", "S"]["rhythm_weeks"], pairs["Q", "S"]["pair_parity_share_2"]) == (None, 1)


def test_a_giant_speaks_for_itself_only_so_far(described_pairs: Statement) -> None:
    cells = [cell("giant", "T", 1, 10_000)] + [cell(f"shop {n}", "S", 1, 1) for n in range(40)] + [cell("giant", "S", 20, 1)]
    assert pairs_of(described_pairs, cells)["giant", "S"]["peer_units"] == pytest.approx(40 / 41 / 13 * LARGEST_SIZE)


days = st.integers(-60, 400)
markets = st.lists(st.tuples(st.sampled_from("PQR"), st.sampled_from("ST"), days, st.integers(0, 6)), max_size=20)
limited = st.dictionaries(st.tuples(st.integers(-8, 30), st.sampled_from("ST")), st.sampled_from([None, 0.0, 3.0]), max_size=6)
stocks = st.sets(st.tuples(st.integers(-8, 30), st.sampled_from("ST")), max_size=4)


@pytest.fixture(scope="module")
def cells_statement() -> Statement:
    return Statement(retailer_sku_weeks, "order_lines", "retailers", "skus", "allocation_limits", "supply")


@settings(max_examples=8, deadline=None)
@given(markets=st.tuples(markets, markets), limits=st.tuples(limited, limited), shut=st.tuples(stocks, stocks), seed=st.integers(0, 9))
def test_nothing_after_the_cut_off_and_no_order_of_rows_changes_a_feature(
    described_pairs: Statement,
    cells_statement: Statement,
    markets: tuple[list[Any], list[Any]],
    limits: tuple[dict[Any, Any], dict[Any, Any]],
    shut: tuple[set[Any], set[Any]],
    seed: int,
) -> None:
    def features(lines: list[Any], caps: dict[Any, Any], dry: set[Any], closing: date | None, later_estimate: float) -> Rows:
        # Closed weeks are known up to the newest order of anybody: somebody ordered in the last week of both worlds.
        orders = [("anchor", "U", 0, 1), *lines]
        cells = cells_statement.rows(
            order_lines=[
                {"line_id": str(n), "retailer_id": shop, "sku_id": sku, "ordered_on": AS_OF - timedelta(days=day), "delivered_units": units}
                for n, (shop, sku, day, units) in enumerate(orders)
            ],
            allocation_limits=[{"week_start": week(ago), "sku_id": sku, "cap_units": cap} for (ago, sku), cap in caps.items()],
            supply=[{"week_start": week(ago), "sku_id": sku, "available_units": 0.0} for ago, sku in dry],
        )
        recovered = [row | {"as_of": AS_OF} for row in doubled(cells)]
        recovered += [row | {"as_of": AS_OF + timedelta(weeks=4), "true_units": later_estimate} for row in doubled(cells)]
        register = [{"retailer_id": "P", "tier": "T1", "closed_on": closing}, {"retailer_id": "Q", "tier": "T1"}]
        return described_pairs.rows(cells=cells[seed:] + cells[:seed], recovered=recovered[::-1], retailers=register)

    def past(drawn: Any, ago: int) -> Any:
        kept = {key for key in drawn if key[ago] >= 0}
        return {key: drawn[key] for key in kept} if isinstance(drawn, dict) else type(drawn)(key for key in drawn if key in kept)

    def future(drawn: Any, ago: int) -> Any:
        kept = past(drawn, ago)
        return {k: v for k, v in drawn.items() if k not in kept} if isinstance(drawn, dict) else [key for key in drawn if key not in kept]

    now = (past(markets[0], 2), past(limits[0], 0), past(shut[0], 0))
    later = (future(markets[1], 2), future(limits[1], 0), future(shut[1], 0))
    then = (now[0][::-1] + later[0], now[1] | later[1], now[2] | set(later[2]))
    assert features(*now, None, 1.0) == features(*then, AS_OF + timedelta(days=9), 99.0)


def doubled(cells: Rows) -> Rows:
    """An estimate of each capped cell: twice what was delivered."""
    names = ("retailer_id", "sku_id", "week_start")
    return [{n: row[n] for n in names} | {"true_units": 2 * row["delivered_units"]} for row in cells if row["censoring"] == "cap"]
