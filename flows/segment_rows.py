"""How a reclassification becomes rows of the scored table: what is known as of a Sunday, the month before, and what people overrode."""

from __future__ import annotations

from datetime import date
from functools import cache

import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa

from contracts.cells import CELLS, RECOVERED
from contracts.customers import RETAILER_SEGMENT
from contracts.raw import INTERACTIONS, RETAILERS, SEGMENT_OVERRIDES, SKUS
from contracts.segment_definitions import VERSION
from contracts.weeks import require_sunday
from features.cells import with_true_units
from features.segment_attrition import past_cohorts
from features.segment_history import segment_history
from features.segment_money import sku_prices
from flows.deriving import usable_attributes
from flows.settings import Settings
from models.lifetime_value import ValueSettings
from models.overrides import apply_overrides
from models.segment_reasons import change_reasons
from models.segments import PREVIOUS, Evidence, classify
from warehouse.session import Warehouse
from warehouse.statements import Statement, compiled
from warehouse.tables import contract_table, fetch, fetch_for

SCORES = ("retailer_id", "p_churn_13w", "p_churn_26w")
KEPT_DECIMALS = 6
PAIR_FORECAST = ("retailer_id", "sku_id", "mean_units")


def reclassification_due(con: Warehouse, as_of: date) -> bool:
    """Tell whether nothing was classified yet in the calendar month of a Sunday, before it; a rerun of the first one is due again."""
    stored = contract_table(RETAILER_SEGMENT)
    of_month = stored.filter(stored.as_of >= as_of.replace(day=1), stored.as_of < as_of)
    return not fetch(con, of_month.select("as_of").limit(1)).to_pylist()


def segment_rows(
    con: Warehouse, settings: Settings, as_of: date, scores: pd.DataFrame, forecasts: pa.Table | pd.DataFrame, run_id: str
) -> pa.Table:
    """Classify every retailer as of a Sunday; ``derived.cells`` must be built and ``derived.recovered`` hold that Sunday.

    Compared is with the newest reclassification before the calendar month, so that a rerun gives the same rows.

    Parameters
    ----------
    scores
        ``retailer_id``, ``p_churn_13w`` and ``p_churn_26w`` of active retailers; other columns are left aside. May be empty.
    forecasts
        ``retailer_id``, ``sku_id`` and ``mean_units`` of the weeks ahead, as ``scored.demand_forecast`` has them. May be empty.

    Returns
    -------
    pyarrow.Table
        Rows of ``scored.retailer_segment``, ordered by ``retailer_id``: one per retailer that ordered in 52 weeks and is not gone.
    """
    segments = classify(
        gather_evidence(con, settings, as_of, scores, forecasts), value_settings(settings), settings.value.share_without_costs
    )
    overrides: pd.DataFrame = fetch(con, contract_table(SEGMENT_OVERRIDES)).to_pandas()
    final = apply_overrides(segments, overrides, as_of)
    final = final.assign(tier_overridden=(final.suggested_tier != segments.suggested_tier) & final.suggested_tier.notna())
    rows = final.assign(change_reason=change_reasons(final), as_of=as_of, run_id=run_id)[list(RETAILER_SEGMENT.column_names)]
    # Arrow takes neither NaN nor pandas' own missing value for null among texts
    whole = rows.astype(object).where(rows.notna(), None)
    columns = [pa.array(whole[column.name].tolist(), column.kind.arrow) for column in RETAILER_SEGMENT.columns]
    return pa.table(columns, schema=RETAILER_SEGMENT.arrow_schema)


def gather_evidence(con: Warehouse, settings: Settings, as_of: date, scores: pd.DataFrame, forecasts: pa.Table | pd.DataFrame) -> Evidence:
    """Fetch what a reclassification rests on, as of a Sunday; see `segment_rows`."""
    return Evidence(
        history=_rounded(_fetched(con, history_statement(), as_of)),
        cohorts=_fetched(con, cohort_statement(), as_of),
        scores=scores[list(SCORES)],
        forecasts=_pair_totals(forecasts),
        prices=_rounded(_fetched(con, price_statement(), as_of)),
        previous=previous_segments(con, as_of),
        attributes=usable_attributes(con, settings, as_of),
    )


@cache
def history_statement() -> Statement:
    """Return the statement of what is known of the retailers as of one day, compiled when it is asked for first."""
    retailers, skus, interactions = (contract_table(described) for described in (RETAILERS, SKUS, INTERACTIONS))
    return compiled(lambda day: segment_history(_cells(day), retailers, skus, interactions, day).order_by("retailer_id"), "as_of")


@cache
def cohort_statement() -> Statement:
    """Return the statement of what became of earlier retailers, likewise."""
    return compiled(lambda day: past_cohorts(contract_table(CELLS), day), "as_of")


@cache
def price_statement() -> Statement:
    """Return the statement of the prices of SKUs, likewise."""
    return compiled(lambda day: sku_prices(_cells(day), contract_table(SKUS), day).order_by("sku_id"), "as_of")


def previous_segments(con: Warehouse, as_of: date) -> pd.DataFrame:
    """Return the rows of the newest reclassification before the calendar month of a Sunday; none the first time."""
    stored = contract_table(RETAILER_SEGMENT)
    earlier = stored.filter(stored.as_of < as_of.replace(day=1), stored.definition_version == VERSION)
    newest = earlier.filter(earlier.as_of == earlier.as_of.max())
    rows: pd.DataFrame = fetch(con, newest.select(*PREVIOUS).order_by("retailer_id")).to_pandas()
    return rows


def value_settings(settings: Settings) -> ValueSettings:
    """Return the settings of lifetime value in the model's own words."""
    value = settings.value
    return ValueSettings(
        horizon_weeks=value.horizon_weeks,
        yearly_discount_rate=value.yearly_discount_rate,
        cost_per_order=value.cost_per_order,
        cost_per_visit=settings.work_lists.contact_cost,
        recent_weight=value.recent_weight,
    )


def _cells(as_of: date) -> ir.Table:
    return with_true_units(contract_table(CELLS), contract_table(RECOVERED), as_of)


def _fetched(con: Warehouse, statement: Statement, as_of: date) -> pd.DataFrame:
    rows: pd.DataFrame = fetch_for(con, statement, {"as_of": require_sunday(as_of)}).to_pandas()
    return rows


def _rounded(rows: pd.DataFrame) -> pd.DataFrame:
    """Drop the last digits of sums, which depend on the order in which threads add: a rerun gives the same rows."""
    return rows.round(dict.fromkeys(rows.select_dtypes("float").columns, KEPT_DECIMALS))


def _pair_totals(forecasts: pa.Table | pd.DataFrame) -> pd.DataFrame:
    """Sum the weeks of each pair: a forecast has eight rows of each."""
    rows = forecasts if isinstance(forecasts, pa.Table) else pa.Table.from_pandas(forecasts[list(PAIR_FORECAST)], preserve_index=False)
    totals = rows.select(list(PAIR_FORECAST)).group_by(["retailer_id", "sku_id"], use_threads=False).aggregate([("mean_units", "sum")])
    summed: pd.DataFrame = (
        totals.rename_columns(list(PAIR_FORECAST)).sort_by([("retailer_id", "ascending"), ("sku_id", "ascending")]).to_pandas()
    )
    return summed.astype({"mean_units": np.float64})
