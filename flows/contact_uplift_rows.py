"""How what contacts achieved becomes rows of the scored table, and the share they save, which ranks the next lists."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date

import pyarrow as pa

from contracts.customers import CONTACT_UPLIFT, WORK_LISTS
from flows.contact_outcomes import fetch_listed, finished_episodes
from flows.settings import Settings
from models.uplift import Uplift, measure_uplift, shrunk_share
from warehouse.session import Warehouse


def contact_uplift_rows(measured: Mapping[str, Uplift], as_of: date, run_id: str) -> pa.Table:
    """Make what was measured as of a Sunday rows.

    Parameters
    ----------
    measured
        As `measured_uplifts` gives it.

    Returns
    -------
    pyarrow.Table
        Rows of ``scored.contact_uplift``: one per list of which anybody was drawn for contact 13 weeks ago or earlier.
    """
    rows = [
        {
            "as_of": as_of,
            "list": work_list,
            "contacted": uplift.contacted,
            "reached": uplift.reached,
            "held_out": uplift.held_out,
            "ordering_contacted": uplift.ordering_contacted,
            "ordering_held_out": _or_null(uplift.ordering_held_out),
            "uplift": _or_null(uplift.difference),
            "uplift_low": _or_null(uplift.low),
            "uplift_high": _or_null(uplift.high),
            "run_id": run_id,
        }
        for work_list, uplift in measured.items()
        if uplift.contacted
    ]
    return pa.Table.from_pylist(rows, schema=CONTACT_UPLIFT.arrow_schema)


def measured_uplifts(con: Warehouse, as_of: date) -> dict[str, Uplift]:
    """Return the uplift of each work list that has a finished episode by a Sunday; ``derived.cells`` must be built."""
    finished = finished_episodes(con, fetch_listed(con, as_of), as_of)
    return {name: measure_uplift(finished[finished.list == name]) for name in WORK_LISTS if (finished.list == name).any()}


def saved_shares(settings: Settings, measured: Mapping[str, Uplift]) -> dict[str, float]:
    """Return the share a contact of each list saves: what is believed, moved towards what was measured.

    The base is the share of those left alone that did not order; of ``mistaken_lost``, where a contact keeps who would order, that did.
    """
    shares = {}
    for name in WORK_LISTS:
        believed = float(getattr(settings.work_lists.saved_share, name))
        uplift = measured.get(name)
        if uplift is not None and uplift.held_out:
            base = uplift.ordering_held_out if name == "mistaken_lost" else 1.0 - uplift.ordering_held_out
            believed = shrunk_share(believed, settings.work_lists.saved_share_spread, uplift, base)
        shares[name] = believed
    return shares


def _or_null(value: float) -> float | None:
    return None if math.isnan(value) else value
