"""Histories of pairs, counted by hand at the edges of their windows."""

from __future__ import annotations

import pytest

from contracts.weeks import HORIZONS
from features.pair_history import LAGS, pair_history
from tests.cell_rows import AS_OF, at_cap, cell, closed, week
from tests.statements import Rows, Statement


@pytest.fixture(scope="module")
def histories() -> Statement:
    return Statement(lambda cells: pair_history(cells, AS_OF), "demand_cells")


def test_a_window_of_so_many_weeks_ends_with_the_last_known_one(histories: Statement) -> None:
    weeks_ago = (0, 3, 4, 7, 8, 12, 13, 25, 26, 51, 52, 53)
    [pair] = histories.rows(demand_cells=[cell("R", "S", ago, 2**n) for n, ago in enumerate(weeks_ago)])
    for window in (4, 8, 13, 26, 52):
        inside = [2**n for n, ago in enumerate(weeks_ago) if ago < window]
        assert (pair[f"units_{window}w"], pair[f"orders_{window}w"]) == (sum(inside), len(inside)), window


def test_each_of_the_last_eight_weeks_has_a_column(histories: Statement) -> None:
    [pair] = histories.rows(demand_cells=[cell("R", "S", ago, ago + 1) for ago in range(9) if ago != 5])
    assert [pair[f"units_{ago}_ago"] for ago in LAGS] == [1, 2, 3, 4, 5, 0, 7, 8]


def test_the_year_before_is_the_three_weeks_around_the_target_week(histories: Statement) -> None:
    [pair] = histories.rows(demand_cells=[cell("R", "S", ago, 10**-6 + ago) for ago in range(40, 53)])
    for horizon in HORIZONS:
        same_week = 52 - horizon
        assert pair[f"units_year_before_{horizon}"] == pytest.approx(3 * same_week, abs=1e-4), horizon


def test_a_closed_week_teaches_nothing(histories: Statement) -> None:
    orders = [cell("R", "S", 2, 5), cell("R", "S", 9, 3), cell("R", "S", 52, 3)]
    shut = [closed("R", "S", 0, delivered=90), closed("R", "S", 1), closed("R", "S", 10), closed("R", "S", 51, delivered=70)]
    [without], [pair] = histories.rows(demand_cells=orders), histories.rows(demand_cells=orders + shut)
    assert [pair[f"closed_{weeks}w"] for weeks in (4, 8, 13, 26, 52)] == [2, 2, 3, 3, 4]
    unlike = {name for name in pair if pair[name] != without[name]}
    assert unlike == {*(f"closed_{weeks}w" for weeks in (4, 8, 13, 26, 52)), "last_week_any"}


def test_demand_that_a_cap_hid_counts_as_wanted_and_as_unmet(histories: Statement) -> None:
    cells = [cell("R", "S", 1, 2), at_cap("R", "S", 3, 4, true=9), at_cap("R", "S", 25, 4, true=6), at_cap("R", "S", 26, 4, true=7)]
    cells.append(cell("R", "S", 5, 3, true=1, censoring="floor", lower_units=0.0))
    [pair] = histories.rows(demand_cells=cells)
    assert (pair["units_26w"], pair["orders_26w"]) == (2 + 9 + 6 + 1, 4)
    assert (pair["capped_26w"], pair["unmet_26w"]) == (2, 5 + 2)
    assert (pair["square_units_52w"], pair["largest_52w"]) == (4 + 81 + 36 + 49 + 1, 9)


def test_an_order_of_which_nothing_was_delivered_is_an_order(histories: Statement) -> None:
    refused = cell("R", "S", 2, 0, true=3, upper_units=4.0, censoring="cap")
    [pair] = histories.rows(demand_cells=[refused])
    assert (pair["orders_4w"], pair["units_4w"], pair["capped_26w"], pair["last_week"]) == (1, 3, 1, week(2))


def test_money_is_held_against_the_units_that_have_a_price(histories: Statement) -> None:
    cells = [cell("R", "S", 0, 5, amount=50.0), cell("R", "S", 1, 7), cell("R", "S", 52, 9, amount=1.0), cell("R", "T", 0, 4)]
    priced, free = histories.rows(demand_cells=cells)
    assert (priced["amount_52w"], priced["priced_units_52w"]) == (50, 5)
    assert (free["amount_52w"], free["priced_units_52w"]) == (None, 0)


def test_first_and_last_weeks_are_those_of_orders(histories: Statement) -> None:
    cells = [cell("R", "S", ago, 1) for ago in (200, 52, 50, 20, 6)] + [closed("R", "S", 2), closed("R", "S", 51, delivered=1)]
    [pair] = histories.rows(demand_cells=cells)
    assert (pair["first_week"], pair["first_week_52w"], pair["last_week"], pair["last_week_any"]) == (week(200), week(50), week(6), week(6))


def test_the_first_order_may_lie_in_a_closed_week(histories: Statement) -> None:
    [pair] = histories.rows(demand_cells=[closed("R", "S", 9, delivered=1), closed("R", "S", 8), cell("R", "S", 3, 1)])
    assert (pair["first_week"], pair["first_week_52w"]) == (week(9), week(3))


def test_a_pair_that_ordered_nothing_for_53_weeks_has_no_row(histories: Statement) -> None:
    cells = [cell("R", "kept", 52, 1), cell("R", "gone", 53, 1), cell("R", "shut", 53, 1), closed("R", "shut", 3)]
    assert [pair["sku_id"] for pair in histories.rows(demand_cells=cells)] == ["kept"]


def test_a_pair_that_ordered_in_closed_weeks_only_is_kept(histories: Statement) -> None:
    [pair] = histories.rows(demand_cells=[closed("R", "S", 4, delivered=6)])
    assert (pair["last_week_any"], pair["last_week"], pair["first_week"], pair["units_52w"]) == (week(4), None, week(4), 0)


def test_pairs_are_apart(histories: Statement) -> None:
    cells: Rows = [cell(retailer, sku, 0, n) for n, (retailer, sku) in enumerate([("Q", "S"), ("R", "S"), ("R", "T")], start=1)]
    assert [(p["retailer_id"], p["sku_id"], p["units_4w"]) for p in histories.rows(demand_cells=cells)] == [
        ("Q", "S", 1),
        ("R", "S", 2),
        ("R", "T", 3),
    ]
