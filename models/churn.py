"""How likely is an active retailer to place no order in the next weeks, and to decline?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.churn_targets import (
    CATEGORY_HISTORY_WEEKS,
    CATEGORY_LEAST_ORDER_WEEKS,
    CATEGORY_LOSS_WEEKS,
    DECLINE_LEAST_ORDER_WEEKS,
    DECLINE_WEEKS,
    YEAR_WEEKS,
)
from contracts.weeks import CHURN_HORIZONS
from models.baseline_scores import ChurnBaseline
from models.btyd_baseline import BtydBaseline
from models.calibrated_trees import CalibratedTrees
from models.calibration import log_odds
from models.churn_columns import ChurnColumns
from models.churn_interval import Curves
from models.churn_rule import ChurnRule
from models.churn_trees import ChurnSettings
from models.promoted_scores import promoted_curves
from models.repeat_orders import ORDER_COLUMNS, knows_orders

FloatArray = npt.NDArray[np.float64]
Marks = npt.NDArray[np.bool_]

RULE_GROUP = "silence"
"""The factor that a score by rule rests on."""

DECLINE, CATEGORY_LOSS = "decline", "category_loss"
TARGET_WEEKS = {DECLINE: DECLINE_WEEKS, CATEGORY_LOSS: CATEGORY_LOSS_WEEKS}
"""Targets beside lost, each with its one horizon."""


@dataclass(frozen=True)
class ChurnModel:
    """What foretells churn: trees where the history is long, laws of random orders where it is short, rates by silence for the rest.

    Attributes
    ----------
    lost
        Trees on the features and the horizon; None where nobody is scored by them.
    targets
        Trees of DECLINE and CATEGORY_LOSS; one without enough events is missing.
    short
        For short histories; None where it could not be fitted.
    rule
        The rates by silence.
    columns
        What the trees see.
    settings
        As fitted.
    why_rule
        Why there are no trees; None where there are.
    promoted
        A simpler forecast that scores in place of the trees, or where there are none, because they were not ahead of it; None where
        they were.
    """

    lost: CalibratedTrees | None
    targets: Mapping[str, CalibratedTrees]
    short: BtydBaseline | None
    rule: ChurnRule
    columns: ChurnColumns
    settings: ChurnSettings
    why_rule: str | None
    promoted: ChurnBaseline | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """Columns that the trees see."""
        return self.columns.features

    def predict(self, retailers: pd.DataFrame) -> pd.DataFrame:
        """Return the probability of no order in the next 4, 8, 13 and 26 weeks, and of the other targets.

        Parameters
        ----------
        retailers
            One row per retailer: retailer_id and the features; recency_gap_ratio and tenure_weeks among them. For short histories also
            repeat_orders, last_order_age_weeks and age_weeks; without them such a retailer is scored by rule.

        Returns
        -------
        pd.DataFrame
            In the order given: retailer_id, p_churn_4w … p_churn_26w (none above the one before it), the bounds p_churn_4w_low,
            p_churn_4w_high … (NaN where unknown), p_decline_13w, p_category_loss_13w (NaN where not asked), scored_by.
        """
        curves, scored_by = self.rule.curves(retailers["recency_gap_ratio"]), np.full(len(retailers), "rule", dtype=object)
        for chosen, given, name in self._curves(retailers):
            scored_by[chosen] = name
            for part, numbers in zip((curves.p, curves.low, curves.high), (given.p, given.low, given.high), strict=True):
                part[chosen] = numbers
        scores: dict[str, object] = {"retailer_id": retailers["retailer_id"].to_numpy()}
        scores |= {f"p_churn_{weeks}w": curves.p[:, column] for column, weeks in enumerate(CHURN_HORIZONS)}
        for column, weeks in enumerate(CHURN_HORIZONS):
            scores |= {f"p_churn_{weeks}w_low": curves.low[:, column], f"p_churn_{weeks}w_high": curves.high[:, column]}
        scores |= {f"p_{target}_{weeks}w": self.target_probabilities(target, retailers) for target, weeks in TARGET_WEEKS.items()}
        return pd.DataFrame(scores | {"scored_by": scored_by})

    def target_probabilities(self, target: str, retailers: pd.DataFrame) -> FloatArray:
        """Return P(DECLINE) or P(CATEGORY_LOSS) in the next 13 weeks, shape (retailers,); NaN where it is not asked."""
        p = np.full(len(retailers), np.nan)
        if target not in self.targets:
            return p
        asked = may_be_asked(target, retailers) & self._long(retailers)
        if asked.any():
            p[asked] = self.targets[target].curves(retailers[asked], [TARGET_WEEKS[target]]).p[:, 0]
        return p

    def contributions(self, retailers: pd.DataFrame, horizon: int = 13) -> pd.DataFrame:
        """Return what each factor adds to the log-odds of no order, against the average training row.

        The horizon's own share and the calibration's shift are left out: they are the same for everybody. Where a simpler forecast is
        promoted, the trees still tell what speaks for the risk.

        Parameters
        ----------
        retailers
            As for `predict`.
        horizon
            Weeks.

        Returns
        -------
        pd.DataFrame
            In the order given: retailer_id, then a column per factor, log-odds; a score by rule or by random orders rests on ``silence``
            alone.
        """
        factors = list(dict.fromkeys((*self.columns.groups, RULE_GROUP)))
        shares = np.zeros((len(retailers), len(factors)))
        judged = self._long_enough(retailers) & (self.lost is not None)
        if self.lost is not None and judged.any():
            shares[judged] = self.lost.contributions(retailers[judged], horizon, factors)
        column = self.rule.horizons.index(horizon)
        rates = self.rule.predict(retailers["recency_gap_ratio"])[:, column]
        above = log_odds(rates) - log_odds(self.rule.overall[column])
        shares[~judged, factors.index(RULE_GROUP)] = above[~judged]
        return pd.DataFrame({"retailer_id": retailers["retailer_id"].to_numpy()}).assign(**dict(zip(factors, shares.T, strict=True)))

    def importances(self) -> pd.DataFrame:
        """Return the gain of each feature: feature, group, gain_share; the largest first, empty without trees."""
        if self.lost is None:
            return pd.DataFrame({"feature": [], "group": [], "gain_share": []})
        return self.lost.trees.gains()

    def _long_enough(self, retailers: pd.DataFrame) -> Marks:
        """Whose history is long enough for the trees, or for what was promoted in their place; nobody's where there is neither."""
        if self.lost is None and self.promoted is None:
            return np.zeros(len(retailers), dtype=bool)
        return self._long(retailers)

    def _long(self, retailers: pd.DataFrame) -> Marks:
        return np.asarray(retailers["tenure_weeks"].to_numpy(dtype=np.float64) >= self.settings.least_tenure_weeks)

    def _curves(self, retailers: pd.DataFrame) -> list[tuple[Marks, Curves, npt.NDArray[np.object_] | str]]:
        """Who is not scored by rule, with the curves of each and what gave them."""
        given: list[tuple[Marks, Curves, npt.NDArray[np.object_] | str]] = []
        judged = self._long_enough(retailers)
        if self.short is not None and knows_orders(retailers):
            tenure = retailers["tenure_weeks"].to_numpy(dtype=np.float64)
            known = retailers[list(ORDER_COLUMNS)].notna().all(axis="columns").to_numpy()
            short = (tenure >= self.settings.least_btyd_weeks) & ~self._long(retailers) & known
            given += [(short, *promoted_curves(self.short, retailers[short]))] if short.any() else []
        if self.promoted is not None and judged.any():
            given.append((judged, *promoted_curves(self.promoted, retailers[judged])))
        elif self.lost is not None and judged.any():
            given.append((judged, self.lost.curves(retailers[judged], CHURN_HORIZONS), "model"))
        return given


def may_be_asked(target: str, retailers: pd.DataFrame) -> Marks:
    """Return of whom DECLINE or CATEGORY_LOSS may be asked, as far as the features tell; see ``contracts.churn_targets``."""
    tenure = retailers["tenure_weeks"].to_numpy(dtype=np.float64)
    if target == DECLINE:
        weeks = retailers["order_share_ahead_13w"].to_numpy(dtype=np.float64) * DECLINE_WEEKS
        return np.asarray((tenure >= YEAR_WEEKS - 1) & (weeks >= DECLINE_LEAST_ORDER_WEEKS - 1e-9))
    known_weeks = np.minimum(tenure + 1, CATEGORY_HISTORY_WEEKS)
    weeks = retailers["order_share_26w"].to_numpy(dtype=np.float64) * known_weeks
    return np.asarray(weeks >= CATEGORY_LEAST_ORDER_WEEKS - 1e-9)
