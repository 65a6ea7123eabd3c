"""In which of the weeks to forecast can a pair order at all? Before its retailer's opening or its SKU's launch the forecast is nothing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from models.stacking import Floats, column


def open_weeks(pairs: pa.Table, horizon: int) -> Floats:
    """Return 1 for each pair that can order in the target week, 0 for one that begins later (n,): what forecasts are multiplied by.

    Parameters
    ----------
    pairs
        Pair features of one cut-off (n rows) with ``open_from_horizon``, the first horizon in whose week something can be ordered; where
        the column is not there, everybody can.

    Examples
    --------
    >>> open_weeks(pa.table({"open_from_horizon": [1, 5]}), 4).tolist()
    [1.0, 0.0]
    """
    if "open_from_horizon" not in pairs.column_names:
        return np.ones(pairs.num_rows)
    return (column(pairs, "open_from_horizon") <= horizon).astype(np.float64)
