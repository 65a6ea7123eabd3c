"""How much is an order that was capped on purpose like those that rationing really capped?

The odds that a small classifier gives are the ratio of the two densities (Sugiyama, Suzuki and Kanamori 2012): weighed by them, orders
capped on purpose stand for the rationed ones. They set the level of what was recovered, where slow free SKUs would speak for hot rationed
ones; as weights of training rows they were worse (docs/recovery.md).
"""

from __future__ import annotations

import lightgbm as lgb
import numpy as np

from models.cap_context import CappedOrders
from models.stacking import Floats

FEATURES = (
    "pair_40w_orders",
    "pair_40w_at_cap",
    "pair_40w_spread",
    "pair_40w_size",
    "tier_40w_at_cap",
    "law_expected",
    "law_median",
    "law_spread",
    "pair_unseen",
    "sku_unseen",
    "pair_looser_cut",
    "retailer_sizes_mean",
    "retailer_sizes_over_5",
    "visit_sizes_mean",
    "retailer_lead",
)
ROUNDS, LEAVES = 40, 15
LEAST_ODDS, MOST_ODDS = 0.05, 10.0


def likeness_to(real: CappedOrders, taught: CappedOrders, threads: int, seed: int) -> Floats:
    """Return the weight of each order capped on purpose (m,), by how much more often its like was really capped."""
    columns = [taught.names.index(name) for name in FEATURES]
    rows = np.vstack([taught.features[:, columns], real.features[:, columns]])
    is_real = np.concatenate([np.zeros(taught.cap.size), np.ones(real.cap.size)])
    weight = np.concatenate([taught.cap / taught.cap.sum(), real.cap / real.cap.sum()]) * rows.shape[0] / 2.0
    parameters = {
        "objective": "binary",
        "num_leaves": LEAVES,
        "learning_rate": 0.1,
        "min_data_in_leaf": max(20, min(500, rows.shape[0] // 100)),
        "bagging_fraction": 0.5,
        "bagging_freq": 1,
        "num_threads": threads,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    booster = lgb.train(parameters, lgb.Dataset(rows, is_real, weight=weight, params=parameters), ROUNDS)
    share = np.asarray(booster.predict(rows[: taught.cap.size], num_threads=threads))
    return np.clip(share / (1.0 - share), LEAST_ODDS, MOST_ODDS)
