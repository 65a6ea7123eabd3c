"""Pair features against a slow twin that lays every pair out week by week, zeros included, and counts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.weeks import last_week
from features.demand import pair_features
from features.newcomers import LARGEST_SIZE
from features.pair_history import REMEMBERED_WEEKS
from features.pairs import ColdStart
from tests.cell_rows import AS_OF, cell
from tests.statements import Rows, Statement

NOBODY_IS_NEW = ColdStart(new_weeks=0, skus_per_retailer=0, retailers_per_sku=0)
TIERS = {"P": "T1", "Q": "T1", "R": "T2"}
WEEKS = 70

kinds = st.sampled_from(["none", "none", "none", "cap", "band", "floor", "stockout"])
entries = st.tuples(kinds, st.integers(1, 9), st.integers(0, 4), st.none() | st.integers(1, 50))
places = st.tuples(st.sampled_from("PQR"), st.sampled_from("ST"), st.integers(0, WEEKS - 1) | st.integers(0, 13))
markets = st.dictionaries(places, entries, max_size=40)


@pytest.fixture(scope="module")
def statement() -> Statement:
    def build(cells: Any, retailers: Any, skus: Any) -> Any:
        return pair_features(cells, retailers, skus, AS_OF, attributes=["tier"], cold_start=NOBODY_IS_NEW)

    return Statement(build, "demand_cells", "retailers", "skus")


@settings(max_examples=20, deadline=None)
@given(market=markets)
def test_pair_features_are_those_of_the_slow_twin(statement: Statement, market: dict[Any, Any]) -> None:
    cells = [cell_of(place, entry) for place, entry in market.items()]
    found = statement.table(demand_cells=cells, retailers=[{"retailer_id": name, "tier": tier} for name, tier in TIERS.items()])
    features = found.to_pandas().set_index(["retailer_id", "sku_id"])
    slow = slow_features(cells)
    assert set(features.index) == set(slow)
    for key, expected in slow.items():
        values = features.loc[key, list(expected)].to_numpy(dtype=float)
        np.testing.assert_allclose(values, list(expected.values()), rtol=1e-4, atol=2e-3, err_msg=f"{key} {list(expected)}")


def cell_of(place: tuple[str, str, int], entry: tuple[str, int, int, int | None]) -> dict[str, Any]:
    """A cell whose true demand is what its censoring allows."""
    kind, delivered, more, amount = entry
    true = {"cap": delivered + more, "band": delivered + more, "floor": max(delivered - more, 0)}.get(kind, delivered)
    return cell(*place, delivered, true=true, censoring=kind, amount=amount)


class Pair:
    """A pair week by week, 0 the last known one: true demand, deliveries, and what was open."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.age = int(rows["ago"].max()) + 1
        ago = rows["ago"].to_numpy()
        self.open = np.ones(WEEKS, dtype=bool)
        self.open[ago[rows["censoring"] == "stockout"]] = False
        self.known = self.open & (np.arange(WEEKS) < self.age)
        self.true, self.capped, self.ordered = np.zeros(WEEKS), np.zeros(WEEKS, dtype=bool), np.zeros(WEEKS, dtype=bool)
        self.true[ago] = rows["true_units"]
        self.true[~self.open] = 0
        self.unmet = np.zeros(WEEKS)
        self.unmet[ago] = rows["true_units"] - rows["delivered_units"]
        self.capped[ago] = rows["censoring"].isin(["cap", "band"])
        self.ordered[ago] = rows["censoring"] != "stockout"
        self.paid = rows[rows["amount"].notna() & (rows["ago"] < 52)]
        self.last = int(ago.min())


def slow_features(cells: Rows) -> dict[tuple[str, str], dict[str, float]]:
    """Features by retailer and SKU of the pairs with an order in the last 52 weeks."""
    if not cells:
        return {}
    rows = pd.DataFrame(cells).astype({"amount": float})
    rows["ago"] = [(last_week(AS_OF) - day).days // 7 for day in rows["week_start"] if isinstance(day, date)]
    pairs = {key: Pair(of_pair) for key, of_pair in rows.groupby(["retailer_id", "sku_id"])}
    remembered = {(str(shop), str(sku)): pair for (shop, sku), pair in pairs.items() if pair.last < REMEMBERED_WEEKS}
    return {key: of_pair(pair) | around(key, remembered) for key, pair in remembered.items() if pair.last < 52}


def of_pair(pair: Pair) -> dict[str, float]:
    """What the pair itself did."""
    values: dict[str, float] = {}
    for weeks in (4, 8, 13, 26, 52):
        values[f"mean_{weeks}w"] = mean(pair.true[:weeks][pair.known[:weeks]])
        values[f"order_rate_{weeks}w"] = mean(pair.ordered[:weeks][pair.known[:weeks]])
    del values["order_rate_4w"]
    orders = np.flatnonzero(pair.ordered)
    year = orders[orders < 52]
    sizes, gap = pair.true[year], mean(np.diff(year))
    since = float(orders[0]) if orders.size and orders[0] < REMEMBERED_WEEKS else np.nan
    values |= {f"units_{ago}_ago": pair.true[ago] for ago in range(8)}
    values |= {"weeks_since_order": since, "weeks_since_first_order": pair.age - 1, "gap_weeks": gap, "silence_in_gaps": since / gap}
    values |= {"mean_order_units": mean(sizes), "largest_order_units": sizes.max() if sizes.size else np.nan}
    values |= {"order_units_spread": share(float(np.std(sizes)), mean(sizes)) if sizes.size else np.nan}
    values |= {"cap_hit_rate_26w": mean(pair.capped[:26][pair.ordered[:26]])}
    values |= {"unmet_share_26w": share(pair.unmet[:26][pair.capped[:26]].sum(), pair.true[:26].sum())}
    values |= {
        "closed_share_8w": 1 - pair.open[:8].mean(),
        "paid_unit_price": share(pair.paid["amount"].sum(), pair.paid["delivered_units"].sum()),
    }
    for horizon in range(1, 9):
        values[f"units_year_before_{horizon}"] = (
            mean(around_year_before(pair, horizon)) if seen_a_year_before(pair.age, horizon) else np.nan
        )
    return values


def around(key: tuple[str, str], pairs: dict[tuple[str, str], Pair]) -> dict[str, float]:
    """What the groups did that the pair belongs to."""
    shop, sku = key
    members = {
        "sku": [pair for (_, other), pair in pairs.items() if other == sku],
        "retailer": [pair for (other, _), pair in pairs.items() if other == shop],
        "tier_sku": [pair for (s, p), pair in pairs.items() if p == sku and TIERS[s] == TIERS[shop]],
        "total": list(pairs.values()),
    }
    values: dict[str, float] = {}
    for group, of_group in members.items():
        units = np.sum([pair.true for pair in of_group], axis=0)
        age = max(pair.age for pair in of_group)
        level = {weeks: units[:weeks].sum() / min(age, weeks) for weeks in (4, 13, 52)}
        values |= {f"{group}_trend_4w": share(level[4], level[13]), f"{group}_trend_13w": share(level[13], level[52])}
        if group in ("sku", "total"):
            for h in range(1, 9):
                season = share(sum(around_year_before(pair, h).sum() for pair in of_group) / 3, level[52])
                values[f"{group}_season_{h}"] = season if seen_a_year_before(age, h) else np.nan
    values["sku_closed_share_4w"] = 1 - float(np.mean([pair.open[:4] for pair in members["sku"]]))
    values["sku_pairs_13w"] = sum(bool(pair.ordered[:13].any()) for pair in members["sku"])
    values["retailer_skus_13w"] = sum(bool(pair.ordered[:13].any()) for pair in members["retailer"])
    values["tier_sku_order_rate_13w"] = mean(np.concatenate([p.ordered[:13][p.open[:13]] for p in members["tier_sku"]]))
    values["pair_parity_share_1"] = mean(np.flatnonzero(pairs[key].ordered[:26]) % 2 == 1)
    return values | {"peer_units": peer_units(shop, pairs, members), "like_units": like_units(shop, pairs)}


def peer_units(shop: str, pairs: dict[tuple[str, str], Pair], members: dict[str, list[Pair]]) -> float:
    """Units a week of the SKU per buying retailer of the tier, times the size of this one; like SKUs' before their first order."""
    of_tier = {key: pair for key, pair in pairs.items() if TIERS[key[0]] == TIERS[shop]}
    buyers = len({key[0] for key, pair in of_tier.items() if pair.ordered[:13].any()})
    seen = min(max(pair.age for pair in members["tier_sku"]), 13)
    unseen = float(np.nan_to_num(like_units(shop, pairs))) * (13 - seen) / 13
    if not buyers:
        return unseen
    typical = units_13w(of_tier.values()) / buyers
    size = share(units_13w(members["retailer"]), typical)
    bounded = 1.0 if np.isnan(size) else min(max(size, 1 / LARGEST_SIZE), LARGEST_SIZE)
    return units_13w(members["tier_sku"]) / buyers / 13 * bounded + unseen


def like_units(shop: str, pairs: dict[tuple[str, str], Pair]) -> float:
    """The retailer's units a week (an average retailer's, where it has none) per SKU, times young SKUs' units over an average SKU's."""
    own = [pair for (other, _), pair in pairs.items() if other == shop]
    buyers, skus = (len({key[i] for key, pair in pairs.items() if pair.ordered[:13].any()}) for i in (0, 1))
    if not buyers:
        return np.nan
    total = units_13w(pairs.values())
    weekly = units_13w(own) / min(max(pair.age for pair in own), 13) if units_13w(own) else total / buyers / 13
    by_sku = {sku: [pair for (_, other), pair in pairs.items() if other == sku] for _, sku in pairs}
    ages = {sku: max(pair.age for pair in of_sku) for sku, of_sku in by_sku.items()}
    young = [units_13w(by_sku[sku]) / min(age, 13) for sku, age in ages.items() if age <= 52]
    ratio = mean(young) / (total / skus / 13) if young and total else 1.0
    return weekly / skus * ratio


def units_13w(pairs: Iterable[Pair]) -> float:
    return float(sum(pair.true[:13].sum() for pair in pairs))


def around_year_before(pair: Pair, horizon: int) -> Any:
    return pair.true[52 - horizon - 1 : 52 - horizon + 2]


def seen_a_year_before(age: int, horizon: int) -> bool:
    """The first week is left out: that it has an order is what makes it the first."""
    return age > 52 - horizon + 2


def mean(values: Any) -> float:
    return float(np.mean(values)) if len(values) else np.nan


def share(part: float, whole: float) -> float:
    return part / whole if whole else np.nan
