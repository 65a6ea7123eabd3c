"""Whose public holidays do the orders keep? In a week with a day off fewer retailers order, and every country has other days off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.stacking import Floats

LEAST_WEEKS = 52
"""A year shows most holidays once."""

WEEKS_AROUND = 4
"""A week is compared with the median of it and so many weeks to both sides."""

EVIDENT_T = 5.0
"""Where nothing shows it is about 3 at most, 3.8 with an outage; one year of Iowa liquor orders has 5.8 for the US, three have 8.5."""

LEAST_DIP = 0.03
"""A day off that keeps fewer away moves nothing."""

FARTHEST_SPREADS = 4.0
"""A week that is farther off than so many usual ones (1.48 times their median) counts as one so far: an outage is not a holiday."""

_SPREAD_OF_MEDIAN = 1.4826


@dataclass(frozen=True)
class HolidaysKept:
    """How well the holidays of a country explain the weeks in which few retailers order.

    Attributes
    ----------
    country
        ISO code.
    dip
        Share of the retailers that a day off keeps away.
    t
        Of the regression coefficient, weeks that are far off counting as less far.
    """

    country: str
    dip: float
    t: float


def weekly_counts(weeks: pd.DataFrame) -> pd.Series:
    """Return the retailers of every week from the second with orders on, the first may be of a few days only; indexed by Monday.

    Parameters
    ----------
    weeks
        One row per week with orders: ``week_start`` (Monday) and ``retailers``.
    """
    counted = pd.Series(weeks.retailers.to_numpy(dtype=np.float64), pd.DatetimeIndex(weeks.week_start)).sort_index().iloc[1:]
    return counted.asfreq("7D", fill_value=0.0)


def holidays_kept(retailers: Sequence[float] | pd.Series, days_off: Mapping[str, Sequence[int]]) -> HolidaysKept | None:
    """Return the country whose holidays keep retailers from ordering; None where none evidently do.

    Where most weeks are just as usual there is no noise to hold holidays against, and none is found.

    The logarithm of a week's retailers over the median around it is regressed on the days off on its Monday to Friday (least squares).
    The country with the most negative t is taken, if it is at most −EVIDENT_T and its dip at least LEAST_DIP.

    Parameters
    ----------
    retailers
        That ordered in each week, all weeks in their order (n,).
    days_off
        By country, the days off of each week (n,).

    Examples
    --------
    >>> off = np.arange(104) % 13 == 0
    >>> retailers = 1000 - 150 * off + np.arange(104) % 7
    >>> holidays_kept(retailers, {"DE": off, "FR": np.arange(104) % 17 == 0}).country
    'DE'
    >>> holidays_kept(retailers, {"FR": np.arange(104) % 17 == 0}) is None
    True
    """
    counted = pd.Series(np.asarray(retailers, dtype=np.float64))
    if len(counted) < LEAST_WEEKS:
        return None
    usual = counted.rolling(2 * WEEKS_AROUND + 1, center=True, min_periods=WEEKS_AROUND + 1).median()
    moved = np.log(np.maximum(counted.to_numpy(), 0.5) / np.maximum(usual.to_numpy(), 0.5))
    farthest = FARTHEST_SPREADS * _SPREAD_OF_MEDIAN * np.median(np.abs(moved))
    near = np.clip(moved, -farthest, farthest)
    all_days = {country: np.asarray(days, dtype=np.float64) for country, days in days_off.items()}
    judged = {country: days for country, days in all_days.items() if np.ptp(days) > 0}
    found = {country: _slope_and_t(near, days)[1] for country, days in judged.items()}
    if not found or not near.any():
        return None
    country = min(found, key=found.__getitem__)
    best = HolidaysKept(country, float(-np.expm1(_slope_and_t(moved, judged[country])[0])), found[country])
    return best if best.t <= -EVIDENT_T and best.dip >= LEAST_DIP else None


def _slope_and_t(moved: Floats, days: Floats) -> tuple[float, float]:
    """Slope of a least squares line, and its t."""
    off, gone = days - days.mean(), moved - moved.mean()
    slope = float(off @ gone / (off @ off))
    left = float(np.square(gone - slope * off).sum())
    return slope, float(slope / np.sqrt(max(left, 1e-12) / (days.size - 2) / (off @ off)))
