"""CDNOW: 2,357 customers who first bought in the first quarter of 1997, followed to June 1998; the papers on BG/NBD and Pareto/NBD use it.

The files are in the package ``lifetimes``, which is not imported: it is no longer developed, and only its data are wanted.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from models.repeat_orders import RepeatOrders

CALIBRATED_UP_TO = "19970930"
"""The last day of week 39; the data end 39 weeks later."""

WEEKS_AHEAD = 39.0


@cache
def cdnow_orders() -> RepeatOrders:
    """Orders up to the end of week 39, times in weeks, one row per customer."""
    rows = pd.read_csv(_folder() / "cdnow_customers_summary.csv")
    return RepeatOrders.from_arrays(rows["frequency"], rows["recency"], rows["T"])


@cache
def cdnow_ordered_later() -> npt.NDArray[np.bool_]:
    """Which of these customers ordered in weeks 40 to 78."""
    names = ["master_id", "customer", "day", "cds", "dollars"]
    orders = pd.read_csv(_folder() / "CDNOW_sample.txt", sep=r"\s+", names=names, dtype={"day": "str"})
    return np.asarray(orders["day"].gt(CALIBRATED_UP_TO).groupby(orders["customer"]).any().sort_index(), dtype=np.bool_)


def _folder() -> Path:
    package = find_spec("lifetimes")
    if package is None or not package.submodule_search_locations:
        pytest.skip("the CDNOW data are in the package lifetimes, which is not installed: uv sync --group dev")
    return Path(package.submodule_search_locations[0]) / "datasets"
