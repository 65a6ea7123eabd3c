"""How many orders are for the whole cap though less was wanted? Read from orders alone; it corrects nothing by itself.

An order under a cap is at it more often than sizes of open weeks explain: P(at cap) = S + pi(1 - S), with S the share of orders in open
weeks near in time that would have reached the same cap, among orders whose cap lies as far above the pair's usual size. Caps that come when
demand surges raise the share at the cap too, and this cannot tell the two apart; docs/recovery.md has what it says where nobody hoards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.hoarding import estimated_hoarding
from models.orders import Orders
from models.recapping import rationed_skus
from models.stacking import Flags, Floats, Integers

NEAR_WEEKS = 8
"""Open and capped weeks of a tier are compared within so many weeks of each other."""

FEWEST_OPEN = 4
"""Orders of a pair in open weeks that tell its usual size."""

BIN = 0.5
"""Width, in the logarithm of cap over usual size, of what counts as equally far."""

FEWEST_IN_BIN = 50
MOST_REACHED = 0.3

LEAST_EVIDENT = 0.05
"""A rate up to this is what surges under caps can come to where nobody hoards."""


@dataclass(frozen=True)
class HoardingRate:
    """The share of orders under caps that were for the whole cap whatever was wanted.

    Attributes
    ----------
    rate, margin
        pi, and its standard error: orders of one SKU go together.
    orders
        Orders under a cap that it rests on.
    """

    rate: float
    margin: float
    orders: int

    @property
    def evident(self) -> bool:
        """Whether the rate lies above what model error shows where nobody hoards, by two standard errors.

        >>> HoardingRate(0.108, 0.009, 5000).evident, HoardingRate(0.108, 0.04, 300).evident, HoardingRate(0.03, 0.007, 5000).evident
        (True, False, False)
        """
        return self.rate - 2.0 * self.margin > LEAST_EVIDENT


def hoarding_rate(orders: Orders) -> HoardingRate | None:
    """Estimate the rate from orders; None where too few open and capped weeks lie near each other."""
    told = orders.take(np.isin(orders.sku, rationed_skus(orders)))
    was_open = ~np.isfinite(told.cap)
    cap, near = _nearest_caps(told, was_open)
    farness = _farness(told, cap, was_open)
    used = near & np.isfinite(farness)
    hit = np.where(was_open, told.size >= cap, told.at_cap)[used]
    place: Integers = pd.factorize(np.floor(farness[used] / BIN))[0].astype(np.int64)
    compared, under = was_open[used], told.named[used]
    bins = int(place.max(initial=-1)) + 1
    count = np.bincount(place[compared], minlength=bins)
    share = np.bincount(place[compared], hit[compared], bins) / np.maximum(count, 1)
    reached = np.where(count >= FEWEST_IN_BIN, share, 1.0)[place][under]
    if (reached <= MOST_REACHED).sum() < FEWEST_IN_BIN:
        return None
    at_cap = hit[under].astype(np.int64)
    rate = estimated_hoarding(at_cap, reached, MOST_REACHED)
    return HoardingRate(rate, _margin(at_cap, reached, rate, told.sku[used][under]), int((reached <= MOST_REACHED).sum()))


def _margin(at_cap: Integers, reached: Floats, rate: float, sku: Integers) -> float:
    far = reached <= MOST_REACHED
    off = np.bincount(sku[far], (at_cap - reached - rate * (1.0 - reached))[far])
    return float(np.sqrt((off**2).sum()) / (1.0 - reached[far]).sum())


def _nearest_caps(orders: Orders, was_open: Flags) -> tuple[Floats, Flags]:
    """Return each order's cap, in open weeks the one its tier had nearest in time; and whether an open and a capped week lie near."""
    asked = pd.DataFrame({"tier_sku": orders.tier_sku, "week": orders.week, "order": np.arange(orders.count)})
    weeks = pd.DataFrame({"tier_sku": orders.tier_sku, "week": orders.week, "then": orders.week, "cap": orders.cap})
    caps, opens = (weeks[kind].drop_duplicates(["tier_sku", "week"]) for kind in (orders.named, was_open))
    capped, opened = (
        pd.merge_asof(asked, kind, on="week", by="tier_sku", direction="nearest", tolerance=NEAR_WEEKS).sort_values("order")
        for kind in (caps, opens)
    )
    cap = np.where(orders.named, orders.cap, capped.cap.fillna(np.inf).to_numpy(dtype=np.float64))
    near = np.where(was_open, capped.then.notna().to_numpy(), orders.named & opened.then.notna().to_numpy())
    return cap, near.astype(bool)


def _farness(orders: Orders, cap: Floats, was_open: Flags) -> Floats:
    """Return ln(cap / usual size) by the pair's other orders in open weeks; NaN where there are too few, or no cap."""
    pairs = orders.pair.max(initial=-1) + 1
    size = np.log(np.maximum(orders.size, 1.0)) * was_open
    count = np.bincount(orders.pair, was_open, pairs)[orders.pair] - was_open
    total = np.bincount(orders.pair, size, pairs)[orders.pair] - size
    usual = total / np.maximum(count, 1)
    told = (count >= FEWEST_OPEN) & np.isfinite(cap)
    return np.where(told, np.log(np.where(told, np.maximum(cap, 1.0), 1.0)) - usual, np.nan)
