"""How churn scores become rows of the scored table: probabilities, bands, money at risk, and reasons."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa

from contracts.churn_targets import VERSION
from contracts.monitoring import FEATURE_DRIFT
from contracts.scored import CHURN_SCORE
from contracts.tables import Table
from contracts.weeks import CHURN_HORIZONS
from features.attributes import attributes_among
from flows.churn_rows import fetch_retailers
from flows.feature_spread import drift_rows
from flows.order_histories import fetch_order_histories
from flows.registering import FINAL
from flows.settings import Settings
from flows.tracking import ModelVersion, model_folder
from models import churn_storage
from models.reasons import churn_reasons
from models.risk import margin_at_risk, risk_bands
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch


def score_retailers(
    con: Warehouse, settings: Settings, as_of: date, version: ModelVersion, run_id: str
) -> tuple[dict[Table, pa.Table], pd.Series]:
    """Score every active retailer as of a Sunday; ``derived.recovered`` must hold that Sunday.

    Returns
    -------
    tuple[dict, pandas.Series]
        Rows of ``scored.churn_score``, one per active retailer, and of ``scored.feature_drift``, one per input; and the money per week of
        each retailer, NaN where unknown, by retailer_id.
    """
    model = churn_storage.load(model_folder(settings, version) / FINAL)
    retailers = fetch_retailers(con, as_of, attributes_among(model.features))
    retailers = retailers.merge(fetch_order_histories(con, [as_of]).drop(columns="as_of"), on="retailer_id", how="left")
    scores = model.predict(retailers)
    reasons = churn_reasons(retailers, model.contributions(retailers))
    bands = risk_bands(scores.p_churn_13w, settings.churn.risk_thresholds)
    curve = scores[[f"p_churn_{weeks}w" for weeks in CHURN_HORIZONS]].to_numpy()
    rows = scores.merge(reasons, on="retailer_id").assign(
        as_of=as_of,
        risk_band=bands,
        risk_band_prev=scores.retailer_id.map(_bands_before(con, as_of)),
        margin_at_risk=margin_at_risk(curve, retailers.weekly_margin.to_numpy(dtype=np.float64)),
        definition_version=VERSION,
        model_version=version.version,
        run_id=run_id,
    )
    margins = retailers.set_index("retailer_id").weekly_margin
    named = rows.reindex(columns=list(CHURN_SCORE.column_names))
    drift = drift_rows(settings, version, "churn", retailers, as_of, run_id)
    return {CHURN_SCORE: pa.Table.from_pandas(named, schema=CHURN_SCORE.arrow_schema, preserve_index=False), FEATURE_DRIFT: drift}, margins


def _bands_before(con: Warehouse, as_of: date) -> pd.Series:
    """Risk band of each retailer as of the Sunday scored last before this one."""
    stored = contract_table(CHURN_SCORE)
    earlier = stored.filter(stored.as_of < as_of)
    newest = earlier.filter(earlier.as_of == earlier.as_of.max())
    bands: pd.DataFrame = fetch(con, newest.select("retailer_id", "risk_band")).to_pandas()
    return bands.set_index("retailer_id").risk_band.astype(object)
