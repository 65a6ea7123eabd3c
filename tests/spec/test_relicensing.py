"""The rule: which retailer number took over the shop of which other one.

A line per retailer: its name, its place (a letter is a point on the map, ``.`` is unknown), and a sign per week up to the last known one:
``x`` an order, ``.`` none, ``*`` stands for ten weeks without any.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from features.churn_population import order_spans
from features.relicensing import successions
from tests.cell_rows import AS_OF, cell, week
from tests.statements import Rows, Statement


@pytest.fixture(scope="module")
def statement() -> Statement:
    return Statement(lambda cells, retailers: successions(order_spans(cells), retailers, week(0)), "cells", "retailers")


def successors_of(statement: Statement, table: str, register: dict[str, dict[str, Any]] | None = None) -> dict[str, str]:
    """Who was replaced by whom."""
    return {row["retailer_id"]: row["successor_id"] for row in found(statement, table, register)}


def found(statement: Statement, table: str, register: dict[str, dict[str, Any]] | None = None) -> Rows:
    cells, retailers = [], []
    for name, place, signs in (line.split() for line in table.strip().splitlines()):
        weeks = signs.replace("*", 10 * ".")
        cells += [cell_row(name, len(weeks) - 1 - n) for n, sign in enumerate(weeks) if sign == "x"]
        spot = {} if place == "." else {"latitude": 41.0 + (ord(place) - 65) / 100, "longitude": -93.0}
        retailers.append({"retailer_id": name} | spot | (register or {}).get(name, {}))
    return statement.rows(cells=cells, retailers=retailers)


def cell_row(name: str, weeks_ago: int) -> dict[str, Any]:
    row = cell(name, "S", weeks_ago, 1)
    del row["true_units"]
    return row


def test_another_number_at_the_same_coordinates_takes_over(statement: Statement) -> None:
    table = """
        old   A xxx......
        heir  A ....xxxxx
        other B ....xxxxx
    """
    assert found(statement, table) == [
        {
            "retailer_id": "old",
            "successor_id": "heir",
            "taken_over_week": week(4),
            "evident_from": AS_OF - timedelta(weeks=2),
            "named": False,
        }
    ]


def test_coordinates_agree_to_four_decimals(statement: Statement) -> None:
    table = """
        old  A xxx......
        heir . ....xxxxx
    """
    for north, same in ((41.00004, True), (41.0002, False)):
        register = {"heir": {"latitude": north, "longitude": -93.0}}
        assert successors_of(statement, table, register) == ({"old": "heir"} if same else {})


def test_the_successor_begins_at_most_eight_weeks_before_and_twenty_six_after_the_last_order(statement: Statement) -> None:
    table = """
        nine       B x.........x.....
        heir_nine  B .x.............x
        eight      C xx........x.....
        heir_eight C ..x............x
        week_26    E x**.......
        heir_26    E .**.....x.
        week_27    F x**........
        heir_27    F .**......x.
    """
    assert successors_of(statement, table) == {"eight": "heir_eight", "week_26": "heir_26"}


def test_a_neighbour_that_opens_beside_a_shop_that_goes_on_is_no_successor(statement: Statement) -> None:
    table = """
        goes_on  A xxxxxx..x
        opened   A ....xxxxx
        silent_3 B xxxxxx...
        begun_3  B .....xxxx
        silent_4 C xxxxx....
        begun_4  C .....xxxx
    """
    assert successors_of(statement, table) == {"silent_4": "begun_4"}


def test_a_place_that_a_third_shop_shares_all_the_while_is_no_evidence(statement: Statement) -> None:
    table = """
        old    A xxx......
        heir   A ....xxxxx
        beside A xxxxxxxxx
        old_b  B xxxx........
        heir_b B .....xxxxxxx
        before B x...........
        old_c  C xxxx........
        heir_c C .....xxx....
        next   C .........xxx
    """
    assert successors_of(statement, table) == {"old_b": "heir_b", "old_c": "heir_c", "heir_c": "next"}


def test_of_two_that_stopped_at_one_place_the_last_was_replaced_and_of_two_that_came_the_first_replaces(statement: Statement) -> None:
    table = """
        stops_first A xxx.........
        stops_last  A xxxxx.......
        comes_first A ......xxxxxx
        comes_later A .......xxxxx
    """
    assert successors_of(statement, table)["stops_last"] == "comes_first"


def test_an_address_is_a_place_whatever_its_capitals_but_not_in_another_town(statement: Statement) -> None:
    table = """
        old    . xxx......
        heir   . ....xxxxx
        far    B xxx......
        away   Z ....xxxxx
        north  . xxx......
        south  . ....xxxxx
        blank  . xxx......
        blank2 . ....xxxxx
    """
    addresses = {"old": "1 Main St", "heir": " 1 MAIN ST ", "far": "2 Elm", "away": "2 elm", "north": "3 Oak", "south": "3 Oak"}
    register: dict[str, dict[str, Any]] = {name: {"address": address} for name, address in addresses.items()}
    register |= {"blank": {"address": " "}, "blank2": {"address": " "}}
    register["north"]["district"], register["south"]["district"] = "north", "south"
    assert successors_of(statement, table, register) == {"old": "heir"}


def test_a_successor_that_the_register_names_needs_no_place(statement: Statement) -> None:
    table = """
        old    . xxxxx....
        heir   . ....xxxxx
        late   . xx**.....
        heir_l . ..**...xx
        never  . xxx......
        merged . xxxxxxxxxxxx....
        bigger . xxxxxxxxxxxxxxxx
        goes_on . xxxxxxxxxxxxxxxx
    """
    names = {"old": "heir", "late": "heir_l", "never": "nobody", "merged": "bigger", "goes_on": "bigger"}
    register = {name: {"successor_id": heir} for name, heir in names.items()}
    assert successors_of(statement, table, register) == {"old": "heir", "late": "heir_l", "merged": "bigger"}


def test_a_crowd_at_one_point_is_a_town_and_no_place(statement: Statement) -> None:
    pair = ["old A xxx......", "heir A ....xxxxx"]
    never_ordered = [f"shop{n} A ........." for n in range(19)]
    assert successors_of(statement, "\n".join(pair + never_ordered[:18])) == {"old": "heir"}
    assert successors_of(statement, "\n".join(pair + never_ordered)) == {}
