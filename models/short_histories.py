"""How likely is a retailer with a history too short for the trees to stay silent, by a law of random orders?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from contracts.weeks import CHURN_HORIZONS
from models.btyd import Btyd, NoBtyd, fit_btyd
from models.calibration import log_odds
from models.churn_columns import HORIZON
from models.churn_interval import Curves, curves_of_odds
from models.clustered_platt import ClusteredPlatt, fit_clustered_platt
from models.repeat_orders import ORDER_COLUMNS


@dataclass(frozen=True)
class ShortHistories:
    """A buy-till-you-die model, calibrated on retailers with short histories.

    Attributes
    ----------
    btyd
        Fitted on every retailer that ever ordered.
    calibration
        One map for all horizons; near the identity where few short histories are known.
    """

    btyd: Btyd
    calibration: ClusteredPlatt

    def curves(self, retailers: pd.DataFrame) -> Curves:
        """Return P(no order in h weeks); the bounds are those of the calibration, the law's own four numbers count as known.

        Parameters
        ----------
        retailers
            One row per retailer: ORDER_COLUMNS.
        """
        raw = log_odds(self.btyd.p_no_order(retailers, CHURN_HORIZONS))
        return curves_of_odds(self.calibration.apply(raw), self.calibration.variance(raw))

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold; ``from_json`` reads it back."""
        return {"btyd": self.btyd.to_json(), "calibration": asdict(self.calibration)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read what ``to_json`` wrote."""
        return cls(Btyd.from_json(stored["btyd"]), ClusteredPlatt.from_json(stored["calibration"]))


def knows_orders(rows: pd.DataFrame) -> bool:
    """Return whether the rows have what the law sees."""
    return all(name in rows.columns for name in ORDER_COLUMNS)


def fit_short_histories(population: pd.DataFrame, short: pd.DataFrame) -> ShortHistories | NoBtyd:
    """Return the law of random orders that fits everybody, calibrated on short histories of later origins.

    Parameters
    ----------
    population
        One row per retailer that ever ordered, those that stopped too: ORDER_COLUMNS.
    short
        One row per retailer with a short history, origin and horizon: ORDER_COLUMNS, retailer_id, horizon_weeks, no_order. May be empty.
    """
    if not knows_orders(population):
        return NoBtyd("orders of the retailers are not known")
    btyd = fit_btyd(population)
    if isinstance(btyd, NoBtyd):
        return btyd
    if short.empty or not knows_orders(short):
        return ShortHistories(btyd, fit_clustered_platt([], [], []))
    curves = btyd.p_no_order(short, CHURN_HORIZONS)
    raw = curves[np.arange(len(short)), np.searchsorted(CHURN_HORIZONS, short[HORIZON].to_numpy())]
    return ShortHistories(btyd, fit_clustered_platt(log_odds(raw), short["no_order"].astype(bool), short["retailer_id"]))
