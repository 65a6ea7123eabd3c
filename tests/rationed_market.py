"""A simulated market in which some SKUs are rationed, and the true size of every order is known."""

from __future__ import annotations

import numpy as np
import pandas as pd

FIRST_WEEK = pd.Timestamp("2018-01-01")
RUN_WEEKS = 10


def rationed_market(seed: int, *, rationed: int = 12, free: int = 12, retailers: int = 60, weeks: int = 80) -> pd.DataFrame:
    """Make cells as ``models.recovery.censored_history`` takes them, with ``asked``, the units that were wanted.

    Sizes are log-normal and lumpy: retailers differ, a tenth of the orders is four times as large, and half of the retailers order whole
    packs of six. In two of three runs of ten weeks a rationed SKU has one cap per tier, which about half of the orders reach.
    """
    rng = np.random.default_rng(seed)
    sku, retailer, week = (
        axis.ravel() for axis in np.meshgrid(np.arange(rationed + free), np.arange(retailers), np.arange(weeks), indexing="ij")
    )
    ordered = rng.random(sku.size) < 0.3
    sku, retailer, week = sku[ordered], retailer[ordered], week[ordered]
    tier = retailer % 2
    hotness, level = rng.normal(2.0, 0.5, rationed + free), rng.normal(0.0, 0.4, (rationed + free, retailers))
    lumps = np.where(rng.random(sku.size) < 0.1, 4.0, 1.0)
    wanted = lumps * np.exp(hotness[sku] + 0.7 * tier + level[sku, retailer] + rng.normal(0.0, 0.5, sku.size))
    pack = np.where(retailer % 4 < 2, 6.0, 1.0)
    asked = np.maximum(np.round(wanted / pack), 1.0) * pack
    run = week // RUN_WEEKS
    runs = weeks // RUN_WEEKS + 1
    caps = np.round(np.exp(hotness[:, None, None] + 0.7 * np.arange(2)[:, None] + rng.normal(0.1, 0.2, (rationed + free, 2, runs))))
    caps[rng.random((rationed + free, 2, runs)) < 1 / 3] = np.nan
    caps[rationed:] = np.nan
    cap = caps[sku, tier, run]
    at_cap = asked >= cap
    delivered = np.where(at_cap, cap, asked)
    return pd.DataFrame(
        {
            "retailer_id": [f"R{number:02d}" for number in retailer],
            "sku_id": [f"S{number:02d}" for number in sku],
            "tier": [f"T{number}" for number in tier],
            "category": [f"C{number % 3}" for number in sku],
            "pack_units": 6.0,
            "week_start": FIRST_WEEK + pd.to_timedelta(7 * week, unit="D"),
            "delivered_units": delivered,
            "cap_units": cap,
            "lower_units": delivered,
            "upper_units": np.where(at_cap, np.nan, delivered),
            "censoring": np.where(at_cap, "cap", "none"),
            "asked": asked,
        }
    )
