"""The demand model: mean, probability of any demand and quantiles for each pair and each of the next eight weeks.

One model serves all horizons: the horizon is a feature. The mean is a Poisson boosting on top of the pair's own level (its logarithm is
the initial score), so that trees learn departures from the level and not the level itself, grown several times (models.mean_boosters);
the probability of any demand is a second boosting on the same rows; quantiles follow from both (models.sizes), read at levels that held on
weeks the model had not seen (models.conformal); totals of the eight weeks have a law of their own (models.totals).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pyarrow as pa

from contracts.errors import InputDataError, TrackingError
from contracts.steps import Part
from contracts.weeks import HORIZONS
from models.demand_calibration import Calibration
from models.mean_boosters import MeanBoosters, fit_members
from models.opening import open_weeks
from models.sizes import SizeQuantiles, fit_sizes
from models.stacking import FeatureSpace, Floats, Matrix, StackedRows, level_units

SIZE_ORDERS = 400_000
"""At most so many orders among the training rows, evenly drawn, teach the sizes of orders."""


@dataclass(frozen=True)
class DemandSettings:
    """How the boosters are grown.

    Attributes
    ----------
    rounds, order_rounds
        Trees of each booster of the mean, and of the probability of any demand.
    members
        Boosters of the mean.
    most_rows
        Rows to draw from, at most.
    leaves, min_rows_per_leaf, learning_rate, feature_fraction, max_bin
        As in LightGBM.
    max_delta_step
        LightGBM's ``poisson_max_delta_step``: second derivatives are multiplied by e to this power, so that a rare huge order
        moves a leaf less.
    threads, seed
        Of LightGBM.
    """

    rounds: int
    order_rounds: int
    members: int
    most_rows: int
    leaves: int
    min_rows_per_leaf: int
    learning_rate: float
    feature_fraction: float
    max_bin: int
    max_delta_step: float
    threads: int
    seed: int

    def lightgbm(self, objective: str) -> dict[str, object]:
        """Return the parameters as LightGBM names them."""
        return {
            "objective": objective,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.min_rows_per_leaf,
            "learning_rate": self.learning_rate,
            "feature_fraction": self.feature_fraction,
            "max_bin": self.max_bin,
            "poisson_max_delta_step": self.max_delta_step,
            "num_threads": self.threads,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "boost_from_average": objective != "poisson",
            "max_cat_to_onehot": 8,
            "verbosity": -1,
        }


@dataclass(frozen=True)
class DemandForecast:
    """Forecast of one horizon, one entry per pair: expected units, probability of any demand, and quantiles (n, levels) in units."""

    mean_units: Floats
    p_order: Floats
    quantiles: Floats


@dataclass(frozen=True)
class DemandModel:
    """A fitted demand model.

    Attributes
    ----------
    space
        The columns it sees.
    mean, order
        Boosters of log(mean / level), and one of the log-odds of any demand.
    sizes
        Sizes of orders by how likely they were and by expected size.
    calibration
        Of its quantiles; None reads the law of a week as it is, and knows no totals.
    """

    space: FeatureSpace
    mean: MeanBoosters
    order: lgb.Booster
    sizes: SizeQuantiles
    calibration: Calibration | None = None

    def predict(
        self,
        pairs: pa.Table,
        calendar: Sequence[Mapping[str, float]],
        levels: Sequence[float],
        threads: int,
        horizons: Iterable[int] = HORIZONS,
    ) -> dict[int, DemandForecast]:
        """Forecast every pair for every horizon, or for some.

        Parameters
        ----------
        pairs
            Pair features of one cut-off (n rows).
        calendar
            Calendar columns of the target weeks, the first for horizon 1.
        levels
            Quantile levels in rising order.
        horizons
            Those to forecast.

        Returns
        -------
        dict
            ``DemandForecast`` by horizon in weeks, in the order of ``pairs``.

        Raises
        ------
        TrackingError
            If the model takes features that are not there.
        """
        if missing := self.space.missing_from(pairs):
            raise TrackingError(
                f"demand model: it takes {len(missing)} features that this version of uncap does not make, the first {missing[0]}",
                hint="train again: `uncap train`; or score with the version it was trained by",
            )
        base, level = self.space.pair_block(pairs), level_units(pairs)
        forecasts = {}
        for horizon in horizons:
            matrix = np.hstack([base, self.space.horizon_block(pairs, horizon, calendar[horizon - 1])])
            mean, p_order = self.predict_rows(matrix, level, threads)
            can_order = open_weeks(pairs, horizon)
            quantiles = self.quantiles(p_order, mean, levels) * can_order[:, None]
            forecasts[horizon] = DemandForecast(mean * can_order, p_order * can_order, quantiles)
        return forecasts

    def quantiles(self, p_order: Floats, mean_units: Floats, levels: Sequence[float]) -> Floats:
        """Return quantiles of demand, units (n, levels), of what ``predict_rows`` gave; levels in rising order."""
        asked = levels if self.calibration is None else self.calibration.levels.corrected(p_order, levels)
        return self.sizes.predict(p_order, mean_units, asked)

    def predict_rows(self, matrix: Matrix, level: Floats, threads: int) -> tuple[Floats, Floats]:
        """Return mean units and probability of any demand of stacked rows (n, features)."""
        return predict_boosters(self.mean, self.order, matrix, level, threads)

    def importances(self) -> dict[str, float]:
        """Return the share of the mean's gain by feature, largest first; they sum to 1."""
        gains = self.mean.gains()
        shares = gains / max(gains.sum(), 1e-12)
        return {name: float(share) for share, name in sorted(zip(shares, self.space.names, strict=True), reverse=True)}

    def save(self, folder: Path) -> None:
        """Write the model as text: a LightGBM file for each booster and one JSON file."""
        folder.mkdir(parents=True, exist_ok=True)
        self.mean.save(folder)
        self.order.save_model(folder / "order.txt")
        described: dict[str, Any] = {"space": self.space.to_json(), "sizes": self.sizes.to_json()}
        described |= {"members": len(self.mean.members), "shift": self.mean.shift}
        if self.calibration is not None:
            described["calibration"] = self.calibration.to_json()
        (folder / "demand.json").write_text(json.dumps(described))

    @classmethod
    def load(cls, folder: Path) -> DemandModel:
        """Read what ``save`` wrote; a model of before there was a calibration has none.

        Raises
        ------
        TrackingError
            If a file is missing.
        """
        missing = [name for name in ("demand.json", "order.txt") if not (folder / name).exists()]
        if missing:
            raise TrackingError(
                f"demand model: no {', '.join(missing)} in {folder}", hint="train again, or restore the tracking store's artifacts"
            )
        described = json.loads((folder / "demand.json").read_text())
        learned = described.get("calibration")
        return cls(
            FeatureSpace.from_json(described["space"]),
            MeanBoosters.load(folder, described.get("members"), described.get("shift", 0.0)),
            lgb.Booster(model_file=folder / "order.txt"),
            SizeQuantiles.from_json(described["sizes"]),
            None if learned is None else Calibration.from_json(learned),
        )


def fit_demand(
    rows: StackedRows, space: FeatureSpace, settings: DemandSettings, say: Callable[[str], None] = lambda _: None
) -> DemandModel:
    """Train the boosters, then learn the sizes of orders from the same rows.

    Parameters
    ----------
    rows
        What to train on (n rows); some order must be among them. Weeks in which a floor hid if anything was wanted teach the mean, for
        their units are an expectation, and neither the probability of any demand nor sizes.
    space
        The columns of ``rows.features``.
    say
        Told after each tree how many are grown.

    Raises
    ------
    InputDataError
        If there is no order among the rows: nothing can be learned of sizes, and LightGBM refuses.
    """
    ordered = rows.ordered
    if not ordered.any():
        raise InputDataError(
            [f"order_lines: no order in any of the {rows.units.size} pair-weeks to learn from; expected some"],
            hint="load a longer history, or train as of a later Sunday",
        )
    all_trees, grown = settings.members * settings.rounds + settings.order_rounds, count(1)

    def tell(_: lgb.callback.CallbackEnv) -> None:
        say(Part("growing trees of the demand model", done=next(grown), total=all_trees))

    shared: dict[str, Any] = {"feature_name": list(space.names), "categorical_feature": space.categorical, "free_raw_data": True}

    def grow(drawn: StackedRows, seed: int) -> lgb.Booster:
        parameters = settings.lightgbm("poisson") | {"seed": seed}
        offsets = lgb.Dataset(drawn.features, drawn.units, init_score=np.log(drawn.level), params=parameters, **shared)
        return lgb.train(parameters, offsets, settings.rounds, callbacks=[tell])

    mean = fit_members(rows, settings.members, settings.most_rows, settings.seed, grow, settings.threads)
    told = None if rows.floored is None else (~rows.floored).astype(np.float32)
    any_demand = lgb.Dataset(rows.features, ordered.astype(np.float32), weight=told, params=settings.lightgbm("binary"), **shared)
    order = lgb.train(settings.lightgbm("binary"), any_demand, settings.order_rounds, callbacks=[tell])
    orders = rows.take(np.flatnonzero(ordered)[:: math.ceil(ordered.sum() / SIZE_ORDERS)])
    units, p_order = predict_boosters(mean, order, orders.features, orders.level, settings.threads)
    return DemandModel(space, mean, order, fit_sizes(p_order, units, orders.units))


def predict_boosters(mean: MeanBoosters, order: lgb.Booster, matrix: Matrix, level: Floats, threads: int) -> tuple[Floats, Floats]:
    """Return mean units, level · exp(score), and the probability of any demand."""
    score = mean.scores(matrix, threads)
    p_order = np.asarray(order.predict(matrix, num_threads=threads))
    return level * np.exp(score), p_order
