"""Do the shops of a part order more, or less, of what was forecast than all others do: in one week, and with few of them?"""

from __future__ import annotations

from math import log

import numpy as np
import pandas as pd

from models.estimates import Estimate

LEAST_TIMES = 0.05
"""Orders of a part count as at least so many times their forecast: nothing has no logarithm."""


def level_shift(part: pd.DataFrame, rest: pd.DataFrame) -> Estimate | None:
    """Bias of a part beyond that of the rest, as ``matured_forecasts.relative_bias`` has it, of shops that differ only in where they are.

    With e_r and a_r what was expected of a shop and what it ordered, c = Σa / Σe over all and r = (a_r − c·e_r) / √(c·e_r) (Pearson
    residuals), the means of r of both groups of shops are compared as though their variance were the same: that of the part alone would
    be raised by the very shift. A shift to g times moves the part's mean by (g − 1) · mean √(c·e_r), which gives g; the bias is 1/g − 1.
    Its error is test-based (Miettinen 1976): log g is as many errors from 0 as the means are from each other.

    Parameters
    ----------
    part, rest
        Rows with ``retailer_id``, ``expected`` and ``actual``, units; no retailer is in both.

    Returns
    -------
    Estimate
        None where nothing was ordered or a side has fewer than two shops.

    Examples
    --------
    >>> rest = pd.DataFrame({"retailer_id": list("ABCD"), "expected": [9.0, 9.0, 4.0, 4.0], "actual": [8.0, 10.0, 3.0, 5.0]})
    >>> part = pd.DataFrame({"retailer_id": list("EF"), "expected": [9.0, 4.0], "actual": [18.0, 8.0]})
    >>> shift = level_shift(part, rest)
    >>> round(shift.value, 2), round(shift.error, 2)
    (-0.43, 0.14)
    """
    own, others = (
        rows.groupby("retailer_id", sort=False, observed=True)[["expected", "actual"]].sum().query("expected > 0") for rows in (part, rest)
    )
    everybody = pd.concat([own, others])
    if min(len(own), len(others)) < 2 or everybody.actual.sum() <= 0:
        return None
    usual = (everybody.expected * float(everybody.actual.sum() / everybody.expected.sum())).to_numpy(dtype=np.float64)
    residuals = (everybody.actual.to_numpy(dtype=np.float64) - usual) / np.sqrt(usual)
    apart = float(residuals[: len(own)].mean() - residuals[len(own) :].mean())
    error = float(residuals.std()) * (1 / len(own) + 1 / len(others)) ** 0.5
    per_time = float(np.sqrt(usual[: len(own)]).mean())
    times = max(1.0 + apart / per_time, LEAST_TIMES)
    # both are the same in the limit
    relative_error = abs(log(times) * error / apart) if abs(log(times)) > 1e-9 else error / per_time
    return Estimate(1.0 / times - 1.0, relative_error / times, len(part))
