"""The rule: who churned, who did not, and of whom it cannot be said.

Each table has a line per retailer and a sign per week; ``|`` is the cut-off, the four weeks right of it are the window.
``x`` an order, ``o`` the retailer's only SKU was closed by the wholesaler, ``.`` nothing.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import ibis
import pyarrow as pa
import pytest

from contracts.cells import CELLS
from contracts.raw import RETAILERS
from contracts.weeks import last_week, target_week
from features.churn_labels import churn_labels

AS_OF = date(2019, 9, 29)


def labels_of(table: str, register: list[dict[str, Any]] | None = None, *, horizon: int = 4, weeks_known: int = 4) -> dict[str, str]:
    """Label of each retailer of a table: silent, ordered, or left out."""
    weeks = {name: row.split("|") for name, row in (line.split() for line in table.strip().splitlines())}
    cells = []
    for name, (before, after) in weeks.items():
        signs = enumerate(before + after, start=1 - len(before))
        cells += [cell_of(name, sign, week) for week, sign in signs if sign != "."]
    rows = churn_labels(
        ibis.memtable(pa.Table.from_pylist(cells, schema=CELLS.arrow_schema)),
        ibis.memtable(pa.Table.from_pylist(register or [], schema=RETAILERS.arrow_schema)),
        AS_OF,
        [horizon],
        target_week(AS_OF, weeks_known) if weeks_known else last_week(AS_OF),
    )
    labelled = ibis.duckdb.connect(threads=1).to_pyarrow(rows).to_pylist()
    return dict.fromkeys(weeks, "left out") | {row["retailer_id"]: "silent" if row["no_order"] else "ordered" for row in labelled}


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
