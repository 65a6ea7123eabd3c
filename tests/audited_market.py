"""Reclassifications of a made-up market in which nobody cheats, or somebody does, for the tests of the audit."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from contracts.customers import ABC_CLASSES
from contracts.raw import SEGMENT_OVERRIDES
from contracts.segment_definitions import ABC_SHARES
from models.value_pyramid import value_classes

QUARTER_END = date(2024, 6, 30)


def honest_segments(random: np.random.Generator, retailers: int, managers: int) -> pd.DataFrame:
    """Return retailers whose margin and lifetime value are log-normal, looked after by managers of different size."""
    margin = random.lognormal(7.0, 1.0, retailers)
    value = margin * random.lognormal(0.5, 0.3, retailers) - 50.0
    computed = value_classes(value, [None] * retailers)
    before = value_classes(value * random.lognormal(0.0, 0.15, retailers), [None] * retailers)
    weights = random.dirichlet(np.full(managers, 5.0))
    return pd.DataFrame(
        {
            "retailer_id": [f"R{number:05d}" for number in range(retailers)],
            "margin_52w": margin,
            "lifetime_value": value,
            "abc_class": abc_classes_of(margin),
            "value_class": computed,
            "value_class_computed": computed,
            "value_class_prev": before,
            "suggested_tier": "T1",
            "account_manager": random.choice([f"M{number}" for number in range(managers)], retailers, p=weights).astype(object),
        }
    )


def abc_classes_of(margin: np.ndarray) -> np.ndarray:
    """Return the ABC class of each margin: the share of everything above it decides."""
    order = np.argsort(-margin)
    above = np.empty(len(margin))
    above[order] = np.cumsum(margin[order]) - margin[order]
    places = np.searchsorted(ABC_SHARES, above / margin.sum(), side="right")
    return np.array([ABC_CLASSES[place] for place in places], dtype=object)


def honest_overrides(random: np.random.Generator, segments: pd.DataFrame, overrides: int, as_of: date) -> pd.DataFrame:
    """Return approved overrides of retailers and days that chance chose, over the 52 weeks up to ``as_of``."""
    rows = []
    for number in range(overrides):
        proposed_on = as_of - timedelta(days=int(random.integers(0, 364)))
        rows.append(
            {
                "override_id": f"O{number}",
                "retailer_id": str(random.choice(segments.retailer_id.to_numpy())),
                "attribute": "value_class",
                "value": "key",
                "reason": "known to the district",
                "proposed_by": f"user{random.integers(0, 5)}",
                "proposed_on": proposed_on,
                "approved_by": "head",
                "approved_on": min(proposed_on + timedelta(days=3), as_of),
                "expires_on": as_of + timedelta(days=180),
            }
        )
    return pd.DataFrame(rows, columns=list(SEGMENT_OVERRIDES.column_names))
