"""The retailer-SKU-week cell, which every feature and model is made of, and what its censoring means."""

from __future__ import annotations

from contracts.tables import Column, Kind, Table

CELLS = Table(
    "derived",
    "cells",
    (
        Column("retailer_id", Kind.TEXT, "the retailer", required=True),
        Column("sku_id", Kind.TEXT, "the stock-keeping unit", required=True),
        Column("week_start", Kind.DATE, "Monday of the week", required=True),
        Column("delivered_units", Kind.NUMBER, "units the retailer got in the week", required=True),
        Column("amount", Kind.NUMBER, "money of the week's lines; null where a line that delivered something has none"),
        Column("cap_units", Kind.NUMBER, "the cap of the SKU that applied; null is none"),
        Column("floor_units", Kind.NUMBER, "the floor of the SKU that applied; null is none"),
        Column("lower_units", Kind.NUMBER, "least the true demand can be", required=True),
        Column(
            "upper_units",
            Kind.NUMBER,
            "most the true demand can be; at a limit what was asked for, if that was more; null is no bound",
        ),
        Column("censoring", Kind.TEXT, "none, cap, band, floor or stockout", required=True),
    ),
    key=("retailer_id", "sku_id", "week_start"),
    description=(
        "One week of a retailer and a SKU in which something happened: an order, or, between the pair's first order and the"
        " newest week, a week in which nothing could be ordered. A week that is not here is a true zero."
    ),
)

RECOVERED = Table(
    "derived",
    "recovered",
    (
        Column("as_of", Kind.DATE, "last day that was known to the estimate", required=True),
        Column("retailer_id", Kind.TEXT, "the retailer", required=True),
        Column("sku_id", Kind.TEXT, "the stock-keeping unit", required=True),
        Column("week_start", Kind.DATE, "Monday of the week", required=True),
        Column("true_units", Kind.NUMBER, "expected true demand given what was seen, units", required=True),
    ),
    key=("as_of", "retailer_id", "sku_id", "week_start"),
    description="Recovered demand of the cells that a cap, a band cap or a floor censored, as of each cut-off.",
)
