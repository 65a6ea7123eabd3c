"""What a training of the churn model leaves in the tracking store: parameters, figures, pictures, lineage, the model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from flows.features_made import features_version
from flows.judged_origins import churn_rule, judge_churn
from flows.judgement import Training, log_verdict
from flows.plots import calibration, feature_importance
from flows.registering import FINAL, TWIN, Judged, Verdict, carry_out, decide
from flows.registry import FEATURES_TAG
from flows.settings import Settings
from flows.tracking import CHURN_MODEL, ModelVersion, TableLineage, TrackedRun, model_folder, tracked_run
from flows.train_churn import CRITERION, TrainedChurn, stacked_probabilities
from flows.training import TrainingRows
from flows.watched_inputs import churn_population
from models import churn_storage
from models.drift import FEATURE_BINS
from models.repeat_orders import ORDER_COLUMNS

EXAMPLE_ROWS = 5
BINS = 10
PLOTTED_HORIZON = 13
HEADLINES = {
    "headline.brier_skill_score_13w": "served.brier_skill_score_13w",
    "headline.auc_score_13w": "served.auc_score_13w",
    "headline.calibration_loss_13w": "served.calibration_loss_13w",
    "headline.false_churn_rate": "false_churn.rate",
}


def register_churn(settings: Settings, rows: TrainingRows, trained: TrainedChurn, run: Training, folder: Path) -> Verdict:
    """Log a trained churn model, register it, and promote it if it deserves it."""
    for name, model in ((FINAL, trained.model), (TWIN, trained.twin)):
        (folder / name).mkdir()
        churn_storage.save(model, folder / name)
    churn_population(trained.labelled, trained.model.features).save(folder / FEATURE_BINS)
    example = _example(trained)
    tags = run.tags(rows.history.as_of) | _remarks(trained) | {FEATURES_TAG: features_version(trained.model.features)}
    with tracked_run(settings, f"churn {rows.history.as_of}", tags) as tracked:
        _log(tracked, settings, trained, rows.history.lineage)
        tracked.log_metrics(run.watch.metrics())
        registered = tracked.register_model(
            CHURN_MODEL,
            folder,
            model_class="models.churn_serving:ServedChurn",
            input_example=example,
            output_example=trained.model.predict(example),
        )
        judged = judge_churn(trained.twin, trained.test)
        decision = decide(settings, registered, judged, lambda rival: _judged(settings, rival, trained), churn_rule(settings), run.due)
        verdict = Verdict(
            CHURN_MODEL,
            registered.version,
            decision,
            "Brier loss",
            trained.figures.get(CRITERION),
            judged,
            "weeks since last order",
            trained.figures.get("recency.brier_loss"),
            "; ".join(_remarks(trained).values()) or None,
        )
        log_verdict(settings, tracked, registered, verdict)
    carry_out(settings, registered, decision)
    return verdict


def _remarks(trained: TrainedChurn) -> dict[str, str]:
    """What the promotion gate and the follow-up of false churn say, by tag."""
    gate = {} if trained.gate is None else {"promotion_gate": trained.gate.verdict}
    return gate if trained.false_churn is None else gate | {"false_churn": trained.false_churn.sentence()}


def _judged(settings: Settings, rival: ModelVersion, trained: TrainedChurn) -> Judged:
    """Judge the champion's twin on the rows the challenger's twin was judged on."""
    twin = churn_storage.load(model_folder(settings, rival) / TWIN)
    # attributes that the champion saw and that are no longer complete are unknown to it now
    test = trained.test.assign(**{name: np.nan for name in twin.features if name not in trained.test})
    return judge_churn(twin, test)


def _log(tracked: TrackedRun, settings: Settings, trained: TrainedChurn, lineage: Sequence[TableLineage]) -> None:
    tracked.log_parameters({"churn": settings.churn.model_dump(), "events": trained.events, "note": trained.note or ""})
    tracked.log_metrics(trained.figures | {name: trained.figures[key] for name, key in HEADLINES.items() if key in trained.figures})
    tracked.log_lineage(lineage)
    if trained.gate is not None:
        rows = {name: _finite(table) for name, table in vars(trained.gate).items() if isinstance(table, pd.DataFrame)}
        tracked.log_document("promotion_gate.json", {"chosen": trained.gate.chosen, "verdict": trained.gate.verdict} | rows)
    importances = trained.model.importances()
    tracked.log_document("feature_importances.json", importances.to_dict(orient="records"))
    if len(importances):
        figure = feature_importance(list(importances.feature), list(importances.gain_share), "Churn: what the risk rests on")
        tracked.log_figure("plots/feature_importance.png", figure)
    bins = churn_calibration(trained)
    if bins is not None:
        title = f"Probability of no order in {PLOTTED_HORIZON} weeks, on origins not seen"
        tracked.log_figure("plots/calibration.png", calibration(list(bins.predicted), list(bins.observed), list(bins.rows), title))


def churn_calibration(trained: TrainedChurn) -> pd.DataFrame | None:
    """Compare the probability of no order in 13 weeks with the share of retailers without one, on origins that were not seen.

    Returns
    -------
    pandas.DataFrame or None
        ``predicted``, ``observed`` (shares) and ``rows`` (count) by bins of equally many retailers; None where there are too few.
    """
    rows = trained.test[trained.test.horizon_weeks == PLOTTED_HORIZON]
    if len(rows) < BINS:
        return None
    return _calibration_bins(stacked_probabilities(trained.twin, rows), rows.no_order.to_numpy(dtype=float))


def _calibration_bins(probabilities: np.ndarray, outcomes: np.ndarray) -> pd.DataFrame:
    """Mean probability and observed share by bins of equally many rows."""
    rank = pd.Series(probabilities).rank(method="first")
    grouped = pd.DataFrame({"p": probabilities, "y": outcomes}).groupby(pd.qcut(rank, BINS, labels=False))
    return grouped.agg(predicted=("p", "mean"), observed=("y", "mean"), rows=("y", "size"))


def _finite(table: pd.DataFrame) -> list[dict[str, object]]:
    """Rows of a table for JSON, which knows neither NaN nor infinity."""
    rows = table.replace([np.inf, -np.inf], np.nan).astype(object)
    return [{str(name): value for name, value in row.items()} for row in rows.where(rows.notna(), None).to_dict(orient="records")]


def _example(trained: TrainedChurn) -> pd.DataFrame:
    names = ["retailer_id", *trained.model.features, *(name for name in ORDER_COLUMNS if name in trained.labelled)]
    return trained.labelled[names].drop_duplicates("retailer_id").head(EXAMPLE_ROWS).reset_index(drop=True)
