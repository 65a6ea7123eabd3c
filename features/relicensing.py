"""Which retailer numbers are an older shop under a new licence?

Two kinds of evidence: the register names the successor, or another number places its first order at the same coordinates or address
within SUCCESSOR_EARLIEST_WEEKS … SUCCESSOR_LATEST_WEEKS of the last order of one that has fallen silent. A place is no evidence where a
third retailer traded there all the while (two shops at one address, a mall), or where more than PLACE_MOST_RETAILERS are registered (a
town's centre given as everybody's coordinates): which of them took over cannot be told.
"""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from contracts.churn_targets import (
    ADDRESS_FARTHEST_DEGREES,
    PLACE_DECIMALS,
    PLACE_MOST_RETAILERS,
    SUCCESSOR_EARLIEST_WEEKS,
    SUCCESSOR_LATEST_WEEKS,
    SUCCESSOR_SILENT_WEEKS,
)
from features.windows import days_later

TO_SUNDAY = 6
"""Days from the Monday that names a week to its end."""


def successions(spans: ir.Table, retailers: ir.Table, last_known_week: date) -> ir.Table:
    """Return the retailers that another licence has replaced, as far as it is evident.

    Parameters
    ----------
    spans
        First and last week with an order per retailer, of the weeks up to ``last_known_week``: retailer_id, first_order, last_order.
    retailers
        The register; may be empty, coordinates and addresses may be null.
    last_known_week
        Monday of the newest week that may be known.

    Returns
    -------
    ibis.Table
        One row per replaced retailer: retailer_id, successor_id, taken_over_week (Monday: of the successor's first order or the
        predecessor's last, whichever is later), evident_from (Sunday from which it was known), named (whether the register says so).
    """
    pairs = _nullable(_named(retailers)).union(_nullable(_at_one_place(spans, retailers)), distinct=False)
    dated = _dated(pairs, spans)
    days = dated.began.delta(dated.last_order, unit="day")
    silent = dated.last_order <= last_known_week - timedelta(weeks=SUCCESSOR_SILENT_WEEKS)
    no_neighbour = days >= 7 * SUCCESSOR_EARLIEST_WEEKS
    in_time = no_neighbour & (days <= 7 * SUCCESSOR_LATEST_WEEKS) & (dated.first_order < dated.began)
    evident = dated.filter(ibis.ifelse(dated.named, no_neighbour | silent, in_time & silent))
    over = ibis.greatest(evident.began, evident.last_order)
    # a named successor that began with the last orders is evident at once, any other once the older licence is silent
    at_once = evident.named & (evident.began.delta(evident.last_order, unit="day") >= 7 * SUCCESSOR_EARLIEST_WEEKS)
    seen_silent = days_later(evident.last_order, TO_SUNDAY + 7 * SUCCESSOR_SILENT_WEEKS)
    begun = days_later(over, TO_SUNDAY)
    rows = evident.select(
        "retailer_id",
        "successor_id",
        "named",
        "last_order",
        taken_over_week=over,
        evident_from=ibis.ifelse(at_once, begun, ibis.greatest(begun, seen_silent)),
    )
    return _one_to_one(rows.filter(rows.evident_from <= last_known_week + timedelta(days=TO_SUNDAY)))


def neighbours(retailers: ir.Table) -> ir.Table:
    """Return who is registered at the same place: retailer_id and neighbour_id, both ways round.

    The same place is: the same coordinates to PLACE_DECIMALS, or the same address (spaces and capitals aside) unless district or
    coordinates say that it is a street of that name elsewhere.
    """
    scale = 10.0**PLACE_DECIMALS
    spot = (
        (retailers.latitude * scale).round().cast("int64").cast("string")
        + ","
        + (retailers.longitude * scale).round().cast("int64").cast("string")
    )
    located = retailers.select("retailer_id", "latitude", "longitude", "district", place=spot)
    address = retailers.address.strip().lower().nullif("")
    addressed = retailers.select("retailer_id", "latitude", "longitude", "district", place=address)
    return _nullable(_pairs(located)).union(_nullable(_pairs(addressed)), distinct=True)


def _pairs(placed: ir.Table) -> ir.Table:
    """Both orders of every two retailers of one place, crowded places left aside."""
    placed = placed.filter(placed.place.notnull())
    placed = placed.mutate(crowd=placed.count().over(group_by=placed.place))
    placed = placed.filter(placed.crowd.between(2, PLACE_MOST_RETAILERS))
    other = placed.select(neighbour_id="retailer_id", place="place", north="latitude", east="longitude", their_district="district")
    joined = placed.inner_join(other, "place")
    near = (joined.latitude - joined.north).abs() <= ADDRESS_FARTHEST_DEGREES
    near = near & ((joined.longitude - joined.east).abs() <= ADDRESS_FARTHEST_DEGREES)
    same_town = ibis.coalesce(near, True) & ibis.coalesce(joined.district == joined.their_district, True)
    return joined.filter(joined.retailer_id != joined.neighbour_id, same_town).select("retailer_id", "neighbour_id")


def _named(retailers: ir.Table) -> ir.Table:
    known = retailers.filter(retailers.successor_id.notnull(), retailers.successor_id != retailers.retailer_id)
    return known.select("retailer_id", "successor_id", named=ibis.literal(True))


def _at_one_place(spans: ir.Table, retailers: ir.Table) -> ir.Table:
    """Retailer and possible successor at one place without a third that ordered before, between and after the two."""
    around = neighbours(retailers)
    pairs = _dated(around.select("retailer_id", successor_id="neighbour_id"), spans)
    near = pairs.began.delta(pairs.last_order, unit="day").between(7 * SUCCESSOR_EARLIEST_WEEKS, 7 * SUCCESSOR_LATEST_WEEKS)
    pairs = pairs.filter(near, pairs.first_order < pairs.began)
    third = spans.select(neighbour_id="retailer_id", opened="first_order", closed="last_order")
    trios = pairs.inner_join(around, "retailer_id").inner_join(third, "neighbour_id")
    all_the_while = (trios.opened <= ibis.least(trios.last_order, trios.began)) & (
        trios.closed >= ibis.greatest(trios.last_order, trios.began)
    )
    shared = trios.filter(trios.neighbour_id != trios.successor_id, all_the_while).select("retailer_id", "successor_id").distinct()
    return pairs.anti_join(shared, ["retailer_id", "successor_id"]).select("retailer_id", "successor_id", named=ibis.literal(False))


def _dated(pairs: ir.Table, spans: ir.Table) -> ir.Table:
    """The pairs of which both have ordered, with the predecessor's first and last order and the week in which the successor began."""
    successors = spans.select(successor_id="retailer_id", began="first_order")
    joined = pairs.inner_join(spans, "retailer_id")
    return joined.inner_join(successors, "successor_id").select(*pairs.columns, "first_order", "last_order", "began")


def _one_to_one(rows: ir.Table) -> ir.Table:
    """Of several successors the one named, then the first; at a place, a successor replaces only the one that stopped last."""
    best = ibis.row_number().over(group_by=[rows.successor_id, rows.named], order_by=[rows.last_order.desc(), rows.retailer_id])
    rows = rows.mutate(place_in_line=best)
    rows = rows.filter(rows.named | (rows.place_in_line == 0))
    first = ibis.row_number().over(group_by=rows.retailer_id, order_by=[rows.named.desc(), rows.taken_over_week, rows.successor_id])
    rows = rows.mutate(choice=first)
    return rows.filter(rows.choice == 0).select("retailer_id", "successor_id", "taken_over_week", "evident_from", "named")


def _nullable(rows: ir.Table) -> ir.Table:
    """Forget which columns are never null: ibis unites only tables that agree on it."""
    return rows.cast({name: kind.copy(nullable=True) for name, kind in rows.schema().items()})
