"""What does the time since the last order alone tell about churn?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RecencyBaseline:
    """Logistic regression on ln(1 + weeks since the last order), the logarithm of the horizon and their product.

    Its AUC within one horizon is that of the weeks since the last order themselves.

    Attributes
    ----------
    intercept, coefficients
        Of ln(1 + recency), ln horizon, and their product.
    """

    intercept: float
    coefficients: tuple[float, float, float]

    def predict(self, rows: pd.DataFrame) -> FloatArray:
        """Return the probability of no order per row of recency_weeks and horizon_weeks, shape (rows,)."""
        odds = self.intercept + _terms(rows) @ np.asarray(self.coefficients)
        return np.asarray(1 / (1 + np.exp(-odds)), dtype=np.float64)


def fit_recency_baseline(rows: pd.DataFrame) -> RecencyBaseline:
    """Return the baseline that labelled rows give.

    Parameters
    ----------
    rows
        recency_weeks, horizon_weeks, no_order; both outcomes present.
    """
    fitted = LogisticRegression(C=1e6, max_iter=1000).fit(_terms(rows), rows["no_order"].astype(bool))
    recency, horizon, product = map(float, fitted.coef_[0])
    return RecencyBaseline(float(fitted.intercept_[0]), (recency, horizon, product))


def _terms(rows: pd.DataFrame) -> FloatArray:
    """Terms of the regression, shape (rows, 3)."""
    recency = np.log1p(rows["recency_weeks"].to_numpy(dtype=np.float64))
    horizon = np.log(rows["horizon_weeks"].to_numpy(dtype=np.float64))
    return np.column_stack([recency, horizon, recency * horizon])
