"""Limits of SKUs and of bands as columns; the rule itself is in tests/spec/test_most_specific_limit.py."""

from __future__ import annotations

from datetime import date
from typing import Any

import ibis
import pyarrow as pa
import pytest

from contracts.raw import ALLOCATION_LIMITS
from features.limits import apply_limits

MONDAY, LATER = date(2019, 9, 23), date(2019, 9, 30)

DEMANDS: list[dict[str, Any]] = [
    {"retailer_id": "own", "tier": "T1", "item": "A", "week_start": MONDAY, "n": 1},
    {"retailer_id": "tiered", "tier": "T1", "item": "A", "week_start": MONDAY, "n": 2},
    {"retailer_id": "other", "tier": None, "item": "A", "week_start": MONDAY, "n": 3},
    {"retailer_id": "own", "tier": "T1", "item": "B", "week_start": MONDAY, "n": 4},
    {"retailer_id": "own", "tier": "T1", "item": "A", "week_start": LATER, "n": 5},
    {"retailer_id": "own", "tier": "T1", "item": None, "week_start": MONDAY, "n": 6},
]
LIMITS: list[dict[str, Any]] = [
    {"retailer_id": "own", "cap_units": 3.0, "floor_units": 1.0},
    {"tier": "T1", "cap_units": 5.0},
    {"floor_units": 2.0},
]


def limited(item: str, other_item: str, **more: str) -> list[dict[str, Any]]:
    """Demands with the limits of an item, and rows for the other kind of item beside them that must not count."""
    demands = [{item if name == "item" else name: value for name, value in row.items()} for row in DEMANDS]
    limits = [{"week_start": MONDAY, item: "A"} | row for row in LIMITS]
    limits += [{"week_start": MONDAY, other_item: "A"} | row | {"cap_units": 99.0} for row in LIMITS]
    types = {"retailer_id": pa.string(), "tier": pa.string(), item: pa.string(), "week_start": pa.date32(), "n": pa.int64()}
    rows = ibis.memtable(pa.Table.from_pylist(demands, schema=pa.schema(types)))
    table = ibis.memtable(pa.Table.from_pylist(limits, schema=ALLOCATION_LIMITS.arrow_schema))
    expression = apply_limits(rows, table, item=item, **more).order_by("n")
    found: list[dict[str, Any]] = ibis.duckdb.connect(threads=1).to_pyarrow(expression).to_pylist()
    return found


@pytest.mark.parametrize(("item", "other_item"), [("sku_id", "price_band"), ("price_band", "sku_id")])
def test_skus_and_bands_are_limited_by_the_same_rule_and_apart(item: str, other_item: str) -> None:
    found = [(row["n"], row["cap_units"], row["floor_units"]) for row in limited(item, other_item)]
    assert found == [(1, 3, 1), (2, 5, None), (3, None, 2), (4, None, None), (5, None, None), (6, None, None)]


def test_a_prefix_names_the_new_columns() -> None:
    assert list(limited("price_band", "sku_id", prefix="band_")[0])[-2:] == ["band_cap_units", "band_floor_units"]
