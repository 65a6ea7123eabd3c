"""Which inputs of the models are watched for drift, and how were they spread when a model was trained?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd
import pyarrow as pa

from features.churn import CHURN_FEATURES
from features.demand import GROUP_FEATURES, PAIR_FEATURES
from features.newcomers import NEWCOMER_FEATURES
from models.drift import Population

AGES = ("weeks_since_first_order", "retailer_weeks_since_first_order", "tenure_weeks")
"""Grow by a week every week, so that they move without anything having changed."""

DISTRICT_WIDE = ("district_silent_share", "district_trend_13w", "weeks_since_competitor")
"""Inputs of the churn model that all retailers of a district share: a dozen values say nothing of a spread."""

OWN_ACTS = ("rationing", "stock-outs")
"""Factors that the wholesaler decides for all at once: a stock-out takes the input of every retailer from 0 to 1, and is no drift. They are
watched as shares of orders at a cap and by the checks of the data."""

RETAILER_WIDE = ("retailer_",)
"""Prefix of the demand model's features that a retailer has alone; those of SKUs, districts or all orders move every row together."""


def watched_inputs(names: Sequence[str]) -> list[str]:
    """Return the inputs of the demand model that are a pair's or a retailer's own; what newcomers are told by is their SKU's or tier's.

    >>> watched_inputs(["mean_4w", "cap_hit_rate_26w", "total_trend_4w", "retailer_skus_13w", "weeks_since_first_order", "horizon_weeks"])
    ['mean_4w', 'retailer_skus_13w']
    """
    own = {feature.name for feature in PAIR_FEATURES if feature.group not in OWN_ACTS} - {feature.name for feature in NEWCOMER_FEATURES}
    acts = {feature.name for feature in GROUP_FEATURES if feature.group in OWN_ACTS}
    return [name for name in names if (name in own or name.startswith(RETAILER_WIDE)) and name not in acts | set(AGES)]


def demand_population(known: Population | None, pairs: pa.Table, names: Sequence[str], as_of: date) -> Population:
    """Describe the pairs of the newest cut-off of a training, or add to that what an earlier one tells of the usual movement."""
    watched = watched_inputs(names)
    rows = pairs.select(["retailer_id", *watched]).to_pandas()
    return Population.of(rows, watched, as_of.isoformat()) if known is None else known.seen(rows)


def churn_population(labelled: pd.DataFrame, names: Sequence[str]) -> Population:
    """Describe the retailers of the newest origin of a training."""
    acts = {feature.name for feature in CHURN_FEATURES if feature.group in OWN_ACTS}
    watched = [name for name in names if name not in acts | {*AGES, *DISTRICT_WIDE}]
    newest, *earlier = sorted(labelled["as_of"].unique(), reverse=True)
    by_origin = {day: rows.drop_duplicates("retailer_id") for day, rows in labelled.groupby("as_of")}
    population = Population.of(by_origin[newest], watched, pd.Timestamp(newest).date().isoformat())
    for origin in earlier:
        population = population.seen(by_origin[origin])
    return population
