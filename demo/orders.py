"""What do the wholesaler's own books say: order lines, limits, and supply?"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from contracts.raw import ALLOCATION_LIMITS, ORDER_LINES, SUPPLY
from demo.assortment import Pairs
from demo.hoarding import asked_units
from demo.licences import Licences, sku_ids
from demo.products import PRICE_BANDS, Products
from demo.quotas import Quotas
from demo.rationing import Delivered
from demo.shops import TIERS, Shops
from demo.timeline import Timeline

SPLIT_SHARE = 0.04
"""Share of orders of two units and more that come as two lines on two days of the week."""


def order_lines_table(
    rng: np.random.Generator, delivered: Delivered, shops: Shops, products: Products, pairs: Pairs, licences: Licences, weeks: Timeline
) -> pa.Table:
    """Return ``raw.order_lines`` of the history, ordered by day.

    requested_units is the true demand where the shop's requests are recorded (the cap where it hoarded), null elsewhere.
    """
    rows = np.flatnonzero((delivered.units > 0) & (delivered.wanted.week < weeks.n_weeks))
    units = delivered.units[rows]
    day = (shops.order_day[pairs.shop[delivered.wanted.pair[rows]]] + (rng.random(len(rows)) < 0.08)) % 6
    split = np.flatnonzero((units > 1) & ~delivered.at_floor[rows] & (rng.random(len(rows)) < SPLIT_SHARE))
    later = units[split] // 2
    line_row = np.concatenate([rows, rows[split]])
    line_units = np.concatenate([units, later])
    line_units[split] -= later
    asked = asked_units(delivered)[rows]
    requested = np.concatenate([asked, asked[split] - line_units[split]])
    requested[split] = line_units[split]
    # The second line comes on the other half of the week, always later than the first where the first is early.
    line_day = np.concatenate([day, (day[split] + 3) % 6])
    pair, week = delivered.wanted.pair[line_row], delivered.wanted.week[line_row]
    order = np.lexsort((pair, 7 * week + line_day))
    return _lines(pair[order], (7 * week + line_day)[order], line_units[order], requested[order], shops, products, pairs, licences, weeks)


def _lines(
    pair: NDArray[np.int64],
    day: NDArray[np.int64],
    units: NDArray[np.int64],
    requested: NDArray[np.int64],
    shops: Shops,
    products: Products,
    pairs: Pairs,
    licences: Licences,
    weeks: Timeline,
) -> pa.Table:
    shop, sku = pairs.shop[pair], pairs.sku[pair]
    numbers = pa.array(np.arange(len(pair)) + 10_000_001).cast(pa.string())
    columns = {
        "line_id": pc.binary_join_element_wise("L", numbers, ""),
        "retailer_id": licences.ids.take(pa.array(licences.of(shop, day // 7))),
        "sku_id": sku_ids(products).take(pa.array(sku)),
        "ordered_on": pa.array(weeks.starts[0] + day),
        "delivered_units": pa.array(units.astype(float)),
        "requested_units": pa.array(requested.astype(float), mask=~shops.records_requests[shop]),
        "amount": pa.array(np.round(units * products.price[sku], 2)),
    }
    return pa.table(columns, schema=ORDER_LINES.arrow_schema)


def supply_table(
    rng: np.random.Generator, delivered: Delivered, products: Products, pairs: Pairs, quotas: Quotas, weeks: Timeline
) -> pa.Table:
    """Return ``raw.supply``: each SKU on sale in each week of the history; more than was delivered, or 0 in a stock-out."""
    known = delivered.wanted.week < weeks.n_weeks
    cell = pairs.sku[delivered.wanted.pair[known]] * weeks.n_weeks + delivered.wanted.week[known]
    sold = np.bincount(cell, delivered.units[known], products.n * weeks.n_weeks).reshape(products.n, weeks.n_weeks)
    # What is rationed is nearly used up; of what is free, a third lies in stock.
    surplus = np.where(products.supply_class[:, None] > 0, 1.05, 1.30) * rng.uniform(1.0, 1.2, sold.shape)
    available = np.where(quotas.stock_out[:, : weeks.n_weeks], 0, np.ceil(sold * surplus) + 10)
    week = np.arange(weeks.n_weeks)
    first = np.minimum(products.launch, weeks.n_weeks - 1)[:, None]
    at, sku = np.nonzero(((week >= first) & (week < products.delist[:, None])).T)
    columns = {
        "week_start": pa.array(weeks.starts[at]),
        "sku_id": sku_ids(products).take(pa.array(sku)),
        "available_units": pa.array(available[sku, at]),
    }
    return pa.table(columns, schema=SUPPLY.arrow_schema)


def limits_table(products: Products, pairs: Pairs, quotas: Quotas, licences: Licences, weeks: Timeline) -> pa.Table:
    """Return ``raw.allocation_limits`` of the history: for tiers, for everybody, for bands, and for single shops."""
    skus, bands, tiers = sku_ids(products), pa.array(PRICE_BANDS), pa.array(TIERS)
    past = slice(0, weeks.n_weeks)
    sku, tier, week = np.nonzero(~np.isnan(quotas.tier_cap[:, :, past]) | (quotas.floor[:, :, past] > 0))
    cap, floor = quotas.tier_cap[sku, tier, week], quotas.floor[sku, tier, week].astype(float)
    parts = [
        _limits(
            weeks, week, cap, floor=np.where(floor > 0, floor, np.nan), sku_id=skus.take(pa.array(sku)), tier=tiers.take(pa.array(tier))
        )
    ]
    sku, week = np.nonzero(~np.isnan(quotas.everybody_cap[:, past]))
    parts.append(_limits(weeks, week, quotas.everybody_cap[sku, week], sku_id=skus.take(pa.array(sku))))
    band, tier, week = np.nonzero(~np.isnan(quotas.band_cap[:, :, past]))
    caps = quotas.band_cap[band, tier, week]
    parts.append(_limits(weeks, week, caps, price_band=bands.take(pa.array(band)), tier=tiers.take(pa.array(tier))))
    licence = licences.of(pairs.shop[quotas.exception_pair], quotas.exception_week)
    held = (quotas.exception_week >= licences.begin[licence]) & (quotas.exception_week < licences.end[licence])
    rows = np.flatnonzero(held & (quotas.exception_week < weeks.n_weeks))
    sku_id = skus.take(pa.array(pairs.sku[quotas.exception_pair[rows]]))
    retailer_id = licences.ids.take(pa.array(licence[rows]))
    parts.append(_limits(weeks, quotas.exception_week[rows], quotas.exception_cap[rows], sku_id=sku_id, retailer_id=retailer_id))
    return pa.concat_tables(parts)


def _limits(
    weeks: Timeline, week: NDArray[np.int64], cap: NDArray[np.float64], floor: NDArray[np.float64] | None = None, **names: pa.Array
) -> pa.Table:
    nothing = {name: pa.nulls(len(week), pa.string()) for name in ("sku_id", "price_band", "retailer_id", "tier")}
    columns = {
        "week_start": pa.array(weeks.starts[week]),
        **nothing,
        **names,
        "cap_units": pa.array(cap, from_pandas=True),
        "floor_units": pa.nulls(len(week), pa.float64()) if floor is None else pa.array(floor, from_pandas=True),
    }
    return pa.table(columns, schema=ALLOCATION_LIMITS.arrow_schema)
