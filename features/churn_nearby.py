"""How many of the shops near a retailer have fallen silent, as of a cut-off?"""

from __future__ import annotations

import ibis

from features.catalogue import Feature
from features.indicators import one_or_zero

SQUARE_DEGREES = 0.01
"""Side of a square of the map: 1.1 km from south to north. Near is in the same square or one that touches it."""

FEWEST_NEIGHBOURS = 5
"""A share of fewer shops says nothing."""

COMPLETE = 0.98
"""Share of the retailers that ordered whose coordinates must be known: a register younger than the orders lacks those who left."""

NEARBY_FEATURES = (
    Feature("nearby_silent_share", "share of the shops within 1 to 2 km active a quarter ago and silent for over 8 weeks now", "district"),
)


def nearby(activity: ibis.Table, weeks: ibis.Table, retailers: ibis.Table) -> ibis.Table:
    """Return how the shops near each retailer fare: retailer_id and NEARBY_FEATURES; nothing where coordinates are incomplete.

    Counted by squares of a grid and joined by their numbers, so that no pair of shops is compared with another.

    Parameters
    ----------
    activity
        Result of `churn_district.quarters_activity`.
    weeks
        Result of `churn_history.retailer_weeks`, for who must have coordinates.
    retailers
        The register.
    """
    places = _squares(weeks, retailers)
    shops = activity.inner_join(places, "retailer_id")
    then = shops.orders_then > 0
    squares = shops.group_by("north", "east").aggregate(
        then=shops.count(where=then), silent=shops.count(where=then & (shops.orders_now == 0))
    )
    around = squares.select(near_north="north", near_east="east", then="then", silent="silent")
    touching = places.inner_join(
        around,
        [
            around.near_north >= places.north - 1,
            around.near_north <= places.north + 1,
            around.near_east >= places.east - 1,
            around.near_east <= places.east + 1,
        ],
    )
    sums = touching.group_by("retailer_id").aggregate(then=touching.then.sum(), silent=touching.silent.sum())
    sums = sums.filter(sums.then >= FEWEST_NEIGHBOURS)
    return sums.select("retailer_id", nearby_silent_share=sums.silent / sums.then.cast("float64"))


def _squares(weeks: ibis.Table, retailers: ibis.Table) -> ibis.Table:
    """The square of the map of each retailer that ordered; no row where coordinates are incomplete."""
    register = retailers.select("retailer_id", "latitude", "longitude")
    everybody = weeks.select("retailer_id").distinct().left_join(register, "retailer_id").drop("retailer_id_right")
    known = everybody.latitude.notnull() & everybody.longitude.notnull()
    everybody = everybody.mutate(known=known, known_share=one_or_zero(known).mean().over())
    located = everybody.filter(everybody.known, everybody.known_share >= COMPLETE)
    return located.select(
        "retailer_id",
        north=(located.latitude / SQUARE_DEGREES).floor().cast("int64"),
        east=(located.longitude / SQUARE_DEGREES).floor().cast("int64"),
    )
