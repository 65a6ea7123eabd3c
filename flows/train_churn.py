"""How the churn model is trained and judged: a twin is judged on the latest origins, the model uses them too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from ibis.backends.duckdb import Backend

from contracts.weeks import CHURN_HORIZONS
from features.churn import churn_features
from flows.churn_rows import churn_origins, fetch_labelled, retailer_attributes
from flows.settings import Settings
from flows.timing import Stopwatch
from models.churn import ChurnModel, ChurnSettings, fit_churn
from models.churn_baselines import fit_recency_baseline
from models.churn_origins import OriginSplit, split_origins
from models.classification import auc_score, average_precision_score, brier_loss, brier_skill_score, calibration_loss, top_decile_lift_score

CRITERION = "model.brier_loss"
"""A challenger must not have more of this than the champion: it judges ranking and calibration at once."""


@dataclass(frozen=True)
class TrainedChurn:
    """What a training of the churn model gives.

    Attributes
    ----------
    model
        The one that scores: trained and calibrated on outcomes up to ``as_of``.
    twin
        Knows none of the outcomes it is judged on.
    labelled
        All labelled rows.
    test
        Those the twin is judged on; none where the history is too short.
    figures
        ``{forecast}.{metric}`` over all horizons and ``{forecast}.{metric}_{h}w``; empty without a test.
    events
        Retailers without an order in some window that the model was trained on.
    note
        Why a part is missing; None where all are there.
    """

    model: ChurnModel
    twin: ChurnModel
    labelled: pd.DataFrame
    test: pd.DataFrame
    figures: dict[str, float]
    events: int
    note: str | None


def gather_churn(con: Backend, settings: Settings, as_of: date, first_week: date, attributes: Sequence[str]) -> pd.DataFrame:
    """Return the labelled rows of every origin with an outcome known as of a Sunday; none where the history is too short.

    Cells must be built, and recovered as of every origin.
    """
    origins = churn_origins(settings, as_of, first_week)
    return fetch_labelled(con, origins, as_of, retailer_attributes(attributes)) if origins else pd.DataFrame()


def train_churn(
    rows: pd.DataFrame, settings: Settings, as_of: date, attributes: Sequence[str], watch: Stopwatch, *, test_origins: int
) -> TrainedChurn:
    """Train the model and its twin on labelled rows, and judge the twin; needs no warehouse."""
    split = split_origins(rows, as_of, calibrate_origins=settings.churn.calibration_origins, test_origins=test_origins)
    final = split_origins(rows, as_of, calibrate_origins=settings.churn.calibration_origins, test_origins=0)
    features, fitted = churn_features(retailer_attributes(attributes)), churn_settings(settings)
    with watch("lightgbm"):
        twin = fit_churn(split.train, split.calibrate, features, fitted)
        model = fit_churn(final.train, final.calibrate, features, fitted)
    figures = judge(split.test, {"model": stacked_probabilities(twin, split.test), "recency": _recency(split)})
    events = int(final.train.loc[final.train.no_order.astype(bool), "retailer_id"].nunique())
    return TrainedChurn(model, twin, rows, split.test, figures, events, split.reason or model.why_rule)


def judge(test: pd.DataFrame, forecasts: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Measure probabilities of no order on labelled rows, over all horizons and by horizon; what is undefined is left out."""
    figures: dict[str, float] = {}
    for name, probabilities in forecasts.items():
        parts = {"": np.ones(len(test), dtype=bool)} | {f"_{h}w": (test.horizon_weeks == h).to_numpy() for h in CHURN_HORIZONS}
        for suffix, part in parts.items():
            if part.any():
                outcomes, p = test.no_order[part].to_numpy(dtype=float), probabilities[part]
                measures = {
                    "brier_loss": brier_loss(outcomes, p),
                    "brier_skill_score": brier_skill_score(outcomes, p),
                    "auc_score": auc_score(outcomes, p),
                    "average_precision_score": average_precision_score(outcomes, p),
                    "calibration_loss": calibration_loss(outcomes, p),
                    "top_decile_lift_score": top_decile_lift_score(outcomes, p),
                }
                figures |= {f"{name}.{metric}{suffix}": value for metric, value in measures.items() if np.isfinite(value)}
    return figures


def stacked_probabilities(model: ChurnModel, rows: pd.DataFrame) -> np.ndarray:
    """Return the probability of no order per row, for the horizon of the row."""
    if rows.empty:
        return np.empty(0)
    scores = model.predict(rows)
    columns = scores[[f"p_churn_{h}w" for h in CHURN_HORIZONS]].to_numpy()
    return columns[np.arange(len(rows)), np.searchsorted(CHURN_HORIZONS, rows.horizon_weeks.to_numpy())]


def churn_settings(settings: Settings) -> ChurnSettings:
    """Return the settings in the model's own words."""
    trees = settings.churn.lightgbm
    return ChurnSettings(
        rounds=trees.num_iterations,
        leaves=trees.num_leaves,
        learning_rate=trees.learning_rate,
        min_rows_per_leaf=trees.min_data_in_leaf,
        feature_share=trees.feature_fraction,
        l2=trees.lambda_l2,
        threads=trees.num_threads,
        seed=settings.churn.seed,
    )


def _recency(split: OriginSplit) -> np.ndarray:
    """Probabilities from the weeks since the last order alone, the baseline to beat."""
    if split.test.empty or split.train.no_order.nunique() < 2:
        return np.full(len(split.test), float(split.train.no_order.mean()))
    return fit_recency_baseline(split.train).predict(split.test)
