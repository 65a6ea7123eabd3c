"""The rule: what the shared cap or floor of a price band says of the SKUs in it.

Each line of a table is the order of a shop for a SKU; every shop has its own limit on the band, and the SKU may have one too. The band of a
SKU is the letter it begins with; ``x`` has none.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

MONDAY = date(2019, 9, 23)

Rows = list[dict[str, Any]]
Judge = Callable[[str], None]


@pytest.fixture
def assert_judged(cells_of: Callable[..., Rows], rows_of: Callable[[str], Rows]) -> Judge:
    """Compare what the cells say with the right half of a table."""

    def check(table: str) -> None:
        cases = rows_of(table)
        keys = [{"retailer_id": c["shop"], "sku_id": c["sku"]} for c in cases]
        lines = [
            key | {"line_id": str(n), "ordered_on": MONDAY, "delivered_units": case["delivered"], "requested_units": case["requested"]}
            for n, (key, case) in enumerate(zip(keys, cases, strict=True))
        ]
        of_sku = [key | {"week_start": MONDAY, "cap_units": case["sku_cap"]} for key, case in zip(keys, cases, strict=True)]
        bands = {c["shop"]: {"cap_units": c["band_cap"], "floor_units": c["band_floor"]} for c in cases}
        of_band = [{"week_start": MONDAY, "price_band": "A", "retailer_id": shop} | limit for shop, limit in bands.items()]
        skus = [{"sku_id": sku, "price_band": None if sku == "x" else sku[0]} for sku in sorted({c["sku"] for c in cases})]
        cells = cells_of(order_lines=lines, allocation_limits=of_sku + of_band, skus=skus)
        found = {(c["retailer_id"], c["sku_id"]): (c["censoring"], c["lower_units"], c["upper_units"]) for c in cells}
        assert found == {(c["shop"], c["sku"]): (c["censoring"], c["lower"], c["upper"]) for c in cases}

    return check


def test_a_band_cap_is_used_up_by_all_skus_of_the_band_together(assert_judged: Judge) -> None:
    assert_judged("""
        shop        sku delivered requested sku_cap band_cap band_floor | censoring lower upper
        room_left   A1  4         .         .       10       .          | none      4     4
        room_left   A2  5         .         .       10       .          | none      5     5
        used_up     A1  4         .         .       9        .          | band      4     .
        used_up     A2  5         .         .       9        .          | band      5     .
        used_up     B1  7         .         .       9        .          | none      7     7
        used_up     x   8         .         .       9        .          | none      8     8
        used_by_one A1  9         .         .       9        .          | band      9     .
        exceeded    A1  9         .         .       8        .          | band      9     .
        no_cap      A1  9         .         .       .        .          | none      9     9
        asked       A1  4         6         .       4        .          | band      4     6
        asked       A2  0         3         .       4        .          | band      0     3
    """)


def test_tenths_that_sum_to_the_cap_of_a_band_use_it_up(assert_judged: Judge) -> None:
    assert_judged("""
        shop        sku delivered requested sku_cap band_cap band_floor | censoring lower upper
        used_up     A1  0.7       .         .       0.8      .          | band      0.7   .
        used_up     A2  0.1       .         .       0.8      .          | band      0.1   .
    """)


def test_a_band_limit_and_a_sku_limit_both_hold(assert_judged: Judge) -> None:
    assert_judged("""
        shop        sku delivered requested sku_cap band_cap band_floor | censoring lower upper
        both        A1  4         .         4       9        .          | cap       4     .
        both        A2  5         .         6       9        .          | band      5     .
        sku_only    A1  4         .         4       10       .          | cap       4     .
        sku_only    A2  5         .         6       10       .          | none      5     5
        shut_sku    A1  4         .         0       9        .          | stockout  0     .
        shut_sku    A2  5         .         .       9        .          | band      5     .
    """)


def test_a_band_may_be_closed_or_have_a_floor(assert_judged: Judge) -> None:
    assert_judged("""
        shop        sku delivered requested sku_cap band_cap band_floor | censoring lower upper
        closed      A1  4         .         9       0        .          | stockout  0     .
        closed      B1  4         .         .       0        .          | none      4     4
        fixed       A1  4         .         .       4        4          | stockout  0     .
        at_floor    A1  2         .         .       9        3          | floor     0     2
        at_floor    A2  1         .         .       9        3          | floor     0     1
        above       A1  2         .         .       9        3          | none      2     2
        above       A2  2         .         .       9        3          | none      2     2
        no_wish     A1  0         2         .       .        0          | cap       0     2
    """)


def test_a_band_cap_begins_anew_each_week_and_is_not_shared_between_shops(cells_of: Callable[..., Rows]) -> None:
    def line(number: int, shop: str, sku: str, week: int) -> dict[str, Any]:
        day = MONDAY + timedelta(weeks=week, days=2)
        return {"line_id": str(number), "retailer_id": shop, "sku_id": sku, "ordered_on": day, "delivered_units": 5.0}

    orders = [("Q", "A1", 0), ("R", "A2", 0), ("Q", "A2", 1), ("R", "A1", 2), ("R", "A2", 2)]
    limits = [{"week_start": MONDAY + timedelta(weeks=week), "price_band": "A", "cap_units": 10.0} for week in range(3)]
    skus = [{"sku_id": sku, "price_band": "A"} for sku in ("A1", "A2")]
    cells = cells_of(order_lines=[line(n, *order) for n, order in enumerate(orders)], allocation_limits=limits, skus=skus)
    censoring = {(c["retailer_id"], c["sku_id"], (c["week_start"] - MONDAY).days // 7): c["censoring"] for c in cells}
    assert censoring == {order: "band" if order[2] == 2 else "none" for order in orders}
