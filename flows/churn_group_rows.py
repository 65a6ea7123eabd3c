"""How churn across groups becomes rows of the scored table: who is in which group, now and 13 weeks ago, and what became of them."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from contracts.cells import CELLS
from contracts.customers import CHURN_GROUP, RETAILER_SEGMENT
from contracts.raw import RETAILERS
from contracts.scored import CHURN_SCORE
from contracts.segment_definitions import VERSION
from contracts.weeks import last_week, require_sunday
from features.churn_labels import churn_labels
from flows.deriving import usable_attributes
from flows.settings import Settings
from models.churn_groups import churn_groups
from warehouse.session import Warehouse
from warehouse.statements import Statement, compiled
from warehouse.tables import contract_table, fetch, fetch_for

OBSERVED_WEEKS = 13
REGISTER_GROUPINGS = ("district", "area", "channel", "tier")
SEGMENT_GROUPINGS = ("stage", "value_class")


def churn_group_rows(
    con: Warehouse, settings: Settings, as_of: date, scores: pd.DataFrame, segments: pd.DataFrame | None, run_id: str
) -> pa.Table:
    """Return churn of every group of active retailers as of a Sunday; ``derived.cells`` must be built.

    Expected churn is grouped by what is known now. Observed churn is grouped by the register only where it is complete (one that is
    younger than the orders lacks those who left), and by the stage and the class of the newest reclassification 13 weeks before: by
    today's stage, everybody silent would be in decline.

    Parameters
    ----------
    scores
        One row per active retailer: retailer_id, p_churn_13w, p_churn_26w, weekly_margin (money; NaN where unknown).
    segments
        One row per classified retailer: retailer_id, stage, value_class; None where none were classified.

    Returns
    -------
    pyarrow.Table
        Rows of ``scored.churn_group``, by grouping and group.
    """
    register: pd.DataFrame = fetch(con, contract_table(RETAILERS).select("retailer_id", *REGISTER_GROUPINGS)).to_pandas()
    complete = [name for name in REGISTER_GROUPINGS if name in usable_attributes(con, settings, as_of)]
    outcomes = _outcomes(con, require_sunday(as_of))
    groups_now = _known_of(scores, register, segments)
    groups_then = _known_of(outcomes, register[["retailer_id", *complete]], _segments_then(con, as_of))
    rows = churn_groups(scores, groups_now, outcomes, groups_then).assign(as_of=as_of, run_id=run_id)
    return pa.Table.from_pandas(rows[list(CHURN_GROUP.column_names)], schema=CHURN_GROUP.arrow_schema, preserve_index=False)


@cache
def outcome_statement() -> Statement:
    """Return the statement of who, active 13 weeks before a Sunday, has placed no order since; compiled when it is asked for first."""

    def outcomes(as_of: date) -> ir.Table:
        then = as_of - timedelta(weeks=OBSERVED_WEEKS)
        labels = churn_labels(contract_table(CELLS), contract_table(RETAILERS), then, (OBSERVED_WEEKS,), last_week(as_of))
        return labels.filter(labels.void_from.isnull()).select("retailer_id", "no_order").order_by("retailer_id")  # noqa: PD003 - ibis has no isna

    return compiled(outcomes, "as_of")


def _outcomes(con: Warehouse, as_of: date) -> pd.DataFrame:
    """What became of those active 13 weeks before, with the probability they were scored with then; NaN where they were not."""
    outcomes: pd.DataFrame = fetch_for(con, outcome_statement(), {"as_of": as_of}).to_pandas()
    stored = contract_table(CHURN_SCORE)
    then = stored.filter(stored.as_of == as_of - timedelta(weeks=OBSERVED_WEEKS)).select("retailer_id", "p_churn_13w")
    return outcomes.merge(fetch(con, then).to_pandas(), on="retailer_id", how="left")


def _known_of(retailers: pd.DataFrame, register: pd.DataFrame, segments: pd.DataFrame | None) -> pd.DataFrame:
    """Groups of some retailers, without the groupings of which nothing is known for any of them."""
    groups = retailers[["retailer_id"]].merge(register, on="retailer_id", how="left")
    if segments is not None:
        groups = groups.merge(segments[["retailer_id", *SEGMENT_GROUPINGS]], on="retailer_id", how="left")
    return groups.dropna(axis="columns", how="all") if len(groups) else groups


def _segments_then(con: Warehouse, as_of: date) -> pd.DataFrame | None:
    """Stage and class of each retailer by the newest reclassification at least 13 weeks old; None where there is none."""
    stored = contract_table(RETAILER_SEGMENT)
    past = stored.filter(stored.as_of <= as_of - timedelta(weeks=OBSERVED_WEEKS), stored.definition_version == VERSION)
    newest = past.filter(past.as_of == past.as_of.max())
    segments: pd.DataFrame = fetch(con, newest.select("retailer_id", *SEGMENT_GROUPINGS)).to_pandas()
    return None if segments.empty else segments
