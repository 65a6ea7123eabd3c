"""How suggestions of further SKUs become rows of the scored table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd
import pyarrow as pa

from contracts.cells import CELLS
from contracts.customers import CROSS_SELL
from contracts.raw import ALLOCATION_LIMITS, RETAILERS, SKUS, SUPPLY
from contracts.weeks import require_sunday
from features.basket_pairs import CARRIED_WEEKS, carried_pairs, shut_pairs, withdrawn_skus
from flows.deriving import usable_attributes
from flows.settings import Settings
from models.cross_sell import CrossSellSettings, suggest
from models.retailer_ranges import Ranges, build_ranges
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

KINDS = ("tier", "channel", "area")
"""Attributes that make the kind of a shop."""


def cross_sell_rows(con: Warehouse, settings: Settings, as_of: date, forecasts: pd.DataFrame, run_id: str) -> pa.Table:
    """Suggest SKUs to every active retailer as of a Sunday.

    Parameters
    ----------
    con
        The warehouse; ``derived.cells`` must be built.
    settings
        Section ``cross_sell`` counts.
    as_of
        The Sunday that ends the last known week.
    forecasts
        One row per pair: ``retailer_id``, ``sku_id``, ``mean_units`` (units a week). For a pair that is not in it, the mean of what it
        got in 26 weeks counts.
    run_id
        The run that writes the rows.

    Returns
    -------
    pyarrow.Table
        Rows of ``scored.cross_sell``.
    """
    section = settings.cross_sell
    ranges = fetch_ranges(con, settings, require_sunday(as_of), forecasts)
    suggested = suggest(ranges, CrossSellSettings(section.skus_per_retailer, section.peers, section.prior_peers))
    rows = suggested.assign(as_of=as_of, run_id=run_id).reindex(columns=list(CROSS_SELL.column_names))
    return pa.Table.from_pandas(rows, schema=CROSS_SELL.arrow_schema, preserve_index=False)


def fetch_ranges(con: Warehouse, settings: Settings, as_of: date, forecasts: pd.DataFrame) -> Ranges:
    """Return what the active retailers carry as of a Sunday."""
    cells, retailers, skus = (contract_table(described) for described in (CELLS, RETAILERS, SKUS))
    limits, supply = contract_table(ALLOCATION_LIMITS), contract_table(SUPPLY)
    pairs: pd.DataFrame = fetch(con, carried_pairs(cells, retailers, as_of)).to_pandas()
    withdrawn: pd.DataFrame = fetch(con, withdrawn_skus(skus, supply, as_of)).to_pandas()
    shut: pd.DataFrame = fetch(con, shut_pairs(cells, retailers, skus, limits, as_of)).to_pandas()
    usable = usable_attributes(con, settings, as_of)
    register: pd.DataFrame = fetch(con, retailers.select("retailer_id", *KINDS)).to_pandas()
    known = forecasts[["retailer_id", "sku_id", "mean_units"]].astype({"retailer_id": object, "sku_id": object})
    pairs = pairs.astype({"retailer_id": object, "sku_id": object}).merge(known, on=["retailer_id", "sku_id"], how="left")
    weekly_units = pairs.mean_units.fillna(pairs.units_26w / CARRIED_WEEKS)
    kinds = kinds_of(register, [name for name in KINDS if name in usable])
    return build_ranges(pairs.assign(weekly_units=weekly_units), kinds, withdrawn.sku_id, shut)


def kinds_of(register: pd.DataFrame, attributes: Sequence[str]) -> pd.Series:
    """Return the kind of each retailer by its id: its attributes in one text, empty where there are none.

    >>> register = pd.DataFrame({"retailer_id": ["R1", "R2"], "tier": ["T1", "T2"], "channel": ["bar", None]})
    >>> kinds_of(register, ["tier", "channel"]).to_dict()
    {'R1': 'T1/bar', 'R2': 'T2/'}
    """
    theirs = register[list(attributes)].astype(object)
    kinds = ["/".join(row) for row in theirs.where(theirs.notna(), "").to_numpy(dtype=object)]
    return pd.Series(kinds, index=register.retailer_id, dtype=object)
