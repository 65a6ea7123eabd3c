"""The input tables (schema ``raw``): what a wholesaler hands over."""

from __future__ import annotations

from contracts.data_checks import QUARANTINE_DECISIONS
from contracts.tables import Column, Kind, Reference, Table

INTERACTION_KINDS = ("visit", "call", "complaint", "return", "survey")
SUPPLY_CLASSES = ("free", "priority", "scarce")
ORIGINS = ("local", "other")
OVERRIDDEN = ("value_class", "suggested_tier")

RETAILER_ID = Column("retailer_id", Kind.TEXT, "the retailer", required=True)
SKU_ID = Column("sku_id", Kind.TEXT, "the stock-keeping unit", required=True)
WEEK_START = Column("week_start", Kind.DATE, "Monday of the week", required=True, monday=True)

ORDER_LINES = Table(
    "raw",
    "order_lines",
    (
        Column("line_id", Kind.TEXT, "the order line", required=True),
        RETAILER_ID,
        SKU_ID,
        Column("ordered_on", Kind.DATE, "day of the order", required=True),
        Column("delivered_units", Kind.NUMBER, "units the retailer got", required=True, minimum=0),
        Column("requested_units", Kind.NUMBER, "units the retailer asked for", minimum=0),
        Column("amount", Kind.NUMBER, "money of the line"),
    ),
    key=("line_id",),
    description="One line of an order: a retailer, a SKU, a day.",
    references=(Reference("retailer_id", "retailers"), Reference("sku_id", "skus")),
    amendable=False,
)

RETAILERS = Table(
    "raw",
    "retailers",
    (
        RETAILER_ID,
        Column("name", Kind.TEXT, "name of the shop"),
        Column("opened_on", Kind.DATE, "first day of the licence"),
        Column("closed_on", Kind.DATE, "last day of the licence"),
        Column("successor_id", Kind.TEXT, "the licence that replaced it at the same shop"),
        Column("district", Kind.TEXT, "sales district"),
        Column("area", Kind.TEXT, "urban, rural, …"),
        Column("channel", Kind.TEXT, "kind of shop"),
        Column("tier", Kind.TEXT, "supply tier"),
        Column("latitude", Kind.NUMBER, "degrees north", minimum=-90, maximum=90),
        Column("longitude", Kind.NUMBER, "degrees east", minimum=-180, maximum=180),
        Column("floating_population", Kind.NUMBER, "people passing by", minimum=0),
        Column("consumption_level", Kind.NUMBER, "spending power of the neighbourhood", minimum=0),
        Column("address", Kind.TEXT, "street address: a new licence at the same one is the same shop"),
        Column("account_manager", Kind.TEXT, "who looks after it"),
    ),
    key=("retailer_id",),
    description="One licensed retailer.",
)

SKUS = Table(
    "raw",
    "skus",
    (
        SKU_ID,
        Column("name", Kind.TEXT, "name of the product"),
        Column("brand", Kind.TEXT, "brand"),
        Column("category", Kind.TEXT, "kind of product"),
        Column("manufacturer", Kind.TEXT, "who makes it"),
        Column("origin", Kind.TEXT, "local or other", choices=ORIGINS),
        Column("supply_class", Kind.TEXT, "free, priority or scarce", choices=SUPPLY_CLASSES),
        Column("price_band", Kind.TEXT, "price band that may share a cap"),
        Column("pack_units", Kind.NUMBER, "units in a pack", minimum=0),
        Column("unit_cost", Kind.NUMBER, "what a unit costs the wholesaler", minimum=0),
        Column("unit_price", Kind.NUMBER, "what a unit costs the retailer", minimum=0),
        Column("launched_on", Kind.DATE, "first day on sale"),
        Column("delisted_on", Kind.DATE, "last day on sale"),
    ),
    key=("sku_id",),
    description="One product as it is ordered.",
)

ALLOCATION_LIMITS = Table(
    "raw",
    "allocation_limits",
    (
        WEEK_START,
        Column("sku_id", Kind.TEXT, "the SKU limited, or null for a band"),
        Column("price_band", Kind.TEXT, "the price band limited, or null for a SKU"),
        Column("retailer_id", Kind.TEXT, "the retailer limited, or null"),
        Column("tier", Kind.TEXT, "the supply tier limited, or null"),
        Column("cap_units", Kind.NUMBER, "most units of the week; null is no cap", minimum=0),
        Column("floor_units", Kind.NUMBER, "least units of the week; null is no floor", minimum=0),
    ),
    key=("week_start", "sku_id", "price_band", "retailer_id", "tier"),
    description="The cap or floor of a SKU or price band in a week, for a retailer, a tier, or (neither) everybody.",
    references=(Reference("retailer_id", "retailers"), Reference("sku_id", "skus")),
    mergeable=("cap_units", "floor_units"),
)

SUPPLY = Table(
    "raw",
    "supply",
    (
        WEEK_START,
        SKU_ID,
        Column("available_units", Kind.NUMBER, "units the wholesaler had; 0 is a stock-out", required=True, minimum=0),
    ),
    key=("week_start", "sku_id"),
    description="What the wholesaler had of a SKU in a week.",
    references=(Reference("sku_id", "skus"),),
)

INTERACTIONS = Table(
    "raw",
    "interactions",
    (
        Column("interaction_id", Kind.TEXT, "the contact", required=True),
        RETAILER_ID,
        Column("occurred_on", Kind.DATE, "day of the contact", required=True),
        Column("kind", Kind.TEXT, "kind of contact", required=True, choices=INTERACTION_KINDS),
        Column("score", Kind.NUMBER, "survey score or severity, 0 to 100", minimum=0, maximum=100),
        Column("resolved_on", Kind.DATE, "day a complaint was settled"),
    ),
    key=("interaction_id",),
    description="One contact with a retailer.",
    references=(Reference("retailer_id", "retailers"),),
)

SELL_THROUGH = Table(
    "raw",
    "sell_through",
    (
        RETAILER_ID,
        SKU_ID,
        WEEK_START,
        Column("sold_units", Kind.NUMBER, "units the retailer sold on", required=True, minimum=0),
        Column("stock_units", Kind.NUMBER, "units on its shelf at the end of the week", minimum=0),
    ),
    key=("retailer_id", "sku_id", "week_start"),
    description="What a retailer sold of a SKU in a week.",
    references=(Reference("retailer_id", "retailers"), Reference("sku_id", "skus")),
)

EVENTS = Table(
    "raw",
    "events",
    (
        Column("event_date", Kind.DATE, "day of the event", required=True),
        Column("name", Kind.TEXT, "what happens; with “compet” in it, a competitor opens", required=True),
        Column("district", Kind.TEXT, "where; null is everywhere"),
    ),
    key=("event_date", "name"),
    description="A day that moves demand and is in no public calendar.",
)

SEGMENT_OVERRIDES = Table(
    "raw",
    "segment_overrides",
    (
        Column("override_id", Kind.TEXT, "the override", required=True),
        RETAILER_ID,
        Column("attribute", Kind.TEXT, "what is overridden", required=True, choices=OVERRIDDEN),
        Column("value", Kind.TEXT, "the value class or tier it gets instead", required=True),
        Column("reason", Kind.TEXT, "why", required=True),
        Column("proposed_by", Kind.TEXT, "user that proposed it", required=True),
        Column("proposed_on", Kind.DATE, "day it was proposed", required=True),
        Column("approved_by", Kind.TEXT, "another user, that approved it; null while it waits"),
        Column("approved_on", Kind.DATE, "day it was approved; null while it waits"),
        Column("expires_on", Kind.DATE, "last day it holds", required=True),
    ),
    key=("override_id",),
    description="A value class or supply tier that a person sets against the computed one, until a day.",
    references=(Reference("retailer_id", "retailers"),),
)

RAW_TABLES = (
    RETAILERS,
    SKUS,
    ORDER_LINES,
    ALLOCATION_LIMITS,
    SUPPLY,
    INTERACTIONS,
    SELL_THROUGH,
    EVENTS,
    SEGMENT_OVERRIDES,
    QUARANTINE_DECISIONS,
)
"""All input tables, those that others refer to first."""
