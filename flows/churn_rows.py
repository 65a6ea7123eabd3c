"""Where the churn model's rows come from: features of active retailers as of origins, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import cache

import ibis
import ibis.expr.types as ir
import pandas as pd

from contracts.cells import CELLS, RECOVERED
from contracts.raw import EVENTS, INTERACTIONS, RETAILERS, SKUS
from contracts.weeks import CHURN_HORIZONS, last_week, require_sunday
from features.attributes import RETAILER_ATTRIBUTES
from features.cells import with_true_units
from features.churn import retailer_features
from features.margin import weekly_margin
from features.target_labels import target_labels
from flows.settings import Settings
from warehouse.session import Warehouse
from warehouse.statements import Statement, compiled
from warehouse.tables import contract_table, fetch_for


def churn_origins(settings: Settings, as_of: date, first_week: date) -> list[date]:
    """Return the Sundays to train on, newest first: the shortest window of each is over, and half a year lies before it."""
    spacing = settings.churn.origin_spacing_weeks
    candidates = (as_of - timedelta(weeks=CHURN_HORIZONS[0] + spacing * k) for k in range(settings.churn.origins))
    earliest = first_week + timedelta(weeks=settings.churn.first_origin_weeks) - timedelta(days=1)
    return [origin for origin in candidates if origin >= earliest]


UNDATED = ("tier",)
"""Attributes that answer to the orders: the register knows only today's, and today's tier on a row of last year tells who faded since."""


def retailer_attributes(attributes: Sequence[str]) -> tuple[str, ...]:
    """Return those of the usable attributes that belong to retailers, and that a shop has for good."""
    return tuple(feature.name for feature in RETAILER_ATTRIBUTES if feature.name in attributes and feature.name not in UNDATED)


def fetch_retailers(con: Warehouse, as_of: date, attributes: Sequence[str]) -> pd.DataFrame:
    """Return the features of every active retailer, with ``weekly_margin`` (money; NaN where unknown)."""
    return _fetch_frame(con, retailer_statement(tuple(attributes)), as_of=require_sunday(as_of))


def fetch_labelled(con: Warehouse, origins: Iterable[date], known: date, attributes: Sequence[str]) -> pd.DataFrame:
    """Return one row per retailer, origin and horizon whose outcome is known by a Sunday as of which demand was recovered.

    Returns
    -------
    pandas.DataFrame
        The features, ``as_of`` and the columns of ``features.target_labels``: ``horizon_weeks``, ``no_order``, ``declines`` … A row that
        came out to be no churn after its window has ``void_from``; ``models.churn_origins`` drops it from the parts that may know it.
    """
    labelled = label_statement(tuple(attributes))
    return pd.concat([_fetch_frame(con, labelled, as_of=require_sunday(origin), known=known) for origin in origins], ignore_index=True)


@cache
def retailer_statement(attributes: tuple[str, ...]) -> Statement:
    """Return the statement of the features and margins as of one day, compiled when it is asked for first."""

    def described(as_of: date) -> ir.Table:
        features = _retailers(as_of, attributes)
        margins = weekly_margin(_cells(as_of), contract_table(SKUS), as_of)
        return features.left_join(margins, "retailer_id").select(*features.columns, "weekly_margin").order_by("retailer_id")

    return compiled(described, "as_of")


@cache
def label_statement(attributes: tuple[str, ...]) -> Statement:
    """Return the statement of the features as of a day with the outcomes of windows that are over by another."""

    def labelled(as_of: date, known: date) -> ir.Table:
        labels = target_labels(
            contract_table(CELLS), _cells(known), contract_table(RETAILERS), contract_table(SKUS), as_of, CHURN_HORIZONS, last_week(known)
        )
        rows = labels.join(_retailers(as_of, attributes), "retailer_id").mutate(as_of=ibis.literal(as_of))
        return rows.order_by("retailer_id", "horizon_weeks")

    return compiled(labelled, "as_of", "known")


def _retailers(as_of: date, attributes: Sequence[str]) -> ir.Table:
    retailers, skus, interactions = (contract_table(described) for described in (RETAILERS, SKUS, INTERACTIONS))
    events = contract_table(EVENTS)
    return retailer_features(_cells(as_of), retailers, skus, interactions, as_of, attributes=attributes, events=events)


def _cells(as_of: date) -> ir.Table:
    return with_true_units(contract_table(CELLS), contract_table(RECOVERED), as_of)


def _fetch_frame(con: Warehouse, statement: Statement, **days: date) -> pd.DataFrame:
    fetched: pd.DataFrame = fetch_for(con, statement, days).to_pandas()
    return fetched
