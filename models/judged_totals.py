"""How often do totals of eight weeks lie where their forecast said they would?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from contracts.weeks import HORIZONS
from models.breakdown import NEWCOMER, VELOCITY_CLASSES, velocity_class
from models.metrics import bias, coverage, pinball_loss
from models.stacking import Floats, column
from models.totals import TotalQuantiles

SEEN, HIDDEN = "no cap or floor", "a cap or floor in some week"
"""Whether a limit stood over the pair in any of the eight weeks; where one did, part of what came may be an estimate."""

BY = ("all", "velocity", "limits", "origin")
"""What totals are divided by."""

UPPER_LEVELS = (0.9, 0.95)


def judged_totals(pairs: pa.Table, p_order: Floats, mean_units: Floats, law: TotalQuantiles, levels: Sequence[float]) -> pd.DataFrame:
    """Put what came in eight weeks together beside its forecast.

    Parameters
    ----------
    pairs
        ``retailer_id``, ``sku_id`` and ``target_{h}`` (units; null is a closed week) of each pair (n rows).
    p_order, mean_units
        Forecasts by pair and horizon (n, 8).
    law
        Of the totals, learned from other weeks.
    levels
        Of the quantiles, rising.

    Returns
    -------
    pandas.DataFrame
        One row per pair without a closed week: ``retailer_id``, ``sku_id``, and in units ``actual``, ``model`` (expected), ``low80`` and
        ``high80`` (ends of the 80 % interval), ``q{level}``.
    """
    came = np.stack([column(pairs, f"target_{horizon}") for horizon in HORIZONS], axis=1)
    complete = ~np.isnan(came).any(axis=1)
    expected_orders, mean = p_order[complete].sum(axis=1), mean_units[complete].sum(axis=1)
    low, high = law.interval(expected_orders, mean)
    quantiles = law.predict(expected_orders, mean, levels)
    keys: pd.DataFrame = pairs.select(["retailer_id", "sku_id"]).filter(pa.array(complete)).to_pandas()
    ends = {"actual": came[complete].sum(axis=1), "model": mean, "low80": low, "high80": high}
    return keys.assign(**ends, **{f"q{level}": quantiles[:, position] for position, level in enumerate(levels)})


def total_coverage(totals: pd.DataFrame, levels: Sequence[float]) -> pd.DataFrame:
    """Measure the totals of all origins, whole and by class.

    Parameters
    ----------
    totals
        As ``judged_totals`` gives them, with ``origin``, ``orders_52w`` and ``open_weeks_52w`` (``features.judged_pairs``) and ``limited``
        (whether a cap or floor stood over the pair in any of the weeks).

    Returns
    -------
    pandas.DataFrame
        One row per class: ``kind`` (one of ``BY``), ``value``, ``totals`` (count), ``bias``, ``pinball_loss`` (NaN where nothing came), and
        shares: ``coverage_80``, ``below_low80``, ``above_high80``, ``at_most_q90``, ``at_most_q95``. Without a total there is no row.
    """
    if totals.empty:
        return pd.DataFrame(columns=["kind", "value", *FIGURES])
    velocity = pd.Categorical(velocity_class(totals.orders_52w, totals.open_weeks_52w), [*VELOCITY_CLASSES, NEWCOMER], ordered=True)
    limits = pd.Categorical(np.where(totals.limited, HIDDEN, SEEN), [SEEN, HIDDEN], ordered=True)
    divided = totals.assign(all="all", velocity=velocity, limits=limits)
    parts = [(kind, str(value), part) for kind in BY for value, part in divided.groupby(kind, observed=True)]
    return pd.DataFrame([{"kind": kind, "value": value, **_figures(part, levels)} for kind, value, part in parts])


FIGURES = ("totals", "bias", "pinball_loss", "coverage_80", "below_low80", "above_high80", "at_most_q90", "at_most_q95")


def _figures(totals: pd.DataFrame, levels: Sequence[float]) -> dict[str, float]:
    actual, low, high = (totals[name].to_numpy(dtype=np.float64) for name in ("actual", "low80", "high80"))
    some = actual.sum() > 0
    quantiles = totals[[f"q{level}" for level in levels]].to_numpy(dtype=np.float64)
    return {
        "totals": len(totals),
        "bias": bias(actual, totals.model.to_numpy(dtype=np.float64)) if some else float("nan"),
        "pinball_loss": pinball_loss(actual, quantiles, levels) if some else float("nan"),
        "coverage_80": coverage(actual, low, high),
        "below_low80": float(np.mean(actual < low)),
        "above_high80": float(np.mean(actual > high)),
        **{f"at_most_q{100 * level:.0f}": float(np.mean(actual <= totals[f"q{level}"].to_numpy())) for level in UPPER_LEVELS},
    }
