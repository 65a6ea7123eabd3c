"""What do the shops with a scanner sell on, and what is left on their shelves?"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from contracts.raw import SELL_THROUGH
from demo.assortment import Pairs
from demo.licences import Licences, sku_ids
from demo.products import Products
from demo.rationing import Delivered
from demo.shops import Shops
from demo.timeline import Timeline


def sell_through_table(
    rng: np.random.Generator,
    delivered: Delivered,
    shops: Shops,
    products: Products,
    pairs: Pairs,
    licences: Licences,
    weeks: Timeline,
) -> pa.Table:
    """Return ``raw.sell_through``: weeks of the history from a pair's first delivery to its shop's last.

    Consumers take each week a Poisson share of what the shop would like to have sold, which is its true demand smoothed over
    nine weeks, and no more than lies on the shelf; a shelf cannot be short of units that were never delivered.
    """
    scanned = np.flatnonzero(shops.has_scanner[pairs.shop])
    position = np.full(pairs.n, -1)
    position[scanned] = np.arange(len(scanned))
    rows = np.flatnonzero((position[delivered.wanted.pair] >= 0) & (delivered.wanted.week < weeks.n_weeks))
    at, week = position[delivered.wanted.pair[rows]], delivered.wanted.week[rows]
    wanted, arrived = (np.zeros((len(scanned), weeks.n_weeks)) for _ in range(2))
    wanted[at, week], arrived[at, week] = delivered.wanted.units[rows], delivered.units[rows]
    sold, stock = _shelf(rng.poisson(_smooth(wanted)), arrived)
    by_shop = np.zeros((shops.n, weeks.n_weeks))
    np.add.at(by_shop, pairs.shop[scanned], arrived)
    ordering = _until_last(by_shop > 0)[pairs.shop[scanned]]
    held, week = np.nonzero((arrived.cumsum(1) > 0) & ordering)
    shop, sku = pairs.shop[scanned[held]], pairs.sku[scanned[held]]
    licence = licences.of(shop, week)
    columns = {
        "retailer_id": licences.ids.take(pa.array(licence)),
        "sku_id": sku_ids(products).take(pa.array(sku)),
        "week_start": pa.array(weeks.starts[week]),
        "sold_units": pa.array(sold[held, week]),
        "stock_units": pa.array(stock[held, week]),
    }
    return pa.table(columns, schema=SELL_THROUGH.arrow_schema)


def _smooth(units: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centred mean over nine weeks, zero outside."""
    padded = np.pad(units, ((0, 0), (5, 4))).cumsum(1)
    return np.asarray((padded[:, 9:] - padded[:, :-9]) / 9)


def _shelf(asked: NDArray[np.int64], arrived: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    sold, stock = np.zeros(arrived.shape), np.zeros(arrived.shape)
    left = np.zeros(len(arrived))
    for week in range(arrived.shape[1]):
        left = left + arrived[:, week]
        sold[:, week] = np.minimum(asked[:, week], left)
        left = left - sold[:, week]
        stock[:, week] = left
    return sold, stock


def _until_last(ordered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the weeks up to the last one with an order."""
    return ordered[:, ::-1].cumsum(1)[:, ::-1] > 0
