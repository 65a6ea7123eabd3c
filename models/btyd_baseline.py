"""What does a buy-till-you-die model tell of churn, calibrated like the churn model?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from contracts.churn_targets import NO_ORDER
from contracts.weeks import CHURN_HORIZONS
from models.baseline_scores import (
    BASELINE_FILE,
    PARETO_NBD,
    FloatArray,
    baseline_text,
    calibrated,
    learned_calibration,
    scores_of,
)
from models.btyd import Btyd, NoBtyd, fit_btyd
from models.clustered_platt import ClusteredPlatt


@dataclass(frozen=True)
class BtydBaseline:
    """P(no order in h weeks) of the Pareto/NBD, or of the BG/NBD where that has no likeliest parameters; then calibrated.

    Attributes
    ----------
    btyd
        As fitted.
    calibration
        One map for all horizons.
    """

    btyd: Btyd
    calibration: ClusteredPlatt

    @property
    def name(self) -> str:
        """``pareto_nbd``, whichever of the two it is."""
        return PARETO_NBD

    def predict(self, retailers: pd.DataFrame) -> pd.DataFrame:
        """Return the probability of no order in the next 4, 8, 13 and 26 weeks.

        Parameters
        ----------
        retailers
            One row per retailer: retailer_id, repeat_orders, last_order_age_weeks, age_weeks.

        Returns
        -------
        pd.DataFrame
            In the order given: retailer_id, p_churn_4w … p_churn_26w (none above the one before it), scored_by ``btyd``.
        """
        return scores_of(retailers, self._curves(retailers), "btyd")

    def probabilities(self, rows: pd.DataFrame) -> FloatArray:
        """Return P(no order) for the horizon_weeks of each row, one of CHURN_HORIZONS, shape (rows,)."""
        column = np.searchsorted(CHURN_HORIZONS, rows["horizon_weeks"].to_numpy())
        return self._curves(rows)[np.arange(len(rows)), column]

    def save(self, folder: Path) -> None:
        """Write it as text into a folder that exists."""
        (folder / BASELINE_FILE).write_text(baseline_text(self.to_json()), encoding="utf-8")

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold; ``from_json`` reads it back."""
        return {"name": self.name, "btyd": self.btyd.to_json(), "calibration": asdict(self.calibration)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return what ``to_json`` described."""
        return cls(Btyd.from_json(stored["btyd"]), ClusteredPlatt.from_json(stored["calibration"]))

    def _curves(self, rows: pd.DataFrame) -> FloatArray:
        """Calibrated probabilities, shape (rows, horizons)."""
        return calibrated(self.calibration, self.btyd.p_no_order(rows, CHURN_HORIZONS))


def fit_btyd_baseline(population: pd.DataFrame, calibrate: pd.DataFrame, outcome: str = NO_ORDER) -> BtydBaseline | NoBtyd:
    """Return the baseline, or why there is none.

    Parameters
    ----------
    population
        One row per retailer that ever ordered, those that stopped too, as of a cut-off before the origins of ``calibrate``:
        repeat_orders, last_order_age_weeks, age_weeks.
    calibrate
        One row per retailer, origin and horizon: those columns, retailer_id, horizon_weeks and the outcome; may be empty.
    outcome
        What it is calibrated on: boolean, or 0 and 1.
    """
    fitted = fit_btyd(population)
    if isinstance(fitted, NoBtyd):
        return fitted
    baseline = BtydBaseline(fitted, ClusteredPlatt())
    return replace(baseline, calibration=learned_calibration(baseline.probabilities(calibrate), calibrate, outcome))
