"""Cells against a slow twin that walks through every retailer, SKU and week and asks the contract's questions one by one."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.cells import retailer_sku_weeks
from tests.statements import Rows, Statement

FIRST = date(2019, 9, 2)
WEEKS = [FIRST + timedelta(weeks=n) for n in range(4)]
TIERS = {"P": "T1", "Q": "T1", "R": "T2", "unregistered": None}
BANDS = {"A1": "A", "A2": "A", "B1": "B", "loose": None}

units = st.integers(0, 4).map(float)
wishes = st.none() | st.integers(0, 5).map(float)
lines = st.lists(
    st.fixed_dictionaries(
        {
            "retailer_id": st.sampled_from(list(TIERS)),
            "sku_id": st.sampled_from(list(BANDS)),
            "ordered_on": st.integers(0, 27).map(lambda day: FIRST + timedelta(days=day)),
            "delivered_units": units,
            "requested_units": wishes,
            "amount": wishes,
        }
    ),
    max_size=25,
)
scopes = st.sampled_from([(None, None), (None, "T1"), (None, "T2"), ("P", None), ("unregistered", None)])
items = st.sampled_from([*((sku, None) for sku in BANDS), (None, "A"), (None, "B"), (None, "C")])
limits = st.dictionaries(st.tuples(st.sampled_from(WEEKS), items, scopes), st.tuples(wishes, wishes), max_size=15)
stocks = st.dictionaries(st.tuples(st.sampled_from(WEEKS), st.sampled_from(list(BANDS))), st.sampled_from([0.0, 3.0]), max_size=4)


@pytest.fixture(scope="module")
def statement() -> Statement:
    return Statement(retailer_sku_weeks, "order_lines", "retailers", "skus", "allocation_limits", "supply")


@settings(max_examples=60, deadline=None)
@given(lines=lines, limits=limits, stocks=stocks)
def test_cells_are_those_of_the_slow_twin(statement: Statement, lines: Rows, limits: dict[Any, Any], stocks: dict[Any, float]) -> None:
    limit_rows = [
        {"week_start": week, "sku_id": sku, "price_band": band, "retailer_id": shop, "tier": tier, "cap_units": cap, "floor_units": floor}
        for (week, (sku, band), (shop, tier)), (cap, floor) in limits.items()
    ]
    found = statement.rows(
        order_lines=[line | {"line_id": str(n)} for n, line in enumerate(lines)],
        retailers=[{"retailer_id": shop, "tier": tier} for shop, tier in TIERS.items() if shop != "unregistered"],
        skus=[{"sku_id": sku, "price_band": band} for sku, band in BANDS.items()],
        allocation_limits=limit_rows,
        supply=[{"week_start": week, "sku_id": sku, "available_units": stock} for (week, sku), stock in stocks.items()],
    )
    assert found == slow_cells(lines, limit_rows, stocks)


def slow_cells(lines: Rows, limits: Rows, stocks: dict[Any, float]) -> Rows:
    """Every cell, in the order of the keys."""
    cells = []
    newest = max((monday(line) for line in lines), default=None)
    for shop, sku, week in product(sorted(TIERS), sorted(BANDS), WEEKS):
        of_pair = [line for line in lines if (line["retailer_id"], line["sku_id"]) == (shop, sku)]
        of_week = [line for line in of_pair if monday(line) == week]
        known = bool(of_pair) and newest is not None and min(map(monday, of_pair)) <= week <= newest
        delivered = sum(line["delivered_units"] for line in of_week)
        wished = sum(line["delivered_units"] if line["requested_units"] is None else line["requested_units"] for line in of_week)
        cap, floor = limit_of(limits, week, shop, "sku_id", sku)
        censoring, lower, upper = judge(lines, limits, stocks, (shop, sku, week), (delivered, wished), (cap, floor))
        if delivered or (wished and asked(of_week)) or (known and censoring == "stockout"):
            amounts = [line["amount"] for line in of_week if line["amount"] is not None]
            unpriced = any(line["amount"] is None and line["delivered_units"] > 0 for line in of_week)
            cells.append(
                {"retailer_id": shop, "sku_id": sku, "week_start": week, "delivered_units": delivered}
                | {"amount": None if unpriced or not amounts else sum(amounts), "cap_units": cap, "floor_units": floor}
                | {"lower_units": lower, "upper_units": upper, "censoring": censoring}
            )
    return cells


def judge(
    lines: Rows,
    limits: Rows,
    stocks: dict[Any, float],
    key: tuple[str, str, date],
    wanted: tuple[float, float],
    of_sku: tuple[float | None, float | None],
) -> tuple[str, float, float | None]:
    """Censoring and interval of one retailer-SKU-week."""
    (shop, sku, week), (delivered, wished), (cap, floor) = key, wanted, of_sku
    band_cap, band_floor = limit_of(limits, week, shop, "price_band", BANDS[sku])
    of_band = [x for x in lines if x["retailer_id"] == shop and BANDS[x["sku_id"]] == BANDS[sku] and monday(x) == week]
    in_band = sum(line["delivered_units"] for line in of_band)
    above = wished if wished > delivered else None
    if stocks.get((week, sku)) == 0 or shut(cap, floor) or shut(band_cap, band_floor):
        return "stockout", 0.0, None
    if cap is not None and delivered >= cap:
        return "cap", delivered, above
    if band_cap is not None and in_band >= band_cap:
        return "band", delivered, above
    if above is not None:
        return "cap", delivered, above
    if delivered == floor or (band_floor is not None and in_band == band_floor):
        return "floor", 0.0, delivered
    return "none", delivered, delivered


def limit_of(limits: Rows, week: date, shop: str, item: str, name: str | None) -> tuple[float | None, float | None]:
    """Cap and floor of the most specific row: of the retailer, else of its tier, else of everybody."""
    rows = [row for row in limits if row["week_start"] == week and name is not None and row[item] == name]
    own = [row for row in rows if row["retailer_id"] == shop]
    of_tier = [row for row in rows if row["retailer_id"] is None and row["tier"] is not None and row["tier"] == TIERS[shop]]
    of_all = [row for row in rows if row["retailer_id"] is None and row["tier"] is None]
    for level in (own, of_tier, of_all):
        if level:
            return level[0]["cap_units"], level[0]["floor_units"]
    return None, None


def shut(cap: float | None, floor: float | None) -> bool:
    return cap is not None and cap <= (floor or 0.0)


def asked(lines: Rows) -> bool:
    return any(line["requested_units"] is not None for line in lines)


def monday(line: dict[str, Any]) -> date:
    day: date = line["ordered_on"]
    return day - timedelta(days=day.weekday())
