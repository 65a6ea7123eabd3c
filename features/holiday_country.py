"""Whose public holidays do the orders keep? In a week with a day off fewer retailers order, and every country has other days off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.weeks import last_week
from features.holiday_names import country_holidays
from features.windows import week_of

FALLBACK_COUNTRY = "CN"
"""Whose holidays count where none show: of the county that the demo simulates, whose retailers order every week of the year."""

_CODES = """
AR AT AU BE BR CA CH CL CN CO CZ DE DK ES FI FR GB GR HU ID IE IL IN IT JP KR MX MY NL NO NZ PE PH PL PT RO RU SE SG TH TR TW UA US VN ZA
"""
CANDIDATES = tuple(_CODES.split())
"""Countries that are looked for. Territories that keep their state's holidays would win by a day more or less."""

LEAST_WEEKS = 52
"""A year shows most holidays once."""

WEEKS_AROUND = 4
"""A week is compared with the median of it and so many weeks to both sides."""

EVIDENT_T = 6.0
"""By chance the largest of so many is about 3; on three years of Iowa liquor orders it is 9.4 for the US and 5.3 for GB."""

LEAST_DIP = 0.03
"""A day off that keeps fewer away moves nothing."""

_WORKING_DAYS = 5
_FARTHEST = float(np.log(2.0))

Floats = npt.NDArray[np.float64]


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
        Of the regression coefficient behind ``dip``.
    """

    country: str
    dip: float
    t: float


def retailers_by_week(lines: ir.Table, as_of: date) -> ir.Table:
    """Count the retailers that ordered in each week up to a Sunday: ``week_start`` and ``retailers``."""
    known = lines.filter(lines.ordered_on < ibis.literal(last_week(as_of) + timedelta(days=7)))
    weeks = known.select("retailer_id", week_start=week_of(known.ordered_on))
    return weeks.group_by("week_start").aggregate(retailers=weeks.retailer_id.nunique())


def holidays_kept(weeks: pd.DataFrame, candidates: Iterable[str] = CANDIDATES) -> HolidaysKept | None:
    """Return the country whose holidays keep retailers from ordering; None where none evidently do.

    The logarithm of a week's retailers over the median around it is regressed on the public holidays that fall on its Monday to Friday.
    The country with the most negative t is taken, if it is at most −EVIDENT_T and its dip at least LEAST_DIP.

    Parameters
    ----------
    weeks
        One row per week with orders: ``week_start`` (Monday) and ``retailers``. The first may be of a few days only and is left out.

    Examples
    --------
    >>> mondays = pd.date_range("2017-01-02", periods=150, freq="7D")
    >>> off = [sum(day.date() in country_holidays("DE", [2017, 2018, 2019]) for day in pd.bdate_range(m, periods=5)) for m in mondays]
    >>> weeks = pd.DataFrame({"week_start": mondays, "retailers": 1000 - 150 * np.array(off) + np.arange(150) % 7})
    >>> holidays_kept(weeks).country
    'DE'
    >>> holidays_kept(weeks.assign(retailers=1000 + np.arange(150) % 7)) is None
    True
    """
    counted = pd.Series(weeks.retailers.to_numpy(dtype=np.float64), pd.DatetimeIndex(weeks.week_start)).sort_index().iloc[1:]
    if len(counted) < LEAST_WEEKS:
        return None
    counted = counted.asfreq("7D", fill_value=0.0)
    usual = counted.rolling(2 * WEEKS_AROUND + 1, center=True, min_periods=WEEKS_AROUND + 1).median()
    # farther than half or double is no farther: a week in which nobody ordered at all must not drown the others
    share = np.maximum(counted.to_numpy(dtype=np.float64), 0.5) / np.maximum(usual.to_numpy(dtype=np.float64), 0.5)
    moved = np.clip(np.log(share), -_FARTHEST, _FARTHEST)
    mondays = tuple(day.date() for day in counted.index)
    kept = [_regressed(country, moved, days_off(country, mondays)) for country in candidates]
    best = min((one for one in kept if one is not None), key=lambda one: one.t, default=None)
    return best if best is not None and best.t <= -EVIDENT_T and best.dip >= LEAST_DIP else None


@cache
def days_off(country: str, mondays: Sequence[date]) -> Floats:
    """Return how many public holidays fall on the working days of each week (n,)."""
    public = country_holidays(country, range(mondays[0].year, mondays[-1].year + 1))
    return np.array([sum(monday + timedelta(days=k) in public for k in range(_WORKING_DAYS)) for monday in mondays], dtype=np.float64)


def _regressed(country: str, moved: Floats, days: Floats) -> HolidaysKept | None:
    """Least squares of one number on another; None where a country has no holiday in these weeks, or every week is as usual."""
    off, gone = days - days.mean(), moved - moved.mean()
    if not off.any() or not gone.any():
        return None
    slope = float(off @ gone / (off @ off))
    left = float(np.square(gone - slope * off).sum())
    t = slope / np.sqrt(max(left, 1e-12) / (days.size - 2) / (off @ off))
    return HolidaysKept(country, float(-np.expm1(slope)), float(t))
