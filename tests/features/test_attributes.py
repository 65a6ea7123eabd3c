"""Attributes that a model may see: how well they are filled, and the registers with the rest blanked out."""

from __future__ import annotations

from datetime import date

import pytest

from features.attributes import ATTRIBUTES, CATEGORICAL_ATTRIBUTES, NUMERIC_ATTRIBUTES, filled_shares, known_retailers, known_skus
from tests.cell_rows import cell
from tests.statements import Statement


def test_the_share_counts_those_who_ordered_and_not_those_who_are_listed() -> None:
    cells = [cell("A", "S", 0, 1), cell("A", "S", 1, 1), cell("B", "S", 0, 1), cell("C", "S", 0, 1), cell("D", "T", 0, 1)]
    register = [{"retailer_id": "A", "tier": "T1", "area": ""}, {"retailer_id": "B", "tier": "T1"}, {"retailer_id": "C", "tier": None}]
    register += [{"retailer_id": f"never ordered {n}", "tier": "T1", "area": "rural"} for n in range(9)]
    statement = Statement(filled_shares, "demand_cells", "retailers", "skus")
    [shares] = statement.rows(demand_cells=cells, retailers=register, skus=[{"sku_id": "S", "pack_units": 6.0}])
    assert set(shares) == {feature.name for feature in ATTRIBUTES}
    assert (shares["tier"], shares["area"], shares["district"], shares["pack_units"], shares["brand"]) == (0.5, 0.25, 0, 0.5, 0)


def test_without_orders_no_share_is_known() -> None:
    [shares] = Statement(filled_shares, "demand_cells", "retailers", "skus").rows()
    assert set(shares.values()) == {None}


def test_everybody_who_ordered_or_is_listed_is_known_once() -> None:
    statement = Statement(lambda cells, retailers: known_retailers(cells, retailers, ["tier"]), "demand_cells", "retailers")
    cells = [cell("ordered", "S", 0, 1), cell("ordered", "S", 1, 1), cell("both", "S", 0, 1)]
    found = statement.rows(demand_cells=cells, retailers=[{"retailer_id": "both", "tier": "T1"}, {"retailer_id": "listed"}])
    assert [(row["retailer_id"], row["tier"]) for row in found] == [("both", "T1"), ("listed", ""), ("ordered", "")]


def test_what_may_not_be_seen_is_blank_and_the_dates_stay() -> None:
    row = {"retailer_id": "R", "tier": "T1", "district": "north", "floating_population": 70.0, "consumption_level": 2.0}
    row |= {"opened_on": date(2019, 1, 1), "closed_on": date(2019, 9, 1)}
    statement = Statement(
        lambda cells, register: known_retailers(cells, register, ["tier", "consumption_level"]), "demand_cells", "retailers"
    )
    [known] = statement.rows(retailers=[row])
    assert known == {
        "retailer_id": "R",
        "opened_on": date(2019, 1, 1),
        "closed_on": date(2019, 9, 1),
        "tier": "T1",
        "consumption_level": 2,
        "floating_population": None,
        "district": "",
        "area": "",
        "channel": "",
    }


def test_skus_are_shown_by_the_same_rule() -> None:
    statement = Statement(lambda cells, skus: known_skus(cells, skus, ["brand", "pack_units"]), "demand_cells", "skus")
    skus = [{"sku_id": "S", "brand": "B", "pack_units": 6.0, "unit_price": 9.0, "category": "gin", "launched_on": date(2019, 1, 1)}]
    listed, ordered = statement.rows(demand_cells=[cell("R", "T", 0, 1)], skus=skus)
    assert (listed["brand"], listed["pack_units"], listed["unit_price"], listed["category"]) == ("B", 6, None, "")
    assert (listed["launched_on"], listed["delisted_on"]) == (date(2019, 1, 1), None)
    assert (ordered["sku_id"], ordered["brand"], ordered["pack_units"], ordered["launched_on"]) == ("T", "", None, None)


@pytest.mark.parametrize("name", [feature.name for feature in ATTRIBUTES])
def test_every_attribute_is_a_number_or_a_text(name: str) -> None:
    assert (name in NUMERIC_ATTRIBUTES) != (name in CATEGORICAL_ATTRIBUTES)
