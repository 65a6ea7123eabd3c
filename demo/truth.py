"""What nobody in the county knows: the true demand of every week, who stops ordering, and why."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from demo.assortment import Pairs
from demo.departures import CAUSES, RELICENSED, Departures
from demo.licences import Licences, sku_ids
from demo.products import NEVER, Products
from demo.rationing import Delivered
from demo.timeline import Timeline


def weekly_demand_table(delivered: Delivered, products: Products, pairs: Pairs, licences: Licences, weeks: Timeline) -> pa.Table:
    """Return the true demand of the history and of the eight weeks after it.

    Returns
    -------
    pa.Table
        retailer_id, sku_id, week_start, demand_units; a pair-week that is not in it had none. Weeks with a floor that was
        pushed on a shop without demand are in it, with 0.
    """
    rows = delivered.wanted.week < weeks.n_told
    pair, week = delivered.wanted.pair[rows], delivered.wanted.week[rows]
    return pa.table(
        {
            "retailer_id": licences.ids.take(pa.array(licences.of(pairs.shop[pair], week))),
            "sku_id": sku_ids(products).take(pa.array(pairs.sku[pair])),
            "week_start": pa.array(weeks.starts[week]),
            "demand_units": pa.array(delivered.wanted.units[rows].astype(float)),
        }
    )


def churn_table(delivered: Delivered, pairs: Pairs, departures: Departures, licences: Licences, weeks: Timeline) -> pa.Table:
    """Return when and why each licence stopped ordering, within the history and the 26 weeks after it.

    Returns
    -------
    pa.Table
        retailer_id; last_order_week, Monday of the last week with a delivery, null if there was none;
        stopped_on, the Sunday after which it wants nothing, null if it goes on; cause, null if it goes on; fading_weeks,
        the weeks before the stop over which its orders shrank, 0 if they did not, null if it goes on or was relicensed.
    """
    got = delivered.units > 0
    licence = licences.of(pairs.shop[delivered.wanted.pair[got]], delivered.wanted.week[got])
    last = np.full(len(licences.shop), -1)
    np.maximum.at(last, licence, delivered.wanted.week[got])
    first_of_two = np.zeros(len(licences.shop), dtype=bool)
    first_of_two[: len(licences.successor)] = licences.successor >= 0
    cause = np.where(first_of_two, RELICENSED, departures.cause[licences.shop])
    goes_on = licences.end == NEVER
    stopped_on = weeks.starts[np.minimum(licences.end, weeks.n_all - 1)] - 1
    never = np.datetime64("NaT", "D")
    return pa.table(
        {
            "retailer_id": licences.ids,
            "last_order_week": pa.array(np.where(last >= 0, weeks.starts[np.maximum(last, 0)], never)),
            "stopped_on": pa.array(np.where(goes_on, never, stopped_on)),
            "cause": pa.array(CAUSES).take(pa.array(cause, mask=goes_on)),
            "fading_weeks": pa.array(np.where(departures.depth > 0, departures.lead, 0)[licences.shop], mask=goes_on | first_of_two),
        }
    )
