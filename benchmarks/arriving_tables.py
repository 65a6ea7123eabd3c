"""Which rows of a simulated county arrive on a Sunday, and how does a drift get into them?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

WEEKLY = ("allocation_limits", "supply", "sell_through")
LATER_ENDS = {"retailers": ("closed_on", ("closed_on", "successor_id")), "skus": ("delisted_on", ("delisted_on",))}
"""Columns that are not known before the day of the first one."""


@dataclass(frozen=True)
class Drift:
    """From a Monday on, the retailers of a district order so many times as much."""

    district: str
    since: date
    factor: float


def write_arrived(inputs: Path, folder: Path, before: date | None, as_of: date, drift: Drift) -> None:
    """Write the tables that arrive on a Sunday: registers as they are then, and of all that happens what is newer than the Sunday before.

    Parameters
    ----------
    inputs
        The tables of the whole history.
    folder
        Where files arrive; what is there is replaced.
    before
        The Sunday up to which everything has arrived; None for none.
    as_of
        The Sunday.
    drift
        What changes in the orders.
    """
    folder.mkdir(parents=True, exist_ok=True)
    retailers = pq.read_table(inputs / "retailers.parquet")
    for path in sorted(inputs.glob("*.parquet")):
        rows = pq.read_table(path)
        if path.stem == "order_lines":
            rows = _drifted(_between(rows, "ordered_on", before, as_of), retailers, drift)
        elif path.stem == "interactions":
            # those of earlier weeks arrive again: some were resolved since
            rows = _not_yet(_between(rows, "occurred_on", None, as_of), "resolved_on", ("resolved_on",), as_of)
        elif path.stem in WEEKLY:
            rows = _between(rows, "week_start", before, as_of)
        elif path.stem in LATER_ENDS:
            rows = _not_yet(rows, *LATER_ENDS[path.stem], as_of)
        pq.write_table(rows, folder / path.name)


def largest_district(inputs: Path) -> str:
    """Return the district with most retailers."""
    counted = pq.read_table(inputs / "retailers.parquet")["district"].value_counts().to_pylist()
    return str(max(counted, key=lambda one: one["counts"])["values"])


def break_orders(folder: Path) -> None:
    """Make one order line of a folder impossible: of fewer units than none."""
    path = folder / "order_lines.parquet"
    rows = pq.read_table(path)
    units = rows["delivered_units"].to_pylist()
    units[0] = -abs(units[0]) - 1
    position = rows.column_names.index("delivered_units")
    broken = rows.set_column(position, "delivered_units", pa.array(units, rows.schema.field(position).type))
    pq.write_table(broken, path)


def _between(rows: pa.Table, column: str, before: date | None, as_of: date) -> pa.Table:
    known = pc.less_equal(rows[column], pa.scalar(as_of, pa.date32()))
    if before is not None:
        known = pc.and_(known, pc.greater(rows[column], pa.scalar(before, pa.date32())))
    return rows.filter(known)


def _not_yet(rows: pa.Table, day: str, columns: tuple[str, ...], as_of: date) -> pa.Table:
    """Blank columns where the day lies after the Sunday."""
    known = pc.fill_null(pc.less_equal(rows[day], pa.scalar(as_of, pa.date32())), fill_value=False)
    for name in columns:
        position = rows.column_names.index(name)
        rows = rows.set_column(position, name, pc.if_else(known, rows[name], pa.scalar(None, rows.schema.field(position).type)))
    return rows


def _drifted(lines: pa.Table, retailers: pa.Table, drift: Drift) -> pa.Table:
    of_district = retailers.filter(pc.equal(retailers["district"], drift.district))["retailer_id"].combine_chunks()
    since = pc.greater_equal(lines["ordered_on"], pa.scalar(drift.since, pa.date32()))
    grown = pc.and_(pc.is_in(lines["retailer_id"], value_set=of_district), since)
    for name in ("delivered_units", "requested_units", "amount"):
        if name in lines.column_names:
            position = lines.column_names.index(name)
            kind = lines.schema.field(position).type
            more = pc.round(pc.multiply(lines[name].cast(pa.float64()), drift.factor)).cast(kind)
            lines = lines.set_column(position, name, pc.if_else(grown, more, lines[name]))
    return lines


def monday_of(as_of: date) -> date:
    """Return the Monday of the week that a Sunday ends."""
    return as_of - timedelta(days=6)
