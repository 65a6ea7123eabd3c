"""How likely does a retailer that has fallen silent order again, by its own rhythm and by what became of earlier silences?

Logistic regression on the silences of past origins whose 26 weeks are over. What counts of a silence is how long it is, how long in units
of the retailer's own gaps between orders and of its longest one, and whether it paused in the same weeks a year before and came back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression

from contracts.weeks import ACTIVE_WEEKS

RETURN_WEEKS = 26
"""An order within so many weeks is a return."""

ORIGINS = 13
ORIGIN_SPACING_WEEKS = 4
"""Past origins to learn from, at most, and how far apart."""

FEWEST_ORDER_WEEKS = 3
"""Fewer weeks with an order make no rhythm; nothing is said of such a retailer."""

FEWEST_SILENCES = 50
"""Fewer silences that ended, or that did not, make no regression: their share is the answer for everybody."""

YEAR_WEEKS = 52

RHYTHM_COLUMNS = ["log_silence", "log_own_gaps", "log_longest_gaps", "paused_a_year_ago", "log_orders"]

Weeks = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ReturnModel:
    """A fitted model; `silences` and `returned` tell what it was fitted on.

    Attributes
    ----------
    silences, returned
        Silences of past origins, and those that ended within 26 weeks.
    regression
        None where there were too few of either.
    """

    silences: int
    returned: int
    regression: LogisticRegression | None

    def p_return(self, rhythms: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return P(an order within 26 weeks) per row of `silence_rhythms`."""
        if not len(rhythms):
            return np.zeros(0)
        if self.regression is None:
            return np.full(len(rhythms), (self.returned + 1.0) / (self.silences + 2.0))
        return np.asarray(self.regression.predict_proba(rhythms[RHYTHM_COLUMNS])[:, 1], dtype=np.float64)


def fit_returns(order_weeks: Mapping[str, Weeks], gone_in_week: Mapping[str, int], last_week: int) -> ReturnModel:
    """Learn from earlier silences.

    Parameters
    ----------
    order_weeks
        Weeks with an order per retailer as rising whole numbers.
    gone_in_week
        Week from which a retailer was known to be closed or replaced; a silence after it is no silence.
    last_week
        The last week that is known. Nothing later counts.
    """
    silences = []
    for step in range(ORIGINS):
        origin = last_week - RETURN_WEEKS - ORIGIN_SPACING_WEEKS * step
        rhythms = silence_rhythms(order_weeks, gone_in_week, origin)
        returned = [_between(order_weeks[name], origin + 1, origin + RETURN_WEEKS) > 0 for name in rhythms.retailer_id]
        silences.append(rhythms.assign(returned=np.asarray(returned, dtype=bool)))
    learned = pd.concat(silences, ignore_index=True)
    n_returned = int(learned.returned.sum())
    if min(n_returned, len(learned) - n_returned) < FEWEST_SILENCES:
        return ReturnModel(len(learned), n_returned, None)
    regression = LogisticRegression(max_iter=1000).fit(learned[RHYTHM_COLUMNS], learned.returned)
    return ReturnModel(len(learned), n_returned, regression)


def silence_rhythms(
    order_weeks: Mapping[str, Weeks], gone_in_week: Mapping[str, int], origin: int, closed_share: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Describe the silence of each retailer as of a week.

    Parameters
    ----------
    order_weeks, gone_in_week
        As for `fit_returns`.
    origin
        The last week that is known.
    closed_share
        Share of the silence that the wholesaler caused, 0 to 1; a silence counts without it.

    Returns
    -------
    pandas.DataFrame
        One row per retailer silent for over 8 weeks, with an order in at least 3 weeks before: ``retailer_id``, ``silent_weeks``,
        ``mean_gap_weeks``, ``longest_gap_weeks``, ``order_weeks`` (how many) and the columns of the regression.
    """
    rows = [
        _rhythm(name, weeks[weeks <= origin], origin, (closed_share or {}).get(name, 0.0))
        for name, weeks in order_weeks.items()
        if gone_in_week.get(name, origin + 1) > origin
    ]
    columns = ["retailer_id", "silent_weeks", "mean_gap_weeks", "longest_gap_weeks", "order_weeks", *RHYTHM_COLUMNS]
    return pd.DataFrame([row for row in rows if row is not None], columns=columns)


def _rhythm(name: str, weeks: Weeks, origin: int, closed: float) -> tuple[str | float, ...] | None:
    if len(weeks) < FEWEST_ORDER_WEEKS or origin - weeks[-1] < ACTIVE_WEEKS:
        return None
    silent = int(origin - weeks[-1])
    counted = max(silent * (1.0 - closed), 1.0)
    gaps = np.diff(weeks)
    mean, longest = float(gaps.mean()), float(gaps.max())
    paused = _between(weeks, origin - YEAR_WEEKS - silent + 1, origin - YEAR_WEEKS) == 0 and bool(weeks[0] <= origin - YEAR_WEEKS - silent)
    came_back = _between(weeks, origin - YEAR_WEEKS + 1, origin - YEAR_WEEKS + RETURN_WEEKS) > 0
    logs = (np.log(counted), np.log(counted / mean), np.log(counted / longest), float(paused and came_back), np.log(len(weeks)))
    return (name, silent, mean, longest, len(weeks), *logs)


def _between(weeks: Weeks, first: int, last: int) -> int:
    """How many of rising weeks lie from first to last, both inclusive.

    >>> _between(np.array([1, 3, 5]), 2, 5)
    2
    """
    return int(np.searchsorted(weeks, last, side="right") - np.searchsorted(weeks, first, side="left"))
