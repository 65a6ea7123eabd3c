"""How far have the inputs of a model moved from its training: measured while scoring, when they are at hand anyway?"""

from __future__ import annotations

from datetime import date

import pandas as pd
import pyarrow as pa

from contracts.monitoring import FEATURE_DRIFT
from flows.settings import Settings
from flows.tracking import ModelVersion, model_folder
from models.drift import FEATURE_BINS, Population, filled_bins, moved_most, population_stability_index


def drift_rows(settings: Settings, version: ModelVersion, model: str, rows: pd.DataFrame | pa.Table, as_of: date, run_id: str) -> pa.Table:
    """Return rows of ``scored.feature_drift`` for the inputs of one model; none where its training kept no bins.

    Parameters
    ----------
    version
        The model that scores; its folder holds the bins.
    model
        ``demand`` or ``churn``.
    rows
        What it scores: one row per pair or retailer, with ``retailer_id`` and its features.
    """
    population = Population.load(model_folder(settings, version) / FEATURE_BINS)
    if population is None:
        return FEATURE_DRIFT.arrow_schema.empty_table()
    names = [name for name in population.features if name in (rows.column_names if isinstance(rows, pa.Table) else rows.columns)]
    scored = rows.select(["retailer_id", *names]).to_pandas() if isinstance(rows, pa.Table) else rows
    retailers, found = int(scored.retailer_id.nunique()), []
    for name in names:
        bins = population.features[name]
        counts = bins.count(scored[name])
        found.append(
            {
                "as_of": as_of,
                "model": model,
                "feature": name,
                "psi": population_stability_index(bins.counts, counts),
                "psi_usual": bins.usual,
                "retailers": retailers,
                "retailers_trained": population.retailers,
                "bins": filled_bins(bins.counts, counts),
                "missing_share": float(counts[-1] / max(counts.sum(), 1)),
                "missing_share_trained": float(bins.counts[-1] / max(sum(bins.counts), 1)),
                "moved_most": moved_most(bins, counts),
                "model_version": version.version,
                "run_id": run_id,
            }
        )
    return pa.Table.from_pylist(found, schema=FEATURE_DRIFT.arrow_schema)
