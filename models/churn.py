"""How likely is an active retailer to place no order in the next weeks?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol, Self

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.errors import UncapError
from contracts.weeks import CHURN_HORIZONS
from models.calibration import PlattCalibration, fit_platt, log_odds
from models.churn_rule import ChurnRule, fit_rule

TREES_FILE, REST_FILE = "churn_trees.txt", "churn.json"
HORIZON = "horizon_weeks"
RULE_GROUP = "silence"
"""The factor that a score by rule rests on."""


class Feature(Protocol):
    """What the model needs to know of a feature: its column and the plain-language factor it belongs to."""

    @property
    def name(self) -> str:
        """Column of the frames."""

    @property
    def group(self) -> str:
        """Factor that the reasons name."""


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
        A retailer that began to order later than this is scored by rule.
    threads, seed
        Fix both for the same trees.
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
    threads: int = 2
    seed: int = 1


@dataclass(frozen=True)
class ChurnModel:
    """One set of trees for all horizons, its calibration, and the rule for retailers the trees cannot judge.

    Attributes
    ----------
    trees
        Boosted trees on the features and the horizon; None where everybody is scored by rule.
    calibration
        One map for all horizons: strictly rising, so it keeps their order.
    rule
        The rates by silence.
    features
        Columns in the order of the trees.
    groups
        The factor of each feature.
    categories
        Codes of the text columns: position in the list; a text not in it is unknown.
    settings
        As fitted.
    why_rule
        Why there are no trees; None where there are.
    """

    trees: lgb.Booster | None
    calibration: PlattCalibration
    rule: ChurnRule
    features: tuple[str, ...]
    groups: tuple[str, ...]
    categories: dict[str, list[str]]
    settings: ChurnSettings
    why_rule: str | None

    def predict(self, retailers: pd.DataFrame) -> pd.DataFrame:
        """Return the probability of no order in the next 4, 8, 13 and 26 weeks.

        Parameters
        ----------
        retailers
            One row per retailer: retailer_id and the features; recency_gap_ratio and tenure_weeks among them.

        Returns
        -------
        pd.DataFrame
            In the order given: retailer_id, p_churn_4w … p_churn_26w (none above the one before it), scored_by.
        """
        by_rule = self._by_rule(retailers)
        p_churn = self.rule.predict(retailers["recency_gap_ratio"])
        judged = retailers[~by_rule]
        if self.trees is not None and len(judged):
            for column, weeks in enumerate(CHURN_HORIZONS):
                p_churn[~by_rule, column] = self._tree_probabilities(judged, weeks)
        scores = pd.DataFrame({"retailer_id": retailers["retailer_id"].to_numpy()})
        for column, weeks in enumerate(CHURN_HORIZONS):
            scores[f"p_churn_{weeks}w"] = p_churn[:, column]
        scores["scored_by"] = np.where(by_rule, "rule", "model")
        return scores

    def contributions(self, retailers: pd.DataFrame, horizon: int = 13) -> pd.DataFrame:
        """Return what each factor adds to the log-odds of no order, against the average training row.

        The horizon's own share and the calibration's shift are left out: they are the same for everybody.

        Parameters
        ----------
        retailers
            As for `predict`.
        horizon
            Weeks.

        Returns
        -------
        pd.DataFrame
            In the order given: retailer_id, then a column per factor, log-odds; a score by rule rests on ``silence`` alone.
        """
        factors = list(dict.fromkeys((*self.groups, RULE_GROUP)))
        shares = np.zeros((len(retailers), len(factors)))
        by_rule = self._by_rule(retailers)
        judged = retailers[~by_rule]
        if self.trees is not None and len(judged):
            raw = self.trees.predict(self._matrix(judged, horizon), pred_contrib=True, num_threads=self.settings.threads)
            to_factor = np.array([[group == factor for factor in factors] for group in self.groups], dtype=np.float64)
            shares[~by_rule] = self.calibration.slope * np.asarray(raw)[:, : len(self.groups)] @ to_factor
        column = self.rule.horizons.index(horizon)
        rates = self.rule.predict(retailers["recency_gap_ratio"])[:, column]
        above = log_odds(rates) - log_odds(self.rule.overall[column])
        shares[by_rule, factors.index(RULE_GROUP)] = above[by_rule]
        return pd.DataFrame({"retailer_id": retailers["retailer_id"].to_numpy()}).assign(**dict(zip(factors, shares.T, strict=True)))

    def importances(self) -> pd.DataFrame:
        """Return the gain of each feature: feature, group, gain_share; the largest first, empty without trees."""
        if self.trees is None:
            return pd.DataFrame({"feature": [], "group": [], "gain_share": []})
        gain = self.trees.feature_importance("gain")
        rows = pd.DataFrame({"feature": (*self.features, HORIZON), "group": (*self.groups, "horizon"), "gain_share": gain})
        rows["gain_share"] /= max(float(gain.sum()), 1e-12)
        return rows.sort_values(["gain_share", "feature"], ascending=[False, True], ignore_index=True)

    def save(self, folder: Path) -> None:
        """Write the model as text files into a folder that exists."""
        rest = {name: getattr(self, name) for name in ("features", "groups", "categories", "why_rule")}
        rest |= {name: asdict(getattr(self, name)) for name in ("calibration", "rule", "settings")}
        (folder / REST_FILE).write_text(json.dumps(rest, indent=1, ensure_ascii=False), encoding="utf-8")
        if self.trees is not None:
            (folder / TREES_FILE).write_text(self.trees.model_to_string(), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the model that `save` wrote.

        Raises
        ------
        UncapError
            If the folder holds no churn model.
        """
        if not (folder / REST_FILE).exists():
            raise UncapError(f"{folder / REST_FILE}: no such file; expected a saved churn model", hint="train again with `uncap train`")
        rest = json.loads((folder / REST_FILE).read_text(encoding="utf-8"))
        rule = rest["rule"]
        trees = None
        if rest["why_rule"] is None:
            trees = lgb.Booster(model_str=(folder / TREES_FILE).read_text(encoding="utf-8"))
        return cls(
            trees=trees,
            calibration=PlattCalibration(**rest["calibration"]),
            rule=ChurnRule(tuple(rule["horizons"]), tuple(map(tuple, rule["rates"])), tuple(rule["overall"])),
            features=tuple(rest["features"]),
            groups=tuple(rest["groups"]),
            categories=rest["categories"],
            settings=ChurnSettings(**rest["settings"]),
            why_rule=rest["why_rule"],
        )

    def _by_rule(self, retailers: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Whether a retailer is scored by rule."""
        if self.trees is None:
            return np.ones(len(retailers), dtype=bool)
        return np.asarray(retailers["tenure_weeks"].to_numpy(dtype=np.float64) < self.settings.least_tenure_weeks)

    def _matrix(self, retailers: pd.DataFrame, horizon: int | pd.Series) -> npt.NDArray[np.float32]:
        """Features and horizon as the trees see them."""
        return _matrix(retailers, self.features, self.categories, horizon)

    def _tree_probabilities(self, retailers: pd.DataFrame, horizon: int | pd.Series) -> npt.NDArray[np.float64]:
        """Calibrated probabilities of the trees, shape (rows,)."""
        if self.trees is None:
            raise UncapError("churn: the model has no trees", hint=f"score by rule: {self.why_rule}")
        raw = self.trees.predict(self._matrix(retailers, horizon), num_threads=self.settings.threads)
        return self.calibration.apply(np.asarray(raw))


def fit_churn(train: pd.DataFrame, calibrate: pd.DataFrame, features: Sequence[Feature], settings: ChurnSettings) -> ChurnModel:
    """Return the churn model that labelled retailers of many origins give.

    One stacked model with the horizon as a feature that may only lower the probability: separate models contradict each other.
    No class weights: they ruin the calibration.

    Parameters
    ----------
    train, calibrate
        One row per retailer, origin and horizon: retailer_id, as_of, horizon_weeks, no_order and the features. The origins
        of ``calibrate`` lie after the windows of ``train`` (see `churn_origins.split_origins`).
    features
        Columns that the model sees, with their factors; those of text are learned as categories.
    settings
        How to grow the trees.

    Raises
    ------
    UncapError
        If there is no labelled row at all.
    """
    labelled = pd.concat([train, calibrate], ignore_index=True)
    names = tuple(feature.name for feature in features)
    texts = [name for name in names if not pd.api.types.is_numeric_dtype(labelled[name])]
    model = ChurnModel(
        trees=None,
        calibration=PlattCalibration(),
        rule=fit_rule(labelled, CHURN_HORIZONS),
        features=names,
        groups=tuple(feature.group for feature in features),
        categories={name: sorted(train[name].dropna().astype(str).unique()) for name in texts},
        settings=settings,
        why_rule=_too_few(train, calibrate, settings),
    )
    if model.why_rule is not None:
        return model
    model = replace(model, trees=_grow(train, model))
    # Retailers that the rule scores must not bend the calibration of the trees.
    judged = calibrate[calibrate["tenure_weeks"] >= settings.least_tenure_weeks]
    raw = model._tree_probabilities(judged, judged[HORIZON])  # noqa: SLF001 - its own module; the calibration is still the identity
    return replace(model, calibration=fit_platt(raw, judged["no_order"].astype(bool)))


def _too_few(train: pd.DataFrame, calibrate: pd.DataFrame, settings: ChurnSettings) -> str | None:
    """Why trees cannot be grown or calibrated, counted in retailers: windows of one retailer overlap."""
    for rows, least, part in ((train, settings.least_train_events, "train"), (calibrate, settings.least_calibrate_events, "calibrate")):
        judged = rows[rows["tenure_weeks"] >= settings.least_tenure_weeks]
        n_silent = judged.loc[judged["no_order"].astype(bool), "retailer_id"].nunique()
        if n_silent < least:
            return f"{n_silent} retailers without an order in the windows to {part} on; expected at least {least}"
    return None


def _grow(train: pd.DataFrame, model: ChurnModel) -> lgb.Booster:
    """Grow the trees of a model."""
    settings = model.settings
    rows = train[train["tenure_weeks"] >= settings.least_tenure_weeks]
    parameters = {
        "objective": "binary",
        "num_leaves": settings.leaves,
        "learning_rate": settings.learning_rate,
        "min_data_in_leaf": settings.min_rows_per_leaf,
        "feature_fraction": settings.feature_share,
        "lambda_l2": settings.l2,
        "monotone_constraints": [0] * len(model.features) + [-1],
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": settings.threads,
        "seed": settings.seed,
        "verbosity": -1,
    }
    dataset = lgb.Dataset(
        _matrix(rows, model.features, model.categories, rows[HORIZON]),
        label=rows["no_order"].to_numpy(dtype=np.float32),
        feature_name=[*model.features, HORIZON],
        categorical_feature=[model.features.index(name) for name in model.categories],
        params=parameters,
    )
    return lgb.train(parameters, dataset, num_boost_round=settings.rounds)


def _matrix(
    rows: pd.DataFrame, features: Sequence[str], categories: dict[str, list[str]], horizon: int | pd.Series
) -> npt.NDArray[np.float32]:
    """Features and horizon, shape (rows, features + 1); unknown is NaN."""
    matrix = np.empty((len(rows), len(features) + 1), dtype=np.float32)
    for column, name in enumerate(features):
        if name in categories:
            codes = {text: code for code, text in enumerate(categories[name])}
            matrix[:, column] = rows[name].map(codes).to_numpy(dtype=np.float32, na_value=np.nan)
        else:
            matrix[:, column] = rows[name].to_numpy(dtype=np.float32, na_value=np.nan)
    matrix[:, -1] = horizon
    return matrix
