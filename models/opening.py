"""In which of the weeks to forecast can a pair order at all?

Before its retailer's opening or its SKU's launch, and after its SKU was delisted, the forecast is nothing.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from models.stacking import Floats, column


def open_weeks(pairs: pa.Table, horizon: int) -> Floats:
    """Return 1 for each pair that can order in the target week, 0 for the others (n,): what forecasts are multiplied by.

    Parameters
    ----------
    pairs
        Pair features of one cut-off (n rows) with ``open_from_horizon`` and ``open_until_horizon``, the first and the last horizon in whose
        week something can be ordered; where a column is not there, it bounds nothing.

    Examples
    --------
    >>> open_weeks(pa.table({"open_from_horizon": [1, 5, 1], "open_until_horizon": [8, 8, 3]}), 4).tolist()
    [1.0, 0.0, 0.0]
    """
    can_order = np.ones(pairs.num_rows)
    if "open_from_horizon" in pairs.column_names:
        can_order *= column(pairs, "open_from_horizon") <= horizon
    if "open_until_horizon" in pairs.column_names:
        can_order *= column(pairs, "open_until_horizon") >= horizon
    return can_order
