"""What do boosted trees say of a retailer's risk, and how much does that hang on which retailers they happened to see?

Every member of an ensemble is grown on the rows of one half of the retailers; members come in pairs, one for each half. The mean of a pair
has seen everybody, and its difference shows the sampling error: for a statistic that is a mean over n retailers the variance within a pair,
(a − b)²/4, is on average that of the mean over all n (half-sample replication: McCarthy 1969). Means over halves drawn without replacement
forecast about as well as means over bootstrap samples (subagging: Bühlmann and Yu 2002).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import ceil, log

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.errors import UncapError
from models.churn_columns import HORIZON, ChurnColumns

FloatArray = npt.NDArray[np.float64]

NEXT_MEMBER = "\n==== next member ====\n"
"""Between the members in the file of an ensemble."""

HORIZON_SEEN = 0.75
"""Share of the trees that see the horizon at least. With as few draws as any other column it was in 15 % of them, and the others said one
risk for four weeks and for half a year (docs/churn.md has what that cost)."""


@dataclass(frozen=True)
class ChurnSettings:
    """How the trees are grown, and when there is too little to grow them on.

    Attributes
    ----------
    rounds, leaves, learning_rate, min_rows_per_leaf, feature_share, l2
        LightGBM's num_iterations, num_leaves, learning_rate, min_data_in_leaf, feature_fraction, lambda_l2.
    least_train_events, least_calibrate_events
        Retailers without an order in some window that training and calibration must have.
    least_tenure_weeks
        A retailer that began to order later than this is not scored by the trees, and does not teach them.
    least_btyd_weeks
        Of those, one that began to order before this is scored by the buy-till-you-die model, the rest by rule.
    members
        Ensembles of the model that scores: an even number. That which is calibrated has half as many.
    threads
        To grow and predict with, 0 for every core; they do not change the trees.
    seed
        Fix it for the same trees.
    """

    rounds: int = 300
    leaves: int = 16
    learning_rate: float = 0.03
    min_rows_per_leaf: int = 100
    feature_share: float = 0.3
    l2: float = 5.0
    least_train_events: int = 30
    least_calibrate_events: int = 5
    least_tenure_weeks: int = 8
    least_btyd_weeks: int = 4
    members: int = 8
    threads: int = 2
    seed: int = 1


@dataclass(frozen=True)
class TreeHalves:
    """An ensemble of boosted trees, each grown on half of the retailers.

    Attributes
    ----------
    members
        Pairs of complementary halves, one after the other. A single member is a model of an earlier version.
    columns
        What they see.
    threads
        For prediction.
    """

    members: tuple[lgb.Booster, ...]
    columns: ChurnColumns
    threads: int

    def odds(self, rows: pd.DataFrame, horizon: int | pd.Series) -> FloatArray:
        """Return the log-odds of each member, shape (members, rows); none of them rises with the horizon."""
        return self.odds_of(self.columns.matrix(rows, horizon))

    def odds_of(self, matrix: npt.NDArray[np.float32]) -> FloatArray:
        """Return the same for rows as `ChurnColumns.matrix` gives them."""
        shown = _widened(matrix, self._width)
        raw = [member.predict(shown, raw_score=True, num_threads=self.threads) for member in self.members]
        return np.asarray(raw, dtype=np.float64).reshape(len(self.members), len(matrix))

    def contributions(self, rows: pd.DataFrame, horizon: int) -> FloatArray:
        """Return what each feature adds to the mean log-odds, shape (rows, features); the horizon's own share is left out."""
        matrix, n_features = _widened(self.columns.matrix(rows, horizon), self._width), len(self.columns.features)
        shares = np.zeros((len(rows), n_features))
        for member in self.members:
            raw = member.predict(matrix, pred_contrib=True, num_threads=self.threads)
            shares += np.asarray(raw, dtype=np.float64)[:, :n_features] / len(self.members)
        return shares

    def gains(self) -> pd.DataFrame:
        """Return the share of the gain of each column: feature, group, gain_share; the largest first."""
        gain = np.sum([member.feature_importance("gain") for member in self.members], axis=0)
        names, groups = (*self.columns.features, HORIZON), (*self.columns.groups, "horizon")
        by_name = np.append(gain[: len(names) - 1], gain[len(names) - 1 :].sum())
        rows = pd.DataFrame({"feature": names, "group": groups, "gain_share": by_name / max(float(gain.sum()), 1e-12)})
        return rows.sort_values(["gain_share", "feature"], ascending=[False, True], ignore_index=True)

    @property
    def _width(self) -> int:
        """Columns that the members see; those of an earlier version saw the horizon once."""
        return int(self.members[0].num_feature())

    def to_text(self) -> str:
        """Return what a file can hold; ``from_text`` reads it back."""
        return NEXT_MEMBER.join(member.model_to_string() for member in self.members)

    @classmethod
    def from_text(cls, text: str, columns: ChurnColumns, threads: int) -> TreeHalves:
        """Read what ``to_text`` wrote, or the text of a single booster."""
        return cls(tuple(lgb.Booster(model_str=member) for member in text.split(NEXT_MEMBER)), columns, threads)


def pair_variance(odds: FloatArray) -> FloatArray:
    """Return the mean of (a − b)²/4 over the pairs of members, shape (rows,).

    Parameters
    ----------
    odds
        Shape (members, rows), an even number of members: pairs one after the other.

    Examples
    --------
    >>> pair_variance(np.array([[0.0], [2.0], [1.0], [1.0]]))
    array([0.5])
    """
    return np.asarray(np.mean((odds[0::2] - odds[1::2]) ** 2, axis=0) / 4, dtype=np.float64)


def grow_halves(rows: pd.DataFrame, outcome: str, columns: ChurnColumns, settings: ChurnSettings, members: int) -> TreeHalves:
    """Grow an ensemble.

    No class weights: they ruin the calibration.

    Parameters
    ----------
    rows
        retailer_id, horizon_weeks, the outcome (boolean or 0 and 1) and the features.
    outcome
        Column that is foretold.
    columns
        What the trees see.
    settings
        How to grow them.
    members
        An even number of at least 2.

    Raises
    ------
    UncapError
        If the number of members is odd.
    """
    if members < 2 or members % 2:
        raise UncapError(f"churn.members: {members} members; expected an even number", hint="they come in pairs of halves")
    matrix, outcomes = columns.matrix(rows, rows[HORIZON]), rows[outcome].to_numpy(dtype=np.float32)
    codes, names = pd.factorize(rows["retailer_id"], sort=True)
    firsts = [np.random.default_rng((settings.seed, pair)).permutation(len(names)) < len(names) / 2 for pair in range(members // 2)]
    cores = settings.threads or os.cpu_count() or 1
    workers = min(cores, members)

    def member(number: int) -> lgb.Booster:
        pair, second = divmod(number, 2)
        half = firsts[pair][codes] ^ bool(second)
        return _grow(matrix[half], outcomes[half], columns, settings, seed=settings.seed + pair, threads=cores // workers)

    # side by side: threads within a member of so few rows would mostly wait for each other
    with ThreadPoolExecutor(workers) as pool:
        return TreeHalves(tuple(pool.map(member, range(members))), columns, settings.threads)


def _grow(
    matrix: npt.NDArray[np.float32],
    outcomes: npt.NDArray[np.float32],
    columns: ChurnColumns,
    settings: ChurnSettings,
    *,
    seed: int,
    threads: int,
) -> lgb.Booster:
    """Grow one member; being deterministic, it is the same whatever the number of threads."""
    copies = horizon_columns(settings.feature_share)
    parameters = {
        "objective": "binary",
        "num_leaves": settings.leaves,
        "learning_rate": settings.learning_rate,
        "min_data_in_leaf": max(1, settings.min_rows_per_leaf // 2),
        "feature_fraction": settings.feature_share,
        "lambda_l2": settings.l2,
        "monotone_constraints": _falls_with_horizon(columns, copies),
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": threads,
        "seed": seed,
        "verbosity": -1,
    }
    dataset = lgb.Dataset(
        _widened(matrix, len(columns.features) + copies),
        label=outcomes,
        feature_name=[*columns.features, *(f"{HORIZON}_{copy}" for copy in range(copies))],
        categorical_feature=[columns.features.index(name) for name in columns.categories],
        params=parameters,
    )
    return lgb.train(parameters, dataset, num_boost_round=settings.rounds)


def horizon_columns(feature_share: float) -> int:
    """Return how often the horizon stands among the columns, for so many of the trees to draw it.

    >>> horizon_columns(0.15), horizon_columns(1.0)
    (9, 1)
    """
    return 1 if feature_share >= HORIZON_SEEN else ceil(log(1 - HORIZON_SEEN) / log(1 - feature_share))


def _widened(matrix: npt.NDArray[np.float32], width: int) -> npt.NDArray[np.float32]:
    """Repeat the last column, the horizon, until there are so many."""
    copies = np.repeat(matrix[:, -1:], width - matrix.shape[1], axis=1)
    return np.hstack([matrix, copies]) if copies.shape[1] else matrix


def _falls_with_horizon(columns: ChurnColumns, copies: int) -> Sequence[int]:
    """LightGBM's constraints: silence over a longer window is no likelier."""
    return [0] * len(columns.features) + [-1] * copies
