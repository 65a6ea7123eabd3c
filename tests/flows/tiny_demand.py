"""A demand model that is trained at once, for tests of what becomes of models."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.demand import DemandModel, DemandSettings, fit_demand
from models.stacking import FeatureSpace, StackedRows


def tiny_model(
    plain: tuple[str, ...] = ("mean_13w", "order_rate_13w"), categories: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[DemandModel, StackedRows]:
    """A demand model of a few trees on two features and the horizon, and the rows it was made from."""
    rng = np.random.default_rng(1)
    space = FeatureSpace(plain, (), (), categories or {})
    rows = StackedRows(rng.random((400, 3)).astype(np.float32), rng.poisson(1.0, 400).astype(float), np.ones(400))
    fewest = DemandSettings(
        rounds=2, order_rounds=2, members=1, most_rows=400, leaves=3, min_rows_per_leaf=20, learning_rate=0.1, feature_fraction=1.0,
        max_bin=15, max_delta_step=0.7, threads=1, seed=1,
    )  # fmt: skip
    return fit_demand(rows, space, fewest), rows
