"""What is a retailer worth: the margin expected of it while it goes on ordering, less the cost to serve it, discounted?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

WEEKS_PER_YEAR = 52.0
NEAR_WEEKS = 8
"""Weeks that the demand forecast covers."""

LARGEST_RISE = 2.0
"""The forecast, divided by a small S, can be many times the level of a year; what lies beyond so many times is not carried on."""


@dataclass(frozen=True)
class ValueSettings:
    """How far ahead value is counted, and what serving costs.

    Attributes
    ----------
    horizon_weeks
        Weeks counted.
    yearly_discount_rate
        0.08 for 8 % a year.
    cost_per_order, cost_per_visit
        Money per week with an order, and per visit or call.
    recent_weight
        Weight of the forecast of eight weeks, its season taken out, in the level beyond them; the rest is that of 52 weeks.
    """

    horizon_weeks: int
    yearly_discount_rate: float
    cost_per_order: float
    cost_per_visit: float
    recent_weight: float


@dataclass(frozen=True)
class Outlook:
    """What is expected of each retailer, arrays of shape (retailers,).

    Attributes
    ----------
    p_stopped
        Probability that it has stopped: P(no order in 26 weeks).
    weekly_hazard
        Probability per week that it stops, once it is known to go on.
    near_margin
        Margin of the eight weeks forecast, money, silence counted; NaN where nothing is forecast.
    level_margin
        Margin per week of the last 52, or since its first order in them, money.
    weekly_orders, weekly_visits
        Weeks with an order, and visits and calls, per week.
    """

    p_stopped: FloatArray
    weekly_hazard: FloatArray
    near_margin: FloatArray
    level_margin: FloatArray
    weekly_orders: FloatArray
    weekly_visits: FloatArray


def survival(p_stopped: npt.ArrayLike, weekly_hazard: npt.ArrayLike, weeks: int) -> FloatArray:
    """Return S(t), the probability that a retailer has not placed its last order by week t.

    ``S(t) = (1 − P(no order in 26 weeks)) · exp(−hazard · t)``. The risk curve itself cannot be read as 1 − S: P(no order in the next h
    weeks) falls with h towards the probability that the retailer has stopped already, because it holds those that order seldom, and the
    longest window holds fewest of them. What happens to those that go on comes from earlier retailers (``models.attrition``).

    Parameters
    ----------
    p_stopped, weekly_hazard
        As in `Outlook`, shape (retailers,).
    weeks
        How many.

    Returns
    -------
    ndarray
        Of weeks 1 to ``weeks``, shape (retailers, weeks); never rises.

    Examples
    --------
    >>> survival([0.1], [0.0], 2).tolist()
    [[0.9, 0.9]]
    """
    alive = 1.0 - np.asarray(p_stopped, dtype=np.float64)[:, None]
    hazard = np.asarray(weekly_hazard, dtype=np.float64)[:, None]
    return np.asarray(alive * np.exp(-hazard * np.arange(1, weeks + 1)), dtype=np.float64)


def discounted_value(survival_by_period: FloatArray, margin_by_period: npt.ArrayLike, rate_per_period: float) -> FloatArray:
    """Return Σ S(t) · margin(t) ÷ (1 + i)^t over the periods t = 1, 2 and so on.

    With S(t) = r^t, one margin m and no end it is m·r ÷ (1 + i − r) (Gupta and Lehmann, Customers as Assets, 2003).

    Parameters
    ----------
    survival_by_period
        Shape (retailers, periods).
    margin_by_period
        Money given that the retailer goes on, of a shape that broadcasts to it.
    rate_per_period
        The discount rate i.

    Examples
    --------
    >>> periods = np.arange(1, 500)
    >>> discounted_value(0.8 ** periods[None, :], 100.0, 0.1).round(6).tolist()
    [266.666667]
    >>> round(100 * 0.8 / (1 + 0.1 - 0.8), 6)
    266.666667
    """
    discount = (1.0 + rate_per_period) ** -np.arange(1.0, survival_by_period.shape[1] + 1)
    return np.asarray((survival_by_period * np.asarray(margin_by_period, dtype=np.float64) * discount).sum(axis=1), dtype=np.float64)


def lifetime_values(outlook: Outlook, season_near: float, settings: ValueSettings) -> FloatArray:
    """Return the lifetime value of each retailer: Σ S(t) · (margin(t) − cost to serve) ÷ (1 + i)^t, money.

    Weeks 1 to 8 bring the margin that is forecast. The forecast counts the chance that nothing is ordered, so it is divided by S before
    S multiplies it. Later weeks bring the level: ``recent_weight`` of the forecast with its season taken out, the rest the margin per
    week of the last 52. What the retailer did of late moves the level, the season of eight weeks does not.

    Parameters
    ----------
    outlook
        What is expected of each retailer.
    season_near
        Margin of everybody in the eight weeks ahead, a year before, over that of an average eight weeks; 1 where no year is known.
    settings
        How far ahead, and what serving costs.

    Returns
    -------
    ndarray
        Money, shape (retailers,); below 0 where serving costs more than the retailer brings.
    """
    lives = survival(outlook.p_stopped, outlook.weekly_hazard, settings.horizon_weeks)
    alive_near = np.maximum(lives[:, :NEAR_WEEKS].mean(axis=1), 1e-9)
    forecast = np.isfinite(outlook.near_margin)
    near_active = np.where(forecast, outlook.near_margin / NEAR_WEEKS / alive_near, outlook.level_margin * season_near)
    weight = np.where(forecast, settings.recent_weight, 0.0)
    recent = np.minimum(near_active / season_near, LARGEST_RISE * np.maximum(outlook.level_margin, 0.0))
    level = weight * recent + (1.0 - weight) * outlook.level_margin
    is_near = np.arange(1, settings.horizon_weeks + 1) <= NEAR_WEEKS
    cost = settings.cost_per_order * outlook.weekly_orders + settings.cost_per_visit * outlook.weekly_visits
    margin = np.where(is_near, near_active[:, None], level[:, None]) - cost[:, None]
    rate = (1.0 + settings.yearly_discount_rate) ** (1.0 / WEEKS_PER_YEAR) - 1.0
    return discounted_value(lives, margin, rate)
