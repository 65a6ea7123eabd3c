"""What a training of the demand model leaves in the tracking store: parameters, figures against baselines, pictures, lineage, the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from contracts.scored import QUANTILES
from contracts.weeks import HORIZONS
from flows.country import save_calendar, taught_calendar, with_calendar
from flows.features_made import demand_features, features_version
from flows.judged_origins import demand_rule, judge_demand
from flows.judgement import Training, log_verdict
from flows.plots import calibration, feature_importance, forecast_vs_naive, quantile_coverage
from flows.registering import FINAL, RECOVERY, TWIN, Judged, Verdict, carry_out, decide
from flows.registry import FEATURES_TAG
from flows.settings import Settings
from flows.tracking import DEMAND_MODEL, ModelVersion, TableLineage, TrackedRun, model_folder, tracked_run
from flows.train_demand import CRITERION, TrainedDemand, coverage_by_level
from flows.training import TrainingRows
from models.demand import DemandModel
from models.demand_serving import ServedDemand, served_rows
from models.drift import FEATURE_BINS
from models.evaluation import FORECASTS, order_calibration
from models.metrics import forecast_value_added_score, grouped_wape_loss
from models.recensoring import Recensoring
from models.stacking import StackedRows

EXAMPLE_ROWS = 5
HEADLINES = {
    "headline.pinball_loss": "model.pinball_loss",
    "headline.pair_8w_wape_loss": "model.pair_8w_wape_loss",
    "headline.sku_week_wape_loss": "model.sku_week_wape_loss",
    "headline.bias": "model.bias",
}


def register_demand(settings: Settings, rows: TrainingRows, trained: TrainedDemand, run: Training, folder: Path) -> Verdict:
    """Log a trained demand model with the recovery it rests on, register both as one, and promote it if it deserves it."""
    settings = with_calendar(settings, rows.history.calendar)
    recovery, threads = rows.recovery, settings.demand.lightgbm.num_threads
    _save(rows, trained, folder)
    example = served_rows(_first(trained.rows, EXAMPLE_ROWS), trained.model.space.names)
    tags = run.tags(rows.history.as_of) | {FEATURES_TAG: features_version(demand_features(trained.model.space))}
    with tracked_run(settings, f"demand {rows.history.as_of}", tags) as tracked:
        _log(tracked, settings, trained, rows.history.lineage)
        tracked.log_metrics(run.watch.metrics() | rows.identified.metrics())
        if recovery is not None:
            tracked.log_document("recovery.json", _recovery_choice(recovery))
            tracked.log_metrics(_recovery_metrics(recovery))
        registered = tracked.register_model(
            DEMAND_MODEL,
            folder,
            model_class="models.demand_serving:ServedDemand",
            input_example=example,
            output_example=ServedDemand(trained.model).predict(example),
        )
        judged = judge_demand(trained.twin, rows.judged, threads) or ()

        def judge_rival(rival: ModelVersion) -> Judged | None:
            theirs = model_folder(settings, rival)
            # features of another country's holidays have the same names and mean something else
            if taught_calendar(settings, theirs) != rows.history.calendar:
                return None
            return judge_demand(DemandModel.load(theirs / TWIN), rows.judged, threads)

        decision = decide(settings, registered, judged, judge_rival, demand_rule(settings), run.due)
        best = min(("seasonal_naive", "recent_mean"), key=lambda name: trained.figures[f"{name}.pinball_loss"])
        verdict = Verdict(
            DEMAND_MODEL,
            registered.version,
            decision,
            "pinball loss",
            trained.figures[CRITERION],
            judged,
            best.replace("_", " "),
            trained.figures[f"{best}.pinball_loss"],
        )
        log_verdict(settings, tracked, registered, verdict)
    carry_out(settings, registered, decision)
    return verdict


def _save(rows: TrainingRows, trained: TrainedDemand, folder: Path) -> None:
    """Write the model, its twin, and all that its features rest on."""
    trained.model.save(folder / FINAL)
    trained.twin.save(folder / TWIN)
    rows.demand.population.save(folder / FEATURE_BINS)
    save_calendar(rows.history.calendar, folder)
    if rows.recovery is not None:
        rows.recovery.save(folder / RECOVERY)


def _recovery_choice(recovery: Recensoring) -> dict[str, object]:
    """Return the family that recovers, all that the choice and its level rest on, and what orders say of requests and of hoarding."""
    judged = {name: [asdict(check) for check in checks] for name, checks in (("checks", recovery.checks), ("held_out", recovery.held_out))}
    hoarding = asdict(recovery.hoarding) if recovery.hoarding else None
    open_weeks = asdict(recovery.open_weeks) if recovery.open_weeks else None
    requests = asdict(recovery.requests) if recovery.requests else None
    level = {"open_weeks": open_weeks, "level": recovery.level, "requests": requests, "requests_believed": recovery.believes_requests}
    return {"family": recovery.family, **level, "negative_binomial_left_out": recovery.left_out, "hoarding": hoarding, **judged}


def _recovery_metrics(recovery: Recensoring) -> dict[str, float]:
    """Return how well each family finds sizes again that were capped on purpose or foretells orders held out, and the rate of hoarding."""
    rate = {"recovery.hoarding_rate": recovery.hoarding.rate} if recovery.hoarding else {}
    if recovery.open_weeks is not None:
        rate |= {"recovery.open_weeks_ratio": recovery.open_weeks.ratio, "recovery.level": recovery.level}
    if recovery.requests is not None:
        rate |= {"recovery.requests_ratio": recovery.requests.ratio}
    foretold = {
        f"recovery.{check.family}.held_out_orders.{name}": value
        for check in recovery.held_out
        for name, value in (("log_loss", check.log_loss), ("capped_bias", check.capped_bias))
    }
    return (
        rate
        | foretold
        | {
            f"recovery.{check.family}.{check.where.replace(' ', '_')}.{name}": value
            for check in recovery.checks
            for name, value in (("bias", check.bias), ("wape_loss", check.wape))
        }
    )


def _log(tracked: TrackedRun, settings: Settings, trained: TrainedDemand, lineage: Sequence[TableLineage]) -> None:
    tracked.log_parameters({"demand": settings.demand.model_dump(), "recovery": settings.recovery.model_dump()})
    tracked.log_parameters({"calendar": settings.calendar.model_dump()})
    tracked.log_parameters(
        {"rows": trained.rows.units.size, "features": len(trained.model.space.names), "judged_as_of": trained.held_out.origin}
    )
    figures = trained.figures
    added = {
        f"value_added_score.{name}": forecast_value_added_score(figures["model.pair_8w_wape_loss"], figures[f"{name}.pair_8w_wape_loss"])
        for name in FORECASTS[1:]
    }
    tracked.log_metrics(figures | added | {headline: figures[name] for headline, name in HEADLINES.items()})
    tracked.log_lineage(lineage)
    importances = trained.model.importances()
    tracked.log_document("feature_importances.json", importances)
    tracked.log_figure(
        "plots/feature_importance.png", feature_importance(list(importances), list(importances.values()), "Demand: what the mean rests on")
    )
    orders = order_calibration(trained.weeks[trained.weeks.order_known])
    title = f"Probability of any demand, eight weeks after {trained.held_out.origin}"
    tracked.log_figure("plots/order_calibration.png", calibration(list(orders.predicted), list(orders.observed), list(orders.weeks), title))
    tracked.log_figure("plots/quantile_coverage.png", quantile_coverage(QUANTILES, coverage_by_level(trained.weeks)))
    losses = _losses_by_horizon(trained.weeks)
    tracked.log_document("sku_wape_by_horizon.json", losses)
    tracked.log_figure("plots/error_by_horizon.png", forecast_vs_naive(losses, measure="WAPE per SKU and week, %"))


def _losses_by_horizon(weeks: pd.DataFrame) -> dict[str, list[float | None]]:
    """Return the WAPE per SKU of each week ahead, in percent, by forecast; None for a week in which nobody wanted anything."""
    parts = [weeks[weeks.horizon_weeks == horizon] for horizon in HORIZONS]

    def loss(part: pd.DataFrame, name: str) -> float | None:
        actual = part.actual.to_numpy()
        return 100 * grouped_wape_loss(actual, part[name].to_numpy(), [part.sku_id]) if actual.sum() > 0 else None

    return {name.replace("_", " "): [loss(part, name) for part in parts] for name in FORECASTS}


def _first(rows: StackedRows, n: int) -> StackedRows:
    return rows.take(np.arange(min(n, rows.units.size)))
