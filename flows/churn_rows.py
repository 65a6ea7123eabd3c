"""Where the churn model's rows come from: features of active retailers as of origins, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis.backends.duckdb import Backend

from contracts.cells import CELLS, RECOVERED
from contracts.raw import INTERACTIONS, RETAILERS, SKUS
from contracts.weeks import CHURN_HORIZONS, last_week
from features.attributes import RETAILER_ATTRIBUTES
from features.cells import with_true_units
from features.churn import retailer_features
from features.churn_labels import churn_labels
from features.margin import weekly_margin
from flows.settings import Settings
from warehouse.tables import fetch, table


def churn_origins(settings: Settings, as_of: date, first_week: date) -> list[date]:
    """Return the Sundays to train on, newest first: the shortest window of each is over, and half a year lies before it."""
    spacing = settings.churn.origin_spacing_weeks
    candidates = (as_of - timedelta(weeks=CHURN_HORIZONS[0] + spacing * k) for k in range(settings.churn.origins))
    earliest = first_week + timedelta(weeks=settings.churn.first_origin_weeks) - timedelta(days=1)
    return [origin for origin in candidates if origin >= earliest]


def retailer_attributes(attributes: Sequence[str]) -> tuple[str, ...]:
    """Return those of the usable attributes that belong to retailers."""
    return tuple(feature.name for feature in RETAILER_ATTRIBUTES if feature.name in attributes)


def fetch_retailers(con: Backend, as_of: date, attributes: Sequence[str]) -> pd.DataFrame:
    """Return the features of every active retailer, with ``weekly_margin`` (money; NaN where unknown)."""
    features = _retailers(con, as_of, attributes)
    margins = weekly_margin(_cells(con, as_of), table(con, SKUS), as_of)
    joined = features.left_join(margins, "retailer_id")
    return _as_frame(con, joined.select(*features.columns, "weekly_margin").order_by("retailer_id"))


def fetch_labelled(con: Backend, origins: Sequence[date], known: date, attributes: Sequence[str]) -> pd.DataFrame:
    """Return one row per retailer, origin and horizon whose outcome is known: features, ``as_of``, ``horizon_weeks`` and ``no_order``."""
    everything = table(con, CELLS)
    frames = []
    for origin in origins:
        features = _retailers(con, origin, attributes)
        labels = churn_labels(everything, table(con, RETAILERS), origin, CHURN_HORIZONS, last_week(known))
        rows = labels.join(features, "retailer_id").mutate(as_of=ibis.literal(origin))
        frames.append(_as_frame(con, rows.order_by("retailer_id", "horizon_weeks")))
    return pd.concat(frames, ignore_index=True)


def _retailers(con: Backend, as_of: date, attributes: Sequence[str]) -> ir.Table:
    retailers, skus, interactions = (table(con, described) for described in (RETAILERS, SKUS, INTERACTIONS))
    return retailer_features(_cells(con, as_of), retailers, skus, interactions, as_of, attributes=attributes)


def _cells(con: Backend, as_of: date) -> ir.Table:
    return with_true_units(table(con, CELLS), table(con, RECOVERED), as_of)


def _as_frame(con: Backend, rows: ir.Table) -> pd.DataFrame:
    fetched: pd.DataFrame = fetch(con, rows).to_pandas()
    return fetched
