"""What does a retailer look like to an account manager: stage, classes, degrees, value and tier, from its history and that of all?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.segment_definitions import VERSION
from models.abc_classes import abc_classes, margin_shares
from models.attrition import return_shares, weekly_hazards
from models.degrees import contribution, loyalty, our_dependence, satisfaction
from models.lifecycle import life_figures, settled_stages, stages_seen
from models.lifetime_value import Outlook, ValueSettings, lifetime_values
from models.ranks import share_above
from models.retailer_margins import near_margins, season_ahead, weeks_trading, yearly_margins
from models.rfm_scores import rfm_scores, silence_gaps
from models.tier_suggestion import suggested_tiers, tier_standing
from models.value_pyramid import value_classes
from models.wallet import peer_groups, wallet_shares

FloatArray = npt.NDArray[np.float64]

PREVIOUS = ("retailer_id", "stage", "stage_seen", "value_class_computed", "value_class")
"""What is read of the reclassification before."""

UNPRICED_CLASS = "ordinary"
"""Of everybody where no price of anybody is known."""

UNJUDGED_STAGES = ("acquisition", "win_back")
"""Their standing says little of the shop: their tier stays."""


@dataclass(frozen=True)
class Evidence:
    """Everything a reclassification rests on.

    Attributes
    ----------
    history
        As ``features.segment_history`` gives it, ordered by ``retailer_id``.
    cohorts
        As ``features.segment_attrition.past_cohorts`` gives them.
    scores
        ``retailer_id``, ``p_churn_13w`` and ``p_churn_26w`` of active retailers.
    forecasts
        ``retailer_id``, ``sku_id``, ``mean_units`` of the weeks ahead.
    prices
        As ``features.segment_money.sku_prices`` gives them.
    previous
        ``PREVIOUS`` of the reclassification before; empty the first time.
    attributes
        Names of the attributes that nearly every retailer has.
    """

    history: pd.DataFrame
    cohorts: pd.DataFrame
    scores: pd.DataFrame
    forecasts: pd.DataFrame
    prices: pd.DataFrame
    previous: pd.DataFrame
    attributes: Sequence[str]


def classify(evidence: Evidence, settings: ValueSettings, share_without_costs: float) -> pd.DataFrame:
    """Return the segments of every retailer, before overrides and reasons.

    Returns
    -------
    pandas.DataFrame
        One row per retailer of the history in its order: the columns of ``scored.retailer_segment`` but ``as_of``, ``run_id``,
        ``override_id`` and ``change_reason``, and what reasons need besides (see ``models.segment_reasons``). Does not depend on the
        order of any rows.
    """
    history = evidence.history
    margin = yearly_margins(history, share_without_costs)
    p_churn = _matched(history, evidence.scores, ["p_churn_13w", "p_churn_26w"]).astype("float64")
    previous = _matched(history, evidence.previous, list(PREVIOUS[1:])).astype(object)
    figures = life_figures(history, p_churn.p_churn_13w)
    seen = stages_seen(figures)
    expected = outlook(evidence, p_churn.p_churn_26w.to_numpy(dtype=np.float64), margin, share_without_costs)
    value = lifetime_values(expected, season_ahead(history), settings)
    computed = value_classes(value, previous.value_class_computed.tolist())
    if not history.money_52w.notna().any():
        # without a price of anybody only the cost to serve is known, and that makes nobody negative
        value, computed = np.zeros(len(history)), np.full(len(history), UNPRICED_CLASS)
    wallet = wallet_shares(np.nan_to_num(history.money_52w.to_numpy(dtype=np.float64)), peer_groups(history, evidence.attributes))
    described = pd.DataFrame(
        {
            "retailer_id": history.retailer_id,
            "stage": settled_stages(seen.tolist(), previous.stage_seen.tolist(), previous.stage.tolist()),
            "stage_prev": previous.stage,
            "stage_seen": seen,
            "abc_class": abc_classes(margin),
            **rfm_scores(history, margin),
            "satisfaction": satisfaction(history),
            "loyalty": loyalty(history),
            "contribution": contribution(margin),
            "dependence_on_us": 100.0 * wallet,
            "our_dependence": our_dependence(margin_shares(margin)),
            "wallet_share": wallet,
            "margin_52w": margin,
            "margin_share": margin_shares(margin),
            "lifetime_value": value,
            "value_class": computed,
            "value_class_prev": previous.value_class,
            "value_class_computed": computed,
            "tier": history.tier.astype(object).where(history.tier.notna(), None),
            "definition_version": VERSION,
        },
        index=history.index,
    )
    return _with_tiers(pd.concat([described, figures], axis=1))


def outlook(evidence: Evidence, p_churn_26w: FloatArray, margin: FloatArray, share_without_costs: float) -> Outlook:
    """Return what is expected of each retailer.

    A retailer without a score (it is silent, or there is no churn model) is given the share of earlier ones, silent for as long, that did
    not order within 26 weeks.

    Parameters
    ----------
    evidence
        What is known.
    p_churn_26w
        Probability of no order in 26 weeks, NaN without a score, shape (retailers,).
    margin
        Of 52 weeks, money.
    share_without_costs
        See ``models.retailer_margins``.
    """
    history, weeks = evidence.history, weeks_trading(evidence.history)
    back = return_shares(evidence.cohorts, history.recency_weeks, silence_gaps(history))
    known = history.order_weeks_26w.to_numpy(dtype=np.float64)
    order_weeks = known * 26.0 / np.clip(history.tenure_weeks.to_numpy(dtype=np.float64) + 1.0, 1.0, 26.0)
    scored = np.isfinite(p_churn_26w)
    near = near_margins(history, evidence.forecasts, evidence.prices, share_without_costs)
    return Outlook(
        p_stopped=np.where(scored, p_churn_26w, 1.0 - back),
        weekly_hazard=weekly_hazards(evidence.cohorts, order_weeks),
        # a forecast for a retailer that has been silent is of the few that come back
        near_margin=np.where(scored, near, np.nan),
        level_margin=margin / weeks,
        weekly_orders=history.order_weeks_52w.to_numpy(dtype=np.float64) / weeks,
        weekly_visits=np.nan_to_num(history.visits_52w.to_numpy(dtype=np.float64)) / weeks,
    )


def _with_tiers(described: pd.DataFrame) -> pd.DataFrame:
    standing = tier_standing(described.lifetime_value, described.contribution, described.loyalty)
    may_move = ~described.stage.isin(UNJUDGED_STAGES)
    return described.assign(
        suggested_tier=suggested_tiers(described.tier, standing, described.margin_52w, may_move),
        value_rank=share_above(described.lifetime_value),
        standing_rank=share_above(standing),
    )


def _matched(history: pd.DataFrame, rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The columns of other rows in the order of the retailers; missing where a retailer has none."""
    return rows.set_index("retailer_id")[columns].reindex(history.retailer_id).set_axis(history.index)
