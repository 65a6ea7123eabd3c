"""From which origins are champion and challenger compared, and what does a twin make of the weeks after them?

The twins know nothing of the last eight weeks. They are asked from several Sundays within these: what was ordered up to each is known to
their features, but not to what they learned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa

from contracts.churn_targets import NO_ORDER
from contracts.scored import QUANTILES
from contracts.weeks import HORIZONS, last_week, target_week
from flows.demand_rows import draw_pairs, fetch_judged_pairs, target_calendar
from flows.settings import Settings
from flows.train_churn import stacked_probabilities
from flows.train_demand import HELD_OUT, JudgedWeeks
from models.churn import ChurnModel
from models.classification import auc_score, brier_loss, calibration_loss
from models.demand import DemandModel
from models.evaluation import judged_weeks
from models.metrics import bias, grouped_wape_loss, pinball_loss
from models.promotion_rule import Guard, OriginFigures, PromotionRule
from models.stacking import column
from warehouse.session import Warehouse

TIER = "tier"


@dataclass(frozen=True)
class JudgedOrigin:
    """Pairs as of a Sunday within the held-out weeks.

    Attributes
    ----------
    origin
        The Sunday.
    pairs
        Features, ``target_{h}`` (null where the week was closed) and ``naive_{h}`` of each pair.
    calendar
        Of the eight target weeks.
    horizons
        Those of the weeks that are over.
    """

    origin: date
    pairs: pa.Table
    calendar: Sequence[Mapping[str, float]]
    horizons: tuple[int, ...]

    def weeks(self, model: DemandModel, threads: int) -> pd.DataFrame:
        """Return a model's forecasts beside what came, one row per pair and known week."""
        weeks = judged_weeks(self.pairs, model.predict(self.pairs, self.calendar, QUANTILES, threads, self.horizons), QUANTILES)
        if TIER not in self.pairs.column_names:
            return weeks
        keys = self.pairs.select(["retailer_id", "sku_id", TIER]).to_pandas()
        return weeks.merge(keys, on=["retailer_id", "sku_id"], how="left")


def demand_rule(settings: Settings) -> PromotionRule:
    """Return what a challenger of the demand model must show."""
    lifecycle = settings.lifecycle
    wapes = (Guard(name, None, lifecycle.wape_allowance) for name in ("tier_sku_week_wape_loss", "pair_wape_loss"))
    guards = (Guard("bias", lifecycle.largest_bias, 0.0), *wapes)
    return PromotionRule("pinball_loss", lifecycle.worse_at_origin, lifecycle.worse_when_forced, guards)


def churn_rule(settings: Settings) -> PromotionRule:
    """Return what a challenger of the churn model must show."""
    lifecycle = settings.lifecycle
    guards = (Guard("calibration_loss", lifecycle.largest_calibration_loss, 0.0),)
    return PromotionRule("brier_loss", lifecycle.worse_at_origin, lifecycle.worse_when_forced, guards)


def judged_sundays(settings: Settings, as_of: date) -> list[date]:
    """Return the origins that the demand models are compared from, oldest first."""
    step = timedelta(weeks=settings.lifecycle.origin_spacing_weeks)
    return [as_of - HELD_OUT + step * position for position in range(settings.lifecycle.judged_origins)]


def fetch_judged_origins(
    con: Warehouse, settings: Settings, as_of: date, attributes: Sequence[str], held_out: JudgedWeeks
) -> tuple[JudgedOrigin, ...]:
    """Return the pairs to compare on, at each origin at most as many as the settings say; origins without demand are left out.

    Cells must be built, and recovered as of every origin and of ``as_of``; ``held_out`` has the pairs of its origin already.
    """
    judged = []
    for origin in judged_sundays(settings, as_of):
        known = tuple(horizon for horizon in HORIZONS if target_week(origin, horizon) <= last_week(as_of))
        pairs = held_out.pairs if origin == held_out.origin else fetch_judged_pairs(con, settings, origin, as_of, attributes)
        drawn = draw_pairs(pairs, settings.lifecycle.judged_pairs, settings.demand.seed)
        if any(np.nansum(column(drawn, f"target_{horizon}")) > 0 for horizon in known):
            judged.append(JudgedOrigin(origin, drawn, target_calendar(con, settings, origin), known))
    return tuple(judged)


def judge_demand(model: DemandModel, judged: Sequence[JudgedOrigin], threads: int) -> tuple[OriginFigures, ...] | None:
    """Return what a demand model's twin makes of each origin; None where it takes features that are no longer made."""
    if any(model.space.missing_from(one.pairs) for one in judged):
        return None
    return tuple(_demand_figures(one.origin, one.weeks(model, threads)) for one in judged)


def judge_churn(model: ChurnModel, test: pd.DataFrame) -> tuple[OriginFigures, ...]:
    """Return what a churn model's twin makes of the labelled rows of each origin that it has not seen, over all known horizons."""
    outcomes, p = test[NO_ORDER].to_numpy(dtype=np.float64), stacked_probabilities(model, test)
    origins = pd.to_datetime(test["as_of"])
    judged = []
    for origin in sorted(origins.unique()):
        of_origin = (origins == origin).to_numpy()
        figures = {
            "brier_loss": brier_loss(outcomes[of_origin], p[of_origin]),
            "calibration_loss": calibration_loss(outcomes[of_origin], p[of_origin]),
            "auc_score": auc_score(outcomes[of_origin], p[of_origin]),
        }
        known = {name: figure for name, figure in figures.items() if np.isfinite(figure)}
        judged.append(OriginFigures(pd.Timestamp(origin).date(), int(of_origin.sum()), known))
    return tuple(judged)


def _demand_figures(origin: date, weeks: pd.DataFrame) -> OriginFigures:
    """Bias, pinball loss, and WAPE per tier (where tiers are known), SKU and week and per pair."""
    actual, forecast = weeks.actual.to_numpy(), weeks.model.to_numpy()
    tier = [weeks[TIER].fillna("").astype(str)] if TIER in weeks else []
    figures = {
        "pinball_loss": pinball_loss(actual, weeks[[f"q{level}" for level in QUANTILES]].to_numpy(), QUANTILES),
        "bias": bias(actual, forecast),
        "tier_sku_week_wape_loss": grouped_wape_loss(actual, forecast, [*tier, weeks.sku_id, weeks.horizon_weeks]),
        "pair_wape_loss": grouped_wape_loss(actual, forecast, [weeks.retailer_id, weeks.sku_id]),
    }
    return OriginFigures(origin, len(weeks), figures)
