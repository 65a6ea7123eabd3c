"""Which weeks does the county live through: the history that is written, and the future only the truth knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from contracts.weeks import CHURN_HORIZONS, HORIZONS, last_week

FORECAST_WEEKS = max(HORIZONS)
CHURN_WEEKS = max(CHURN_HORIZONS)


@dataclass(frozen=True)
class Timeline:
    """Weeks by number: 0 is the first week of the history, ``n_weeks`` the first after ``as_of``.

    Attributes
    ----------
    as_of
        The Sunday that ends the history.
    n_weeks
        Weeks of history.

    Examples
    --------
    >>> weeks = Timeline(date(2025, 9, 28), 2)
    >>> weeks.starts[:3].astype(str).tolist(), weeks.n_all
    (['2025-09-15', '2025-09-22', '2025-09-29'], 28)
    >>> weeks.number(date(2025, 9, 30))
    2
    """

    as_of: date
    n_weeks: int

    @property
    def n_all(self) -> int:
        """Weeks of history and of the future that the truth covers."""
        return self.n_weeks + CHURN_WEEKS

    @property
    def n_told(self) -> int:
        """Weeks of which the true weekly demand is written."""
        return self.n_weeks + FORECAST_WEEKS

    @property
    def first(self) -> date:
        """Monday of week 0."""
        return last_week(self.as_of) - timedelta(weeks=self.n_weeks - 1)

    @property
    def starts(self) -> NDArray[np.datetime64]:
        """Monday of every week, shape (n_all,), dtype datetime64[D]."""
        return np.datetime64(self.first, "D") + 7 * np.arange(self.n_all)

    def number(self, day: date) -> int:
        """Return the number of the week a day is in; below 0 before the history."""
        return (day - self.first).days // 7
