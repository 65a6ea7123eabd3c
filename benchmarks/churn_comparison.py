"""How are forecasts of churn compared on test rows: figures with intervals clustered by retailer, and differences on the same resamples?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.records import printed_table
from models.baseline_scores import ALL_FEATURES
from models.clustered_bootstrap import METRICS, ResampledScores, resample_scores
from models.promotion_gate import MODEL

FloatArray = npt.NDArray[np.float64]

RESAMPLES = 500
LEVEL = 0.95
DECIDING = ("average_precision_score", "brier_skill_score")
"""In which the model must be ahead of the logistic regression on all features."""

HEADINGS = {
    "auc_score": "AUC",
    "average_precision_score": "AP",
    "top_decile_lift_score": "lift",
    "brier_skill_score": "skill",
    "calibration_loss": "ECE",
    "at_risk_ratio": "p÷obs",
    "expected_profit_score": "profit",
}


Ends = list[float | None]
"""An estimate and the ends of its interval; None where it is not defined."""


class Comparison(TypedDict):
    """Figures of several forecasts on the same rows; the ends by forecast, or rival, and metric."""

    rows: int
    retailers: int
    events: int
    retailers_with_events: int
    figures: dict[str, dict[str, Ends]]
    model_less: dict[str, dict[str, Ends]]


def compared(rows: pd.DataFrame, outcome: str, forecasts: Mapping[str, FloatArray], values: FloatArray) -> Comparison:
    """Measure forecasts of one outcome on the same rows.

    Parameters
    ----------
    rows
        Test rows: retailer_id and the outcome.
    outcome
        Column, 0 or 1.
    forecasts
        Probabilities by name, in the order of the rows.
    values
        Money of each retailer, for the expected profit per row.

    Returns
    -------
    Comparison
        With the differences of the model less each baseline.
    """
    yes = rows[outcome].to_numpy(dtype=np.float64)
    scores = resample_scores(yes, forecasts, rows["retailer_id"], values=values, resamples=RESAMPLES, level=LEVEL)
    rivals = [name for name in forecasts if name != MODEL]
    return {
        "rows": len(rows),
        "retailers": int(rows["retailer_id"].nunique()),
        "events": int(yes.sum()),
        "retailers_with_events": int(rows.loc[yes > 0, "retailer_id"].nunique()),
        "figures": {name: {metric: _ends(scores, name, metric) for metric in METRICS} for name in forecasts},
        "model_less": {rival: {metric: _ends(scores, MODEL, metric, rival) for metric in METRICS} for rival in rivals},
    }


def told(name: str, comparison: Comparison) -> str:
    """Return a comparison as a table and the deciding differences as sentences."""
    cells = [[rival, *(_cell(kept[metric]) for metric in HEADINGS)] for rival, kept in comparison["figures"].items()]
    lead = comparison["model_less"][ALL_FEATURES]
    differences = [f"model less {ALL_FEATURES}, {HEADINGS[metric]}: {_cell(lead[metric])}" for metric in DECIDING]
    counted = f"{name}: {comparison['rows']} rows, {comparison['events']} events of {comparison['retailers_with_events']} retailers"
    return "\n".join([counted, printed_table(["forecast", *HEADINGS.values()], cells), *differences])


def _ends(scores: ResampledScores, forecast: str, metric: str, rival: str | None = None) -> Ends:
    interval = scores.interval(forecast, metric) if rival is None else scores.difference(forecast, rival, metric)
    return [float(f"{end:.5g}") if np.isfinite(end) else None for end in (interval.estimate, interval.low, interval.high)]


def _cell(ends: Sequence[float | None]) -> str:
    """An estimate with its interval.

    >>> _cell([0.9213, 0.9, 0.94])
    '0.921 [0.900, 0.940]'
    """
    if any(end is None for end in ends):
        return "-"
    estimate, low, high = (f"{end:.3f}" for end in ends)
    return f"{estimate} [{low}, {high}]"
