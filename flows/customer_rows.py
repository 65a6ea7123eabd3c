"""How the scores of a Sunday become what account managers read: segments, alerts, work lists, churn by group, cross-selling."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pandas as pd
import pyarrow as pa

from contracts.customers import CHURN_GROUP, CONTACT_UPLIFT, CROSS_SELL, RETAILER_SEGMENT, SEGMENT_ALERT, WORK_LIST
from contracts.scored import CHURN_SCORE, DEMAND_FORECAST
from contracts.steps import counted
from contracts.tables import Table
from flows.churn_group_rows import churn_group_rows
from flows.console import Say
from flows.contact_uplift_rows import contact_uplift_rows, measured_uplifts
from flows.cross_sell_rows import cross_sell_rows
from flows.segment_alert_rows import segment_alert_rows
from flows.segment_rows import reclassification_due, segment_rows
from flows.settings import Settings
from flows.work_list_rows import work_list_rows
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch


def customer_rows(
    con: Warehouse,
    settings: Settings,
    as_of: date,
    scored: Mapping[Table, pa.Table],
    weekly_margin: pd.Series,
    run_id: str,
    say: Say,
) -> dict[Table, pa.Table]:
    """Return the rows of the customer tables as of a Sunday; cells must be built and recovered as of it.

    The first scoring of a calendar month classifies the retailers; the others go by the classes that stand.

    Parameters
    ----------
    scored
        Rows of ``scored.demand_forecast`` and, where there is a churn model, ``scored.churn_score`` of this Sunday, not yet published.
    weekly_margin
        Money per week by retailer_id; NaN where unknown.
    """
    rows: dict[Table, pa.Table] = {}
    scores: pd.DataFrame = scored.get(CHURN_SCORE, CHURN_SCORE.arrow_schema.empty_table()).to_pandas()
    scores = scores.assign(weekly_margin=scores.retailer_id.map(weekly_margin))
    if reclassification_due(con, as_of):
        rows[RETAILER_SEGMENT] = segment_rows(con, settings, as_of, scores, scored[DEMAND_FORECAST], run_id)
        segments: pd.DataFrame = rows[RETAILER_SEGMENT].to_pandas()
        rows[SEGMENT_ALERT] = segment_alert_rows(con, settings, as_of, segments, run_id)
        say(counted(len(segments), f"retailers classified, {rows[SEGMENT_ALERT].num_rows:,} alerts"))
    else:
        segments = standing_segments(con, as_of)
    rows[CHURN_GROUP] = churn_group_rows(con, settings, as_of, scores, segments, run_id)
    say(counted(rows[CHURN_GROUP].num_rows, "groups of retailers"))
    measured = measured_uplifts(con, as_of)
    if not _listed_later(con, as_of):
        rows[WORK_LIST] = work_list_rows(con, settings, as_of, scores, segments, measured, run_id)
        say(counted(rows[WORK_LIST].num_rows, "rows of work lists"))
    rows[CONTACT_UPLIFT] = contact_uplift_rows(measured, as_of, run_id)
    rows[CROSS_SELL] = cross_sell_rows(con, settings, as_of, _weekly_units(scored[DEMAND_FORECAST]), run_id)
    say(counted(rows[CROSS_SELL].num_rows, "SKUs to offer"))
    return rows


def standing_segments(con: Warehouse, as_of: date) -> pd.DataFrame:
    """Return the rows of the newest reclassification up to a Sunday."""
    stored = contract_table(RETAILER_SEGMENT)
    past = stored.filter(stored.as_of <= as_of)
    segments: pd.DataFrame = fetch(con, past.filter(past.as_of == past.as_of.max())).to_pandas()
    return segments


def _listed_later(con: Warehouse, as_of: date) -> bool:
    """Tell whether a later Sunday has lists: nobody acts on a list of the past, and its draw would change who is left alone since."""
    stored = contract_table(WORK_LIST)
    return bool(fetch(con, stored.filter(stored.as_of > as_of).select("as_of").limit(1)).num_rows)


def _weekly_units(forecasts: pa.Table) -> pd.DataFrame:
    """Forecast units a week of each pair, over the weeks ahead."""
    means = forecasts.group_by(["retailer_id", "sku_id"], use_threads=False).aggregate([("mean_units", "mean")])
    weekly: pd.DataFrame = means.rename_columns(["retailer_id", "sku_id", "mean_units"]).to_pandas()
    return weekly
