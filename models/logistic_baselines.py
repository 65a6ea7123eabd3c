"""What do regressions on silence, on the own rhythm, on recency, frequency and money, and on all features tell of churn?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.churn_targets import NO_ORDER
from contracts.weeks import CHURN_HORIZONS
from models.baseline_scores import (
    ALL_FEATURES,
    BASELINE_FILE,
    LOG_RFM,
    OWN_GAP,
    RECENCY,
    FloatArray,
    baseline_text,
    calibrated,
    learned_calibration,
    scores_of,
)
from models.churn_origins import OriginSplit, split_origins
from models.clustered_platt import ClusteredPlatt
from models.horizon_logistic import MIDDLE_WEEKS, HorizonLogistic, fit_horizon_logistic, log_loss
from models.logistic_columns import LogisticColumns, learn_columns

PENALTIES = (1000.0, 100.0, 10.0, 1.0)
"""λ tried for the logistic regression on all features, falling: each fit begins where the one before ended."""

MIDDLE_PENALTY = 10.0
"""λ where the rows to train on are of too few origins to choose one."""

WEAK_PENALTY = 1.0
"""λ of the regressions on one to three columns."""

VALIDATION_ORIGINS = 3
"""Origins of the longest horizon, the last to train on, that choose the penalty."""

GAP_COLUMNS = ("own_gap_surprise", "recency_gap_ratio")
RFM_COLUMNS = ("recency_weeks", "order_weeks_52w", "amount_52w")


@dataclass(frozen=True)
class LogisticBaseline:
    """A logistic regression on some columns, whose curve never rises with the horizon; calibrated like the model.

    Attributes
    ----------
    name
        One of SIMPLEST_FIRST.
    columns, curve
        What it sees, and what it makes of it.
    calibration
        One map for all horizons.
    penalty
        λ as chosen.
    """

    name: str
    columns: LogisticColumns
    curve: HorizonLogistic
    calibration: ClusteredPlatt
    penalty: float

    def predict(self, retailers: pd.DataFrame) -> pd.DataFrame:
        """Return the probability of no order in the next 4, 8, 13 and 26 weeks.

        Returns
        -------
        pd.DataFrame
            In the order given: retailer_id, p_churn_4w … p_churn_26w (none above the one before it), scored_by (``rule`` where it
            rests on silence alone).
        """
        matrix = self.columns.matrix(_seen_by(self.name, retailers))
        curves = np.column_stack([calibrated(self.calibration, self.curve.predict(matrix, weeks)) for weeks in CHURN_HORIZONS])
        return scores_of(retailers, curves, "rule" if self.name in (RECENCY, OWN_GAP) else "model")

    def probabilities(self, rows: pd.DataFrame) -> FloatArray:
        """Return P(no order) for the horizon_weeks of each row, shape (rows,)."""
        return calibrated(self.calibration, self.curve.predict(self.columns.matrix(_seen_by(self.name, rows)), rows["horizon_weeks"]))

    def save(self, folder: Path) -> None:
        """Write it as text into a folder that exists."""
        (folder / BASELINE_FILE).write_text(baseline_text(asdict(self)), encoding="utf-8")

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return what `save` wrote."""
        return cls(
            name=stored["name"],
            columns=LogisticColumns.from_json(stored["columns"]),
            curve=HorizonLogistic(**{part: tuple(numbers) for part, numbers in stored["curve"].items()}),
            calibration=ClusteredPlatt.from_json(stored["calibration"]),
            penalty=stored["penalty"],
        )


def fit_recency(split: OriginSplit, outcome: str = NO_ORDER) -> LogisticBaseline:
    """Return the baseline on ln(1 + weeks since the last order).

    Parameters
    ----------
    split
        Labelled rows, one per retailer, origin and horizon: retailer_id, as_of, horizon_weeks, the outcome, recency_weeks.
    outcome
        Column that is foretold: boolean, or 0 and 1.
    """
    return _fit(RECENCY, ("recency_weeks",), split, WEAK_PENALTY, outcome, always_logged=True)


def fit_own_gap(split: OriginSplit, outcome: str = NO_ORDER) -> LogisticBaseline:
    """Return the baseline on the silence in the retailer's own rhythm: its rank among the own gaps, and its ratio to their mean.

    Parameters
    ----------
    split
        As for `fit_recency`, with longer_gaps_share and recency_gap_ratio.
    outcome
        As there.
    """
    return _fit(OWN_GAP, GAP_COLUMNS, split, WEAK_PENALTY, outcome)


def fit_log_rfm(split: OriginSplit, outcome: str = NO_ORDER) -> LogisticBaseline:
    """Return the baseline on ln(1 + recency), ln(1 + weeks with an order) and ln(1 + money), of 52 weeks.

    Parameters
    ----------
    split
        As for `fit_recency`, with order_share_52w, tenure_weeks and amount_52w.
    outcome
        As there.
    """
    return _fit(LOG_RFM, RFM_COLUMNS, split, WEAK_PENALTY, outcome, always_logged=True)


def fit_all_features(split: OriginSplit, features: Sequence[str], outcome: str = NO_ORDER) -> LogisticBaseline:
    """Return the logistic regression on all features, with the penalty that does best on the last origins to train on.

    Where these are too few to be parted, the penalty is MIDDLE_PENALTY.

    Parameters
    ----------
    split
        As for `fit_recency`, with the features.
    features
        Names of columns, text among them.
    outcome
        As there.
    """
    return _fit(ALL_FEATURES, features, split, _chosen_penalty(split.train, features, outcome), outcome)


def _fit(
    name: str, features: Sequence[str], split: OriginSplit, penalty: float, outcome: str, *, always_logged: bool = False
) -> LogisticBaseline:
    """The regression on all that may be learned, calibrated by one that knew the earlier rows only: as the churn model is."""

    def learned(rows: pd.DataFrame) -> LogisticBaseline:
        seen = _seen_by(name, rows)
        columns = learn_columns(seen, features, always_logged=always_logged)
        return LogisticBaseline(name, columns, _curve(_stacked(columns, seen, outcome), penalty), ClusteredPlatt(), penalty)

    if split.calibrate.empty or split.train[outcome].nunique() < 2:
        return learned(split.learn)
    before = learned(split.train).probabilities(split.calibrate)
    return replace(learned(split.learn), calibration=learned_calibration(before, split.calibrate, outcome))


def _chosen_penalty(train: pd.DataFrame, features: Sequence[str], outcome: str) -> float:
    """The penalty with the least log loss on the last origins, by regressions that know none of their outcomes.

    Horizons above 13 weeks are left out of the choice: their windows would cost most of the origins.
    """
    rows = train[train["horizon_weeks"] <= MIDDLE_WEEKS]
    known_on = pd.to_datetime(rows["as_of"]) + pd.to_timedelta(7 * rows["horizon_weeks"], unit="D")
    split = split_origins(rows, known_on.max().date(), calibrate_origins=VALIDATION_ORIGINS, test_origins=0)
    if split.calibrate.empty or split.train[outcome].nunique() < 2:
        return MIDDLE_PENALTY
    columns = learn_columns(split.train, features)
    stacked, judged = _stacked(columns, split.train, outcome), columns.matrix(split.calibrate)
    losses, curve = {}, None
    for penalty in PENALTIES:
        curve = _curve(stacked, penalty, curve)
        p_no_order = curve.predict(judged, split.calibrate["horizon_weeks"])
        losses[penalty] = log_loss(split.calibrate[outcome].astype(bool), p_no_order)
    return min(PENALTIES, key=losses.__getitem__)


@dataclass(frozen=True)
class _Stacked:
    """Rows whose horizons share the columns of a retailer at an origin: see `fit_horizon_logistic`."""

    matrix: FloatArray
    places: npt.NDArray[np.intp]
    horizon_weeks: FloatArray
    outcomes: FloatArray


def _stacked(columns: LogisticColumns, rows: pd.DataFrame, outcome: str) -> _Stacked:
    places = np.asarray(rows.groupby(["retailer_id", "as_of"]).ngroup(), dtype=np.intp)
    _, first = np.unique(places, return_index=True)
    horizons, outcomes = (rows[name].to_numpy(dtype=np.float64) for name in ("horizon_weeks", outcome))
    return _Stacked(columns.matrix(rows.iloc[first]), places, horizons, outcomes)


def _curve(stacked: _Stacked, penalty: float, start: HorizonLogistic | None = None) -> HorizonLogistic:
    return fit_horizon_logistic(stacked.matrix, stacked.places, stacked.horizon_weeks, stacked.outcomes, penalty, start)


def _seen_by(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the column that only this baseline sees."""
    if name == OWN_GAP:
        return rows.assign(own_gap_surprise=-np.log(rows["longer_gaps_share"]))
    if name == LOG_RFM:
        return rows.assign(order_weeks_52w=rows["order_share_52w"] * np.minimum(rows["tenure_weeks"] + 1, 52))
    return rows
