"""What limits, supply and the register say of a SKU in a week: capped, out of stock, or shut to everybody."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from features.data_check_limits import sku_states
from tests.statements import Rows, Statement

MONDAY = date(2024, 9, 23)
SHOPS = [{"retailer_id": f"R{n}", "tier": tier} for n, tier in enumerate(("A", "A", "B", None))]


@pytest.fixture(scope="module")
def states() -> Statement:
    return Statement(lambda *tables: sku_states(*tables, week=MONDAY), "allocation_limits", "supply", "skus", "retailers")


def cap(units: float | None, **scope: Any) -> dict[str, Any]:
    return {"week_start": MONDAY, "sku_id": "S1", "cap_units": units, **scope}


def found(states: Statement, limits: Rows, retailers: Rows = SHOPS, **others: Rows) -> list[str]:
    return sorted(row["state"] for row in states.rows(allocation_limits=limits, retailers=retailers, **others))


def test_a_cap_of_0_shuts_a_sku_for_those_it_is_for(states: Statement) -> None:
    assert found(states, [cap(0.0)]) == ["shut"]
    assert found(states, [cap(0.0, tier="A")]) == []
    assert found(states, [cap(0.0, retailer_id="R0")]) == []
    assert found(states, [cap(0.0, tier="A"), cap(0.0, tier="B")]) == ["shut"]


def test_who_has_a_limit_of_its_own_may_order_what_is_shut_to_others(states: Statement) -> None:
    assert found(states, [cap(0.0), cap(3.0, tier="A")]) == ["capped"]
    assert found(states, [cap(0.0), cap(None, tier="A")]) == []


def test_a_tier_of_which_nobody_is_known_shuts_nothing(states: Statement) -> None:
    assert found(states, [cap(0.0, tier="A")], retailers=[]) == []


def test_stock_outs_and_skus_off_the_market_are_listed(states: Statement) -> None:
    out = [{"week_start": MONDAY, "sku_id": "S1", "available_units": 0.0}]
    assert found(states, [cap(5.0)], supply=out, skus=[{"sku_id": "S2", "delisted_on": MONDAY}]) == ["capped", "out", "shut"]
