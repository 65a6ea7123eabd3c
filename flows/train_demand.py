"""How the demand model is trained and judged: a twin that knows less is judged on weeks it never saw, the model itself learns from all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
from ibis.backends.duckdb import Backend

from contracts.errors import InputDataError
from contracts.scored import QUANTILES
from contracts.weeks import HORIZONS
from flows.demand_rows import DemandRows, draw_pairs, fetch_judged_pairs, gather_rows, target_calendar, training_cut_offs
from flows.settings import Settings
from flows.timing import Stopwatch
from models.demand import DemandModel, DemandSettings, fit_demand
from models.evaluation import compare_forecasts, judged_weeks
from models.stacking import StackedRows, column

HELD_OUT = timedelta(weeks=len(HORIZONS))
"""The twin knows nothing of the last eight weeks: they are what it is judged on."""

CRITERION = "model.pinball_loss"
"""A challenger must not have more of this than the champion: it judges mean and spread at once, and no bias can lower it."""


@dataclass(frozen=True)
class JudgedWeeks:
    """Pairs as of a past Sunday, what came, and the calendar of the weeks.

    Attributes
    ----------
    origin
        The Sunday.
    pairs
        Features, ``target_{h}`` and ``naive_{h}`` of each pair.
    calendar
        Of the eight target weeks.
    """

    origin: date
    pairs: pa.Table
    calendar: list[dict[str, float]]

    def require_demand(self) -> None:
        """Refuse weeks without any demand: no forecast can be told from another on them.

        Raises
        ------
        InputDataError
            Naming the weeks.
        """
        if not any(np.nansum(column(self.pairs, f"target_{horizon}")) > 0 for horizon in HORIZONS):
            raise InputDataError(
                [f"raw.order_lines: no open week with an order of a known pair in the 8 weeks after {self.origin}; expected some"],
                hint="train as of a Sunday with orders in the eight weeks before it",
            )

    def judge(self, model: DemandModel, threads: int) -> pd.DataFrame:
        """Return the forecasts of a model beside what came and the baselines, one row per pair and week."""
        return judged_weeks(self.pairs, model.predict(self.pairs, self.calendar, QUANTILES, threads), QUANTILES)


@dataclass(frozen=True)
class TrainedDemand:
    """What a training of the demand model gives.

    Attributes
    ----------
    model
        Knows everything up to ``as_of``.
    twin
        Knows nothing of the last eight weeks.
    held_out
        Those weeks.
    weeks
        The twin's forecasts of them, as ``judged_weeks`` has them.
    figures
        As ``compare_forecasts`` has them.
    rows
        What it was trained on.
    """

    model: DemandModel
    twin: DemandModel
    held_out: JudgedWeeks
    weeks: pd.DataFrame
    figures: dict[str, float]
    rows: StackedRows


def cut_offs_to_recover(settings: Settings, as_of: date, first_week: date) -> set[date]:
    """Return every Sunday as of which a training needs recovered demand."""
    return {as_of, as_of - HELD_OUT, *training_cut_offs(settings, as_of, first_week)}


def gather_demand(
    con: Backend, settings: Settings, as_of: date, first_week: date, attributes: Sequence[str]
) -> tuple[DemandRows, JudgedWeeks]:
    """Return what the model and its twin are trained on, and the weeks the twin is judged on.

    Cells must be built, and recovered as of every cut-off of ``cut_offs_to_recover``.
    """
    origin = as_of - HELD_OUT
    cut_offs = training_cut_offs(settings, as_of, first_week)
    rows = gather_rows(con, settings, cut_offs, as_of, origin, attributes)
    return rows, fetch_held_out(con, settings, origin, as_of, attributes)


def train_demand(rows: DemandRows, held_out: JudgedWeeks, settings: Settings, watch: Stopwatch) -> TrainedDemand:
    """Train the model and its twin, and judge the twin; needs no warehouse, so that others can use it meanwhile.

    Raises
    ------
    InputDataError
        If nothing was ordered in the weeks to judge on.
    """
    held_out.require_demand()
    with watch("lightgbm"):
        # sizes of orders are learned from training rows, so that the held-out weeks stay unseen
        twin = fit_demand(rows.early, rows.space, demand_settings(settings))
    with watch("judging"):
        weeks = held_out.judge(twin, settings.demand.lightgbm.num_threads)
        figures = compare_forecasts(weeks, QUANTILES)
    everything = rows.early if rows.late is None else StackedRows.concatenate([rows.early, rows.late])
    with watch("lightgbm"):
        model = fit_demand(everything, rows.space, demand_settings(settings))
    return TrainedDemand(model, twin, held_out, weeks, figures, everything)


def fetch_held_out(con: Backend, settings: Settings, origin: date, known: date, attributes: Sequence[str]) -> JudgedWeeks:
    """Return pairs as of a past Sunday with what came by ``known``, at most as many as the settings say."""
    pairs = fetch_judged_pairs(con, settings, origin, known, attributes)
    drawn = draw_pairs(pairs, settings.demand.max_judged_pairs, settings.demand.seed)
    return JudgedWeeks(origin, drawn, target_calendar(con, settings, origin))


def demand_settings(settings: Settings) -> DemandSettings:
    """Return the settings in the model's own words."""
    trees = settings.demand.lightgbm
    return DemandSettings(
        rounds=trees.num_iterations,
        order_rounds=trees.order_num_iterations,
        leaves=trees.num_leaves,
        min_rows_per_leaf=trees.min_data_in_leaf,
        learning_rate=trees.learning_rate,
        feature_fraction=trees.feature_fraction,
        max_bin=trees.max_bin,
        max_delta_step=trees.poisson_max_delta_step,
        threads=trees.num_threads,
        seed=settings.demand.seed,
    )


def coverage_by_level(weeks: pd.DataFrame) -> list[float]:
    """Return the share of weeks in which no more came than each quantile."""
    actual = weeks.actual.to_numpy()
    return [float(np.mean(actual <= weeks[f"q{level}"].to_numpy())) for level in QUANTILES]
