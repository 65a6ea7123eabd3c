"""The rule: who churned, who did not, and of whom it cannot be said.

Each table has a line per retailer and a sign per week; ``|`` is the cut-off, the four weeks right of it are the window.
``x`` an order, ``o`` the retailer's only SKU was closed by the wholesaler, ``.`` nothing.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest

from contracts.weeks import last_week, target_week
from features.churn_labels import churn_labels
from tests.statements import Rows, Statement

AS_OF = date(2019, 9, 29)


@cache
def statement(horizon: int, weeks_known: int) -> Statement:
    """Labels of a horizon as known so many weeks after AS_OF."""
    known = target_week(AS_OF, weeks_known) if weeks_known else last_week(AS_OF)
    return Statement(lambda cells, retailers: churn_labels(cells, retailers, AS_OF, [horizon], known), "cells", "retailers")


def rows_of_table(table: str, register: Rows | None = None, *, horizon: int = 4, weeks_known: int = 4) -> dict[str, dict[str, Any]]:
    """Labelled rows of a table, by retailer."""
    cells = []
    for name, row in (line.split() for line in table.strip().splitlines()):
        before, after = row.split("|")
        signs = enumerate(before + after, start=1 - len(before))
        cells += [cell_of(name, sign, week) for week, sign in signs if sign != "."]
    labelled = statement(horizon, weeks_known).rows(cells=cells, retailers=register or [])
    return {row["retailer_id"]: row for row in labelled}


def labels_of(table: str, register: Rows | None = None, *, horizon: int = 4, weeks_known: int = 4) -> dict[str, str]:
    """Label of each retailer of a table: silent, ordered, or left out."""
    found = rows_of_table(table, register, horizon=horizon, weeks_known=weeks_known)
    labels = {name: "silent" if row["no_order"] else "ordered" for name, row in found.items()}
    return dict.fromkeys((line.split()[0] for line in table.strip().splitlines()), "left out") | labels


def cell_of(retailer_id: str, sign: str, week: int) -> dict[str, Any]:
    """The cell of a sign; week 0 is the last known one. A digit is an order of so many units, of another SKU each."""
    units, closed = (0.0, True) if sign == "o" else (1.0, False)
    sku_id = sign if sign.isdigit() else "S"
    row = {"retailer_id": retailer_id, "sku_id": sku_id, "week_start": last_week(AS_OF) + timedelta(weeks=week)}
    censoring = "stockout" if closed else "none"
    return row | {"delivered_units": units, "lower_units": 0.0, "censoring": censoring}


def test_silence_in_the_window_is_churn_and_one_order_is_not() -> None:
    table = """
        stops     x.x.x|.....
        goes_on   x.x.x|.x.x.
        late      x.x.x|....x
        last_week x.x.x|...x.
    """
    expected = {"stops": "silent", "goes_on": "ordered", "late": "silent", "last_week": "ordered"}
    assert labels_of(table, weeks_known=5) == expected


def test_only_retailers_that_ordered_in_the_last_eight_weeks_have_a_label() -> None:
    table = """
        eight x.......|....
        nine  x........|....
        new   ....|x...
    """
    assert labels_of(table) == {"eight": "silent", "nine": "left out", "new": "left out"}


def test_a_shop_that_closed_is_no_churn() -> None:
    table = """
        before    xxxx|....
        in_window xxxx|....
        last_day  xxxx|....
        after     xxxx|....
        ordered   xxxx|x...
    """
    days = {"before": 0, "in_window": 10, "last_day": 28, "after": 29, "ordered": 20}
    register = [{"retailer_id": name, "closed_on": AS_OF + timedelta(days=n)} for name, n in days.items()]
    expected = {"before": "left out", "in_window": "left out", "last_day": "left out", "after": "silent", "ordered": "left out"}
    assert labels_of(table, register) == expected


def test_a_relicensed_shop_is_no_churn() -> None:
    table = """
        old      xxxx|.....
        heir     ....|.xxxx
        gone     xxx.|.....
        heir_2   ..xx|xxxxx
        too_soon xxxx|.....
        heir_3   ....|....x
    """
    pairs = {"old": "heir", "gone": "heir_2", "too_soon": "heir_3"}
    register = [{"retailer_id": name, "successor_id": heir} for name, heir in pairs.items()]
    found = labels_of(table, register, weeks_known=5)
    assert {name: found[name] for name in pairs} == {"old": "left out", "gone": "left out", "too_soon": "silent"}


def test_a_relicensing_that_comes_out_after_the_window_makes_the_row_void_from_then_on() -> None:
    table = """
        old      xxxx|.......
        heir     ....|.....xx
        goes_on  xxxx|......x
        heir_2   ....|.....xx
        ordered  xxxx|.x.....
        heir_3   ....|......x
    """
    pairs = {"old": "heir", "goes_on": "heir_2", "ordered": "heir_3"}
    register = [{"retailer_id": name, "successor_id": heir} for name, heir in pairs.items()]
    early, late = (rows_of_table(table, register, weeks_known=weeks) for weeks in (5, 7))
    assert {name: early[name]["void_from"] for name in pairs} == dict.fromkeys(pairs)
    assert {name: late[name]["void_from"] for name in pairs} == dict.fromkeys(pairs) | {"old": AS_OF + timedelta(weeks=6)}
    assert [late[name]["no_order"] for name in pairs] == [True, True, False]


def test_another_number_at_the_same_place_is_a_relicensing_too() -> None:
    table = """
        old      xxxx|......
        heir     ....|..xxxx
        half_way xxxx|x.....
        heir_2   ....|.xxxxx
        stays    xxxx|.....x
        opened   ....|..xxxx
    """
    places = {"old": 1.0, "heir": 1.0, "half_way": 2.0, "heir_2": 2.0, "stays": 3.0, "opened": 3.0}
    register = [{"retailer_id": name, "latitude": place, "longitude": 10.0} for name, place in places.items()]
    asked = ("old", "half_way", "stays")
    # as of the end of the window nobody knows of half_way that it has gone, nor of stays that it has not
    found = {weeks: rows_of_table(table, register, weeks_known=weeks) for weeks in (4, 5, 6)}
    assert {weeks: [name for name in asked if name in rows] for weeks, rows in found.items()} == {
        4: ["half_way"],
        5: ["half_way"],
        6: ["half_way", "stays"],
    }
    assert [rows["half_way"]["void_from"] for rows in found.values()] == [None, AS_OF + timedelta(weeks=5), AS_OF + timedelta(weeks=5)]
    assert [found[6][name]["no_order"] for name in ("half_way", "stays")] == [False, True]


def test_a_licence_that_ends_within_half_a_year_of_the_last_order_explains_the_silence() -> None:
    table = """
        soon    xxxx|.....
        later   xxxx|.....
        ordered xxxx|....x
    """
    days = {"soon": 30, "later": 36, "ordered": 30}
    register = [{"retailer_id": name, "closed_on": AS_OF + timedelta(days=n)} for name, n in days.items()]
    found = rows_of_table(table, register, weeks_known=5)
    assert {name: row["void_from"] for name, row in found.items()} == {"soon": AS_OF + timedelta(days=30), "later": None, "ordered": None}


def test_who_orders_within_26_weeks_after_its_window_was_falsely_taken_for_lost() -> None:
    silence = 25 * "."
    table = f"""
        stays_away xxxx|....{silence}..
        returns    xxxx|....{silence}x.
        too_late   xxxx|....{silence}.x
        ordered    xxxx|x...{silence}x.
    """
    expected = {"stays_away": 0, "returns": 1, "too_late": 0, "ordered": None}
    again = {name: row["ordered_again_26w"] for name, row in rows_of_table(table, weeks_known=30).items()}
    assert again == expected
    again = {name: row["ordered_again_26w"] for name, row in rows_of_table(table, weeks_known=29).items()}
    assert again == dict.fromkeys(expected)


def test_a_week_in_which_hardly_anybody_orders_closes_everybody() -> None:
    def county(window: str) -> str:
        return "\n".join(["shop xxxxxxxxxxxxx|....", *(f"other{n} xxxxxxxxxxxxx|{window}" for n in range(30))])

    assert labels_of(county("...x"))["shop"] == "left out"
    assert labels_of(county("..xx"))["shop"] == "silent"


def test_silence_that_the_wholesaler_caused_is_no_churn() -> None:
    table = """
        mostly_closed xxxx|ooo.
        half_closed   xxxx|oo..
        ordered       xxxx|ooox
        two_products  xx12|ooo.
    """
    expected = {"mostly_closed": "left out", "half_closed": "silent", "ordered": "ordered", "two_products": "silent"}
    assert labels_of(table) == expected


@pytest.mark.parametrize(("weeks_known", "label"), [(0, "left out"), (3, "left out"), (4, "silent")])
def test_a_window_that_is_not_over_has_no_label(weeks_known: int, label: str) -> None:
    assert labels_of("shop xxxx|....", weeks_known=weeks_known) == {"shop": label}


def test_orders_after_the_last_known_week_are_not_known() -> None:
    table = """
        shop xxxx|....x
    """
    assert labels_of(table, weeks_known=4) == {"shop": "silent"}
    assert labels_of(table, horizon=5, weeks_known=4) == {"shop": "left out"}
