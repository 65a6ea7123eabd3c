"""How the churn model is trained and judged: a twin is judged on the latest origins, the model uses them too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from contracts.churn_targets import NO_ORDER
from contracts.steps import in_parts
from contracts.weeks import CHURN_HORIZONS
from features.churn import churn_features
from flows.churn_gate import GATE_WEEKS, FalseChurn, false_churn, gate_figures, hold_gate
from flows.churn_rows import churn_origins, fetch_labelled, retailer_attributes
from flows.console import Say
from flows.order_histories import fetch_order_histories
from flows.settings import Settings
from flows.timing import Stopwatch
from models.btyd import NoBtyd
from models.churn import TARGET_WEEKS, ChurnModel
from models.churn_baselines import fit_baseline, fit_baselines
from models.churn_fit import TARGET_OUTCOMES, KnownOutcomes, fit_churn
from models.churn_origins import OriginSplit, split_origins
from models.churn_trees import ChurnSettings
from models.classification import auc_score, average_precision_score, brier_loss, brier_skill_score, calibration_loss, top_decile_lift_score
from models.promotion_gate import MODEL, Challenge
from models.repeat_orders import ORDER_COLUMNS
from warehouse.session import Warehouse

CRITERION = "served.brier_loss"
"""A challenger must not have more of this than the champion: it judges ranking and calibration at once."""


@dataclass(frozen=True)
class ChurnRows:
    """What churn is learned from.

    Attributes
    ----------
    labelled
        One row per retailer, origin and horizon whose outcome is known: features, ORDER_COLUMNS and outcomes.
    histories
        One row per origin and retailer that had ordered by it, those that stopped too: as_of, retailer_id, ORDER_COLUMNS.
    """

    labelled: pd.DataFrame
    histories: pd.DataFrame

    @property
    def empty(self) -> bool:
        """Whether no outcome is known."""
        return self.labelled.empty

    def __len__(self) -> int:
        """Count the outcomes."""
        return len(self.labelled)


@dataclass(frozen=True)
class TrainedChurn:
    """What a training of the churn model gives.

    Attributes
    ----------
    model
        The one that scores: trained and calibrated on outcomes up to ``as_of``.
    twin
        Knows none of the outcomes it is judged on; the model itself where there are none.
    labelled
        All labelled rows.
    test
        Those the twin is judged on; none where the history is too short.
    figures
        ``{forecast}.{metric}`` over all horizons and ``{forecast}.{metric}_{h}w``, of the model, the baselines, and as ``served`` of what
        was chosen; ``gate.…`` and ``false_churn.…``; empty without a test.
    events
        Retailers without an order in some window that the model was trained on.
    note
        Why a part is missing; None where all are there.
    gate
        Which forecast was chosen, and why; None where none could be judged.
    false_churn
        What became of retailers taken for churners; None while it is not known of anybody.
    """

    model: ChurnModel
    twin: ChurnModel
    labelled: pd.DataFrame
    test: pd.DataFrame
    figures: dict[str, float]
    events: int
    note: str | None
    gate: Challenge | None = None
    false_churn: FalseChurn | None = None


def gather_churn(con: Warehouse, settings: Settings, as_of: date, first_week: date, attributes: Sequence[str], say: Say) -> ChurnRows:
    """Return the labelled rows of every origin with an outcome known as of a Sunday; none where the history is too short.

    Cells must be built, and recovered as of every origin.
    """
    origins = churn_origins(settings, as_of, first_week)
    if not origins:
        return ChurnRows(pd.DataFrame(), pd.DataFrame())
    told = in_parts(origins, "outcomes as of origins", say)
    labelled, histories = fetch_labelled(con, told, as_of, retailer_attributes(attributes)), fetch_order_histories(con, origins)
    return ChurnRows(labelled.merge(histories, on=["retailer_id", "as_of"], how="left"), histories)


def train_churn(
    rows: ChurnRows, settings: Settings, as_of: date, attributes: Sequence[str], watch: Stopwatch, *, test_origins: int
) -> TrainedChurn:
    """Train the model and its twin on labelled rows, judge the twin against the baselines, and choose; needs no warehouse."""
    split = split_origins(rows.labelled, as_of, calibrate_origins=settings.churn.calibration_origins, test_origins=test_origins)
    final = split_origins(rows.labelled, as_of, calibrate_origins=settings.churn.calibration_origins, test_origins=0)
    features, fitted = churn_features(retailer_attributes(attributes)), churn_settings(settings)
    with watch("lightgbm"):
        twin = None if split.test.empty else fit_churn(_known(split, rows), features, fitted)
        # with as many origins to judge on as to calibrate on, the twin has learned all that the model is calibrated after
        model = fit_churn(_known(final, rows), features, fitted, before=twin if split.learn.equals(final.train) else None)
    events = int(final.learn.loc[final.learn[NO_ORDER].astype(bool), "retailer_id"].nunique())
    trained = TrainedChurn(model, twin or model, rows.labelled, split.test, {}, events, split.reason or model.why_rule)
    if split.test.empty:
        # nobody was flagged, but what became of the silent is known without a forecast
        taken = false_churn(final.learn, np.zeros(len(final.learn)), threshold=1.0)
        return replace(trained, figures=taken.figures(), false_churn=taken)
    with watch("gate"):
        return _judged(trained, split, final, rows, settings)


def _judged(trained: TrainedChurn, split: OriginSplit, final: OriginSplit, rows: ChurnRows, settings: Settings) -> TrainedChurn:
    """Hold the gate on the test, and let the winner score in the model and its twin."""
    test, names = split.test, trained.model.features
    baselines = fit_baselines(split, names, _population(split, rows))
    curves = stacked_curves(trained.twin, test)
    p_model = of_own_horizon(curves, test)
    gate = hold_gate(test, p_model, baselines)
    twin, model = trained.twin, trained.model
    if gate.chosen != MODEL:
        twin = replace(twin, promoted=baselines.fitted[gate.chosen])
        again = fit_baseline(gate.chosen, final, names, _population(final, rows))
        # what cannot be fitted again on all that is known serves as it was judged
        model = replace(model, promoted=twin.promoted if isinstance(again, NoBtyd) else again)
        curves = stacked_curves(twin, test)
    forecasts = {"model": p_model} | {name: baseline.probabilities(test) for name, baseline in baselines.fitted.items()}
    taken = false_churn(test, curves[:, CHURN_HORIZONS.index(GATE_WEEKS)], settings.churn.risk_thresholds[1])
    forecasts["served"] = of_own_horizon(curves, test)
    figures = judge(test, forecasts) | judge_targets(test, twin) | gate_figures(gate) | taken.figures()
    return replace(trained, model=model, twin=twin, figures=figures, gate=gate, false_churn=taken)


def judge(test: pd.DataFrame, forecasts: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Measure probabilities of no order on labelled rows, over all horizons and by horizon; what is undefined is left out."""
    figures: dict[str, float] = {}
    for name, probabilities in forecasts.items():
        parts = {"": np.ones(len(test), dtype=bool)} | {f"_{h}w": (test.horizon_weeks == h).to_numpy() for h in CHURN_HORIZONS}
        for suffix, part in parts.items():
            if part.any():
                figures |= _figures(test[NO_ORDER][part].to_numpy(dtype=float), probabilities[part], name, suffix)
    return figures


def judge_targets(test: pd.DataFrame, twin: ChurnModel) -> dict[str, float]:
    """Measure the probabilities of the other targets, ``{target}.{metric}_13w``; nothing of one that was not learned."""
    figures: dict[str, float] = {}
    for target, weeks in TARGET_WEEKS.items():
        if target in twin.targets:
            rows = test[(test.horizon_weeks == weeks) & test[TARGET_OUTCOMES[target]].notna()]
            p = twin.target_probabilities(target, rows)
            asked = np.isfinite(p)
            if asked.any():
                figures |= _figures(rows[TARGET_OUTCOMES[target]].to_numpy(dtype=float)[asked], p[asked], target, f"_{weeks}w")
    return figures


def stacked_probabilities(model: ChurnModel, rows: pd.DataFrame) -> np.ndarray:
    """Return the probability of no order per row, for the horizon of the row."""
    return of_own_horizon(stacked_curves(model, rows), rows)


def stacked_curves(model: ChurnModel, rows: pd.DataFrame) -> np.ndarray:
    """Return the probabilities of no order of each row's retailer, shape (rows, horizons).

    The rows of a retailer at an origin, one per horizon, are described alike: it is scored once.
    """
    if rows.empty:
        return np.empty((0, len(CHURN_HORIZONS)))
    of_retailer = rows.groupby(["retailer_id", "as_of"], sort=False).ngroup().to_numpy()
    scores = model.predict(rows[~rows.duplicated(["retailer_id", "as_of"])])
    curves: np.ndarray = scores[[f"p_churn_{h}w" for h in CHURN_HORIZONS]].to_numpy()[of_retailer]
    return curves


def of_own_horizon(curves: np.ndarray, rows: pd.DataFrame) -> np.ndarray:
    """Return of each row the column of its own horizon, shape (rows,)."""
    chosen: np.ndarray = curves[np.arange(len(rows)), np.searchsorted(CHURN_HORIZONS, rows.horizon_weeks.to_numpy())]
    return chosen


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


def _figures(outcomes: np.ndarray, p: np.ndarray, name: str, suffix: str) -> dict[str, float]:
    measures = {
        "brier_loss": brier_loss(outcomes, p),
        "brier_skill_score": brier_skill_score(outcomes, p),
        "auc_score": auc_score(outcomes, p),
        "average_precision_score": average_precision_score(outcomes, p),
        "calibration_loss": calibration_loss(outcomes, p),
        "top_decile_lift_score": top_decile_lift_score(outcomes, p),
    }
    return {f"{name}.{metric}{suffix}": value for metric, value in measures.items() if np.isfinite(value)}


def _known(split: OriginSplit, rows: ChurnRows) -> KnownOutcomes:
    return KnownOutcomes(split.train, split.calibrate, split.learn, _population(split, rows))


def _population(split: OriginSplit, rows: ChurnRows) -> pd.DataFrame:
    """Every retailer as of the first origin of the calibration, or of the last origin where there is none."""
    day = split.calibrate["as_of"].min() if len(split.calibrate) else rows.histories["as_of"].max()
    population: pd.DataFrame = rows.histories.loc[rows.histories["as_of"] == day, list(ORDER_COLUMNS)]
    return population
