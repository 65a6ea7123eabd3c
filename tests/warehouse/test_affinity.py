"""Pairs of SKUs have the support, confidence and lift that a count of all pairs of every basket gives."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hand_made import put, read
from warehouse.analyses.affinity import ORDER_SUPPORT, RANGE_SUPPORT
from warehouse.session import Warehouse

MONDAY = date(2019, 9, 23)
CELLS = """
retailer_id, sku_id, week_start, delivered_units
R1,          A,      2019-09-23, 1
R1,          B,      2019-09-23, 1
R1,          A,      2019-09-16, 1
R2,          A,      2019-09-23, 1
R2,          B,      2019-09-23, 1
R2,          C,      2019-09-23, 0
R3,          C,      2019-09-23, 1
R3,          A,      2019-06-24, 1
"""


def test_four_order_weeks_worked_out_by_hand(con: Warehouse) -> None:
    put(con, "derived.cells", CELLS)
    orders = read(con, "SELECT * FROM analysis.affinity_orders ORDER BY sku_id, with_sku_id")
    # 4 order weeks of the last 13; A in 3, B in 2, both in 2
    assert [tuple(row.values()) for row in orders] == [
        ("A", "B", 2, 0.5, pytest.approx(2 / 3), pytest.approx(4 / 3)),
        ("B", "A", 2, 0.5, 1.0, pytest.approx(4 / 3)),
    ]
    # 3 ranges of 26 weeks: A and B, A and B, A and C
    ranges = read(con, "SELECT * FROM analysis.affinity_ranges WHERE sku_id = 'C'")
    assert [tuple(row.values()) for row in ranges] == [("C", "A", 1, pytest.approx(1 / 3), 1.0, 1.0)]


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.tuples(st.integers(0, 8), st.integers(0, 5), st.integers(0, 30)), max_size=120))
def test_every_pair_is_counted_as_a_plain_loop_counts_it(con: Warehouse, bought: set[tuple[int, int, int]]) -> None:
    con.execute("DELETE FROM derived.cells")
    lines = [f"R{retailer},S{sku},{MONDAY - timedelta(weeks=ago)},1" for retailer, sku, ago in bought]
    if lines:
        put(con, "derived.cells", "\n".join(["retailer_id,sku_id,week_start,delivered_units", *lines]))
    newest = min((ago for *_, ago in bought), default=0)
    recent = {"orders": [r for r in bought if r[2] < newest + 13], "ranges": [r for r in bought if r[2] < newest + 26]}
    for view, least in (("orders", ORDER_SUPPORT), ("ranges", RANGE_SUPPORT)):
        baskets: dict[tuple[int, ...], set[str]] = {}
        for retailer, sku, ago in recent[view]:
            baskets.setdefault((retailer, ago) if view == "orders" else (retailer,), set()).add(f"S{sku}")
        singles = Counter(sku for basket in baskets.values() for sku in basket)
        pairs = Counter(pair for basket in baskets.values() for pair in permutations(sorted(basket), 2))
        expected = {
            pair: (count, count / len(baskets), count / singles[pair[0]], count * len(baskets) / (singles[pair[0]] * singles[pair[1]]))
            for pair, count in pairs.items()
            if count >= least * len(baskets)
        }
        found = {
            (row.pop("sku_id"), row.pop("with_sku_id")): tuple(row.values()) for row in read(con, f"SELECT * FROM analysis.affinity_{view}")
        }
        assert found.keys() == expected.keys()
        assert all(found[pair] == pytest.approx(expected[pair]) for pair in expected)
