"""What did a retailer bring per week in the year before its last order?"""

from __future__ import annotations

import numpy as np
import pandas as pd

MARGIN_WEEKS = 52


def margin_before_last_order(order_weeks: pd.DataFrame) -> pd.Series:
    """Return money per week of each retailer over the 52 weeks that end with its last order, or since its first order in them.

    Parameters
    ----------
    order_weeks
        Rows of ``features.order_weeks``; ``week_start`` as datetimes.

    Returns
    -------
    pandas.Series
        By ``retailer_id``; what it paid, times the share of margin in what has a known cost. NaN where no price or no cost is known.

    Examples
    --------
    >>> weeks = pd.DataFrame({"retailer_id": "R1", "week_start": pd.to_datetime(["2024-01-01", "2024-01-15"]), "money": [40.0, 20.0],
    ...                       "money_with_cost": [40.0, 20.0], "cost": [30.0, 15.0]})
    >>> margin_before_last_order(weeks).to_dict()
    {'R1': 5.0}
    """
    last = order_weeks.groupby("retailer_id").week_start.transform("max")
    year = order_weeks[(last - order_weeks.week_start).dt.days < 7 * MARGIN_WEEKS]
    grouped = year.groupby("retailer_id")
    sums = grouped[["money", "money_with_cost", "cost"]].sum(min_count=1).astype(float)
    weeks = (grouped.week_start.max() - grouped.week_start.min()).dt.days / 7.0 + 1.0
    share = (sums.money_with_cost - sums.cost) / sums.money_with_cost.where(sums.money_with_cost != 0.0)
    return (sums.money * share / weeks).replace([np.inf, -np.inf], np.nan)
