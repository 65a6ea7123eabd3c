"""The demand model as a model server calls it: a frame of stacked rows in, a frame of forecasts with their quantiles out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from contracts.scored import QUANTILES, quantile_column
from models.demand import DemandModel
from models.stacking import StackedRows

LEVEL = "level_units"


@dataclass(frozen=True)
class ServedDemand:
    """A demand model behind the frame-in, frame-out call of a model server."""

    model: DemandModel

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the folder of a registered model, whose ``final`` holds what ``DemandModel.save`` wrote."""
        return cls(DemandModel.load(folder / "final"))

    def predict(self, stacked: pd.DataFrame) -> pd.DataFrame:
        """Forecast rows.

        Parameters
        ----------
        stacked
            One row per pair and horizon: the columns of the model's feature space, and ``level_units``, the pair's level (units a week).

        Returns
        -------
        pandas.DataFrame
            One row each: ``mean_units``, ``p_order`` and the calibrated quantiles of the week, named as in ``scored.demand_forecast``. The
            server knows no day of opening: before a retailer's or a SKU's first day, what is published is 0.
        """
        matrix = stacked[list(self.model.space.names)].to_numpy(dtype=np.float32)
        mean_units, p_order = self.model.predict_rows(matrix, stacked[LEVEL].to_numpy(dtype=np.float64), threads=1)
        quantiles = self.model.quantiles(p_order, mean_units, QUANTILES)
        named = {quantile_column(level): quantiles[:, position] for position, level in enumerate(QUANTILES)}
        return pd.DataFrame({"mean_units": mean_units, "p_order": p_order, **named})


def served_rows(rows: StackedRows, names: tuple[str, ...]) -> pd.DataFrame:
    """Return stacked rows as the frame that ``ServedDemand.predict`` takes."""
    return pd.DataFrame(rows.features, columns=list(names)).assign(**{LEVEL: rows.level})
