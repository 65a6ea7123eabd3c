"""How the demand model is trained and judged: a twin that knows less is judged on weeks it never saw, the model itself learns from all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import ibis
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from contracts.cells import CELLS
from contracts.errors import InputDataError
from contracts.scored import QUANTILES
from contracts.steps import counted
from contracts.weeks import HORIZONS, last_week, target_week
from flows.console import Say
from flows.demand_rows import KEY, DemandRows, draw_pairs, fetch_judged_pairs, gather_rows, target_calendar, training_cut_offs
from flows.settings import Settings
from flows.timing import Stopwatch
from models.demand import DemandForecast, DemandModel, DemandSettings, fit_demand
from models.demand_calibration import Calibration, UnseenWeeks, fit_calibration
from models.evaluation import compare_calibrated, compare_forecasts, judged_weeks
from models.stacking import Floats, StackedRows, column
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

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
    unseen
        What came, as far as no limit hid it.
    """

    origin: date
    pairs: pa.Table
    calendar: list[dict[str, float]]
    unseen: UnseenWeeks

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

    def forecast(self, model: DemandModel, threads: int) -> dict[int, DemandForecast]:
        """Return the forecasts of a model by horizon."""
        return model.predict(self.pairs, self.calendar, QUANTILES, threads)

    def beside(self, forecasts: Mapping[int, DemandForecast]) -> pd.DataFrame:
        """Put forecasts beside what came and the baselines, one row per pair and week."""
        return judged_weeks(self.pairs, forecasts, QUANTILES)

    def judge(self, model: DemandModel, threads: int) -> pd.DataFrame:
        """Return the forecasts of a model beside what came and the baselines, one row per pair and week."""
        return self.beside(self.forecast(model, threads))


@dataclass(frozen=True)
class TrainedDemand:
    """What a training of the demand model gives.

    Attributes
    ----------
    model
        Knows everything up to ``as_of``; its quantiles are calibrated by what the twin missed.
    twin
        Knows nothing of the last eight weeks; its quantiles are as they were learned.
    held_out
        Those weeks.
    weeks
        The twin's forecasts of them, as ``judged_weeks`` has them.
    figures
        As ``compare_forecasts`` and ``compare_calibrated`` have them.
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
    con: Warehouse, settings: Settings, as_of: date, first_week: date, attributes: Sequence[str], say: Say
) -> tuple[DemandRows, JudgedWeeks]:
    """Return what the model and its twin are trained on, and the weeks the twin is judged on.

    Cells must be built, and recovered as of every cut-off of ``cut_offs_to_recover``.
    """
    origin = as_of - HELD_OUT
    cut_offs = training_cut_offs(settings, as_of, first_week)
    rows = gather_rows(con, settings, cut_offs, as_of, origin, attributes, say)
    return rows, fetch_held_out(con, settings, origin, as_of, attributes)


def train_demand(rows: DemandRows, held_out: JudgedWeeks, settings: Settings, watch: Stopwatch, say: Say) -> TrainedDemand:
    """Train the model and its twin, and judge the twin; needs no warehouse, so that others can use it meanwhile.

    Raises
    ------
    InputDataError
        If nothing was ordered in the weeks to judge on.
    """
    held_out.require_demand()
    with watch("lightgbm"):
        # sizes of orders are learned from training rows, so that the held-out weeks stay unseen
        twin = fit_demand(rows.early, rows.space, demand_settings(settings), say)
    say(counted(rows.early.units.size, "pair-weeks trained the twin of the demand model"))
    with watch("judging"):
        forecasts = held_out.forecast(twin, settings.demand.lightgbm.num_threads)
        weeks = held_out.beside(forecasts)
        figures = compare_forecasts(weeks, QUANTILES) | calibrated_figures(twin, forecasts, held_out, settings.demand.seed)
        calibration = learn_calibration(twin, forecasts, held_out.unseen, settings.demand.seed)
    everything = rows.early.settle() if rows.late is None else StackedRows.concatenate([rows.early.settle(), rows.late])
    with watch("lightgbm"):
        model = fit_demand(everything, rows.space, demand_settings(settings), say)
    say(counted(everything.units.size, "pair-weeks trained the demand model"))
    return TrainedDemand(replace(model, calibration=calibration), twin, held_out, weeks, figures, everything)


def learn_calibration(
    twin: DemandModel, forecasts: Mapping[int, DemandForecast], unseen: UnseenWeeks, seed: int, pairs: npt.NDArray[np.bool_] | None = None
) -> Calibration | None:
    """Learn from weeks that a twin has not seen how to calibrate quantiles, from the chosen pairs or from all."""
    p_order, mean_units = stacked(forecasts)
    chosen = np.ones(len(p_order), dtype=bool) if pairs is None else pairs
    weeks = UnseenWeeks(unseen.least_units[chosen], unseen.hidden[chosen])
    return fit_calibration(twin.sizes, p_order[chosen], mean_units[chosen], weeks, seed)


def calibrated_figures(twin: DemandModel, forecasts: Mapping[int, DemandForecast], held_out: JudgedWeeks, seed: int) -> dict[str, float]:
    """Judge the calibration: learned from every second pair, it is held against the others, and the other way round."""
    n = held_out.pairs.num_rows
    odd = np.arange(n) % 2 == 1
    p_order, mean_units = stacked(forecasts)
    actual = np.stack([column(held_out.pairs, f"target_{horizon}") for horizon in HORIZONS], axis=1)
    quantiles, ends = np.empty((n, len(HORIZONS), len(QUANTILES))), np.empty((n, 2))
    for half in (odd, ~odd):
        learned = learn_calibration(twin, forecasts, held_out.unseen, seed, ~half)
        if learned is None:
            return {}
        calibrated = replace(twin, calibration=learned)
        for position in range(len(HORIZONS)):
            quantiles[half, position] = calibrated.quantiles(p_order[half, position], mean_units[half, position], QUANTILES)
        ends[half] = np.stack(learned.totals.interval(p_order[half].sum(axis=1), mean_units[half].sum(axis=1)), axis=1)
    return compare_calibrated(actual, quantiles, QUANTILES, ends)


def stacked(forecasts: Mapping[int, DemandForecast]) -> tuple[Floats, Floats]:
    """Return probability of any demand and mean units by pair and horizon (n, 8)."""
    weeks = [forecasts[horizon] for horizon in HORIZONS]
    return np.stack([week.p_order for week in weeks], axis=1), np.stack([week.mean_units for week in weeks], axis=1)


def fetch_held_out(con: Warehouse, settings: Settings, origin: date, known: date, attributes: Sequence[str]) -> JudgedWeeks:
    """Return pairs as of a past Sunday with what came by ``known``, at most as many as the settings say."""
    pairs = fetch_judged_pairs(con, settings, origin, known, attributes)
    drawn = draw_pairs(pairs, settings.demand.max_judged_pairs, settings.demand.seed)
    return JudgedWeeks(origin, drawn, target_calendar(con, settings, origin), _unseen_weeks(con, drawn, origin, known))


def _unseen_weeks(con: Warehouse, pairs: pa.Table, origin: date, known: date) -> UnseenWeeks:
    """Return what came of judged pairs; a week at a floor teaches nothing of upper quantiles and is left out."""
    cells = contract_table(CELLS)
    ahead = cells.week_start.between(ibis.literal(target_week(origin, HORIZONS[0])), ibis.literal(last_week(known)))
    limited = cells.filter(ahead, cells.censoring.isin(["cap", "band", "floor"])).select(*KEY, "week_start", "lower_units", "censoring")
    least = np.stack([column(pairs, f"target_{horizon}") for horizon in HORIZONS], axis=1)
    hidden = np.zeros(least.shape, dtype=bool)
    place = pd.Series(np.arange(pairs.num_rows), index=pd.MultiIndex.from_frame(pairs.select(KEY).to_pandas()))
    cells_ahead = fetch(con, limited).to_pandas()
    row = place.reindex(pd.MultiIndex.from_frame(cells_ahead[list(KEY)])).to_numpy()
    week = (pd.to_datetime(cells_ahead.week_start) - pd.Timestamp(target_week(origin, HORIZONS[0]))).dt.days.to_numpy() // 7
    judged = ~np.isnan(row) & (week < len(HORIZONS))
    at = row[judged].astype(np.int64), week[judged]
    floored = cells_ahead.censoring.eq("floor").to_numpy()[judged]
    least[at] = np.where(floored, np.nan, cells_ahead.lower_units.to_numpy(dtype=np.float64)[judged])
    hidden[at] = ~floored
    return UnseenWeeks(least, hidden)


def demand_settings(settings: Settings) -> DemandSettings:
    """Return the settings in the model's own words."""
    trees = settings.demand.lightgbm
    return DemandSettings(
        rounds=trees.num_iterations,
        order_rounds=trees.order_num_iterations,
        members=settings.demand.members,
        most_rows=settings.demand.max_training_rows,
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
