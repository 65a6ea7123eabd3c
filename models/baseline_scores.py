"""What has every baseline of churn in common: its name, the frame it scores, its calibration, its file?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from contracts.weeks import CHURN_HORIZONS
from models.calibration import log_odds
from models.clustered_platt import ClusteredPlatt, fit_clustered_platt

FloatArray = npt.NDArray[np.float64]

RECENCY, OWN_GAP, LOG_RFM, PARETO_NBD, ALL_FEATURES = "recency", "own_gap", "log_rfm", "pareto_nbd", "all_features"
SIMPLEST_FIRST = (RECENCY, OWN_GAP, LOG_RFM, PARETO_NBD, ALL_FEATURES)
"""The baselines, from the simplest on."""

RIVALS = (RECENCY, OWN_GAP, LOG_RFM, PARETO_NBD)
"""Those that the model must beat to score. Logistic regression on all features is measured beside them, without a veto."""

BASELINE_FILE = "churn_baseline.json"


class ChurnBaseline(Protocol):
    """A forecast that the churn model must beat, and that scores where it does not."""

    @property
    def name(self) -> str:
        """One of SIMPLEST_FIRST."""

    @property
    def calibration(self) -> ClusteredPlatt:
        """The one map for all horizons."""

    def predict(self, retailers: pd.DataFrame) -> pd.DataFrame:
        """Return retailer_id, p_churn_4w … p_churn_26w (none above the one before it) and scored_by, in the order given."""

    def probabilities(self, rows: pd.DataFrame) -> FloatArray:
        """Return P(no order) for the horizon_weeks of each row, shape (rows,)."""

    def save(self, folder: Path) -> None:
        """Write it as text into a folder that exists."""


def scores_of(retailers: pd.DataFrame, curves: FloatArray, scored_by: str) -> pd.DataFrame:
    """Return probabilities, shape (retailers, horizons), as the frame that `ChurnBaseline.predict` promises.

    >>> shops = pd.DataFrame({"retailer_id": ["R1"]})
    >>> scores_of(shops, np.array([[0.4, 0.3, 0.2, 0.1]]), "rule").iloc[0].to_dict()
    {'retailer_id': 'R1', 'p_churn_4w': 0.4, 'p_churn_8w': 0.3, 'p_churn_13w': 0.2, 'p_churn_26w': 0.1, 'scored_by': 'rule'}
    """
    scores = pd.DataFrame({"retailer_id": retailers["retailer_id"].to_numpy()})
    for column, weeks in enumerate(CHURN_HORIZONS):
        scores[f"p_churn_{weeks}w"] = curves[:, column]
    return scores.assign(scored_by=scored_by)


def learned_calibration(probabilities: npt.ArrayLike, calibrate: pd.DataFrame, outcome: str) -> ClusteredPlatt:
    """Return the one map for all horizons that later origins give, as for the churn model.

    Parameters
    ----------
    probabilities
        Of the rows of ``calibrate``, by a forecast that knows none of their outcomes, shape (rows,).
    calibrate
        retailer_id and the outcome; may be empty.
    outcome
        Its column.
    """
    return fit_clustered_platt(log_odds(probabilities), calibrate[outcome].astype(bool), calibrate["retailer_id"])


def calibrated(calibration: ClusteredPlatt, probabilities: npt.ArrayLike) -> FloatArray:
    """Return calibrated probabilities, of the shape given.

    >>> calibrated(ClusteredPlatt(intercept=-1.0), [0.5]).round(3)
    array([0.269])
    """
    return np.asarray(expit(calibration.apply(log_odds(probabilities))), dtype=np.float64)


def baseline_text(stored: Mapping[str, Any]) -> str:
    """Return what a baseline is made of as the JSON of its file."""
    return json.dumps(stored, indent=1, ensure_ascii=False)
