"""Which attributes of retailers and SKUs a model may see, and the registers with the rest blanked out.

A register is often younger than the orders: who has left it by then has no attributes, so that a missing attribute tells the future.
An attribute is therefore used only where (nearly) every retailer or SKU that ever ordered has it.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from features.catalogue import Feature
from features.indicators import one_or_zero

RETAILER_ATTRIBUTES = (
    Feature("floating_population", "people passing by the shop", "place"),
    Feature("consumption_level", "spending power of the shop's neighbourhood", "place"),
    Feature("area", "area of the shop (urban, rural, …)", "place"),
    Feature("channel", "kind of shop", "place"),
    Feature("tier", "supply tier of the shop", "rationing"),
    Feature("district", "sales district of the shop", "place"),
)

SKU_ATTRIBUTES = (
    Feature("brand", "brand of the SKU", "product"),
    Feature("category", "category of the SKU", "product"),
    Feature("manufacturer", "manufacturer of the SKU", "product"),
    Feature("origin", "local or other", "product"),
    Feature("supply_class", "free, priority or scarce", "rationing"),
    Feature("price_band", "price band of the SKU", "product"),
    Feature("pack_units", "units in a pack", "product"),
    Feature("unit_price", "list price of a unit, money", "product"),
)

ATTRIBUTES = RETAILER_ATTRIBUTES + SKU_ATTRIBUTES
NUMERIC_ATTRIBUTES = ("floating_population", "consumption_level", "pack_units", "unit_price")
CATEGORICAL_ATTRIBUTES = tuple(feature.name for feature in ATTRIBUTES if feature.name not in NUMERIC_ATTRIBUTES)
NO_ATTRIBUTE = ""
"""Stands for an attribute that is not known, so that those without one form a group of their own."""


def attributes_among(names: Sequence[str]) -> tuple[str, ...]:
    """Return those of some columns that are attributes: what a model was trained to see of the registers.

    >>> attributes_among(["mean_13w", "tier"])
    ('tier',)
    """
    return tuple(feature.name for feature in ATTRIBUTES if feature.name in names)


def filled_shares(cells: ir.Table, retailers: ir.Table, skus: ir.Table) -> ir.Table:
    """Return one row with, per attribute, the share of ordering retailers or SKUs that have it (0 to 1)."""
    by_retailer = _filled(cells, retailers, "retailer_id", [feature.name for feature in RETAILER_ATTRIBUTES])
    by_sku = _filled(cells, skus, "sku_id", [feature.name for feature in SKU_ATTRIBUTES])
    return by_retailer.cross_join(by_sku)


def _filled(cells: ir.Table, register: ir.Table, key: str, names: list[str]) -> ir.Table:
    everybody = cells.select(key).distinct()
    known = everybody.left_join(register.select(key, *names), key)
    return known.aggregate(**{name: one_or_zero(known[name].notnull()).mean() for name in names})


def known_retailers(cells: ir.Table, retailers: ir.Table, attributes: Sequence[str]) -> ir.Table:
    """Return every retailer that ordered or is registered, with the attributes that may be seen; the others are blanked out.

    Grouping attributes (tier, district) are never null: unknown is a group of its own.
    """
    return _blanked(
        _everybody(cells, retailers, "retailer_id"), retailers, "retailer_id", RETAILER_ATTRIBUTES, attributes, ("opened_on", "closed_on")
    )


def known_skus(cells: ir.Table, skus: ir.Table, attributes: Sequence[str]) -> ir.Table:
    """Return every SKU that was ordered or is registered, with the attributes that may be seen; the others are blanked out."""
    return _blanked(_everybody(cells, skus, "sku_id"), skus, "sku_id", SKU_ATTRIBUTES, attributes, ("launched_on", "delisted_on"))


def _everybody(cells: ir.Table, register: ir.Table, key: str) -> ir.Table:
    seen = cells.select(cells[key].cast("string").name(key)).distinct()
    listed = register.select(register[key].cast("string").name(key))
    return seen.union(listed, distinct=True)


def _blanked(
    everybody: ir.Table, register: ir.Table, key: str, known: Sequence[Feature], attributes: Sequence[str], dates: Sequence[str]
) -> ir.Table:
    joined = everybody.left_join(register, key)

    def shown(name: str) -> ir.Value:
        numeric = name in NUMERIC_ATTRIBUTES
        if name not in attributes:
            return ibis.null("float64") if numeric else ibis.literal(NO_ATTRIBUTE)
        return joined[name].cast("float64") if numeric else ibis.coalesce(joined[name], NO_ATTRIBUTE)

    return joined.select(key, *(joined[name] for name in dates), **{feature.name: shown(feature.name) for feature in known})
