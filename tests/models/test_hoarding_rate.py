"""The share of hoarded orders, from orders whose hoarding is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.hoarding_rate import hoarding_rate
from models.orders import orders_of


def cells(share: float, *, surge: float = 0.0, always: bool = False) -> pd.DataFrame:
    """Log-normal orders of 60 retailers and 6 SKUs, every second quarter under a cap well above the usual size."""
    rng = np.random.default_rng(1)
    retailer, sku, week = (values.ravel() for values in np.meshgrid(np.arange(60), np.arange(6), np.arange(104), indexing="ij"))
    level = rng.normal(2.5, 0.4, (60, 6))[retailer, sku]
    capped = (week // 13 % 2 == 1) | always
    wanted = np.maximum(1.0, np.round(np.exp(level + surge * capped + rng.normal(0, 0.5, week.size))))
    cap = np.where(capped, 20.0, np.nan)
    hoarded = capped & (rng.random(week.size) < share)
    delivered = np.where(capped, np.where(hoarded, 20.0, np.minimum(wanted, 20.0)), wanted)
    frame = {
        "retailer_id": [f"R{code}" for code in retailer],
        "sku_id": [f"S{code}" for code in sku],
        "tier": "T1",
        "category": "",
        "week_start": pd.Timestamp("2019-01-07") + pd.to_timedelta(7 * week, unit="D"),
        "delivered_units": delivered,
        "cap_units": cap,
        "pack_units": np.nan,
        "censoring": np.where(delivered >= np.where(capped, cap, np.inf), "cap", "none"),
    }
    return pd.DataFrame(frame).sort_values("week_start", ignore_index=True)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3])
def test_the_share_of_hoarded_orders_is_found(share: float) -> None:
    found = hoarding_rate(orders_of(cells(share)))
    assert found is not None
    assert found.rate == pytest.approx(share, abs=0.02)
    assert found.margin < 0.02


def test_a_surge_under_caps_looks_like_hoarding_which_is_why_it_corrects_nothing() -> None:
    found = hoarding_rate(orders_of(cells(0.0, surge=0.3)))
    assert found is not None
    assert found.rate > 0.04


def test_without_open_weeks_nothing_is_said() -> None:
    assert hoarding_rate(orders_of(cells(0.1, always=True))) is None
