"""What share of its purchases does a retailer make with us, as far as its peers tell?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.segment_definitions import BREADTH_LEVELS, CONSUMPTION_LEVELS, FEWEST_PEERS, WALLET_QUANTILE
from models.ranks import quintiles

FloatArray = npt.NDArray[np.float64]

PLACE_ATTRIBUTES = ("area", "channel", "consumption_level")
"""What makes shops peers, in the order in which the last is dropped where peers are few."""


def peer_groups(history: pd.DataFrame, attributes: Sequence[str]) -> pd.Series:
    """Return the name of each retailer's group of peers.

    Peers share area, channel and class of consumption level, as far as these attributes may be used; where fewer than 20 do, the last
    attribute is dropped, and so on. Where none may be used, peers carry about as many SKUs: this tells less, since who buys elsewhere also
    carries fewer of ours.

    Parameters
    ----------
    history
        One row per retailer: the attributes, and ``skus_52w``.
    attributes
        Those of ``PLACE_ATTRIBUTES`` that nearly every retailer has.
    """
    used = [name for name in PLACE_ATTRIBUTES if name in attributes]
    if not used:
        return pd.Series([f"carries {level}/{BREADTH_LEVELS}" for level in quintiles(history.skus_52w, BREADTH_LEVELS)], history.index)
    words = pd.DataFrame({name: _words(history[name]) for name in used}, index=history.index)
    groups = pd.Series("everybody", index=history.index)
    for length in range(1, len(used) + 1):
        finer = words[used[:length]].agg(", ".join, axis=1)
        enough = finer.map(finer.value_counts()) >= FEWEST_PEERS
        groups = groups.where(~enough, finer)
    return groups


def wallet_shares(money: npt.ArrayLike, groups: pd.Series) -> FloatArray:
    """Return delivered money over the estimated wallet, 0 to 1.

    The wallet is the 90 % quantile of the peers' money, and at least the retailer's own.

    Parameters
    ----------
    money
        Paid in 52 weeks, shape (retailers,).
    groups
        As `peer_groups` gives them.

    Examples
    --------
    >>> wallet_shares([100.0, 50.0, 0.0], pd.Series(["a", "a", "b"])).round(3).tolist()
    [1.0, 0.526, 0.0]
    """
    spent = np.maximum(np.asarray(money, dtype=np.float64), 0.0)
    peers = pd.Series(spent, index=groups.index).groupby(groups).transform("quantile", q=WALLET_QUANTILE)
    wallet = np.maximum(spent, peers.to_numpy(dtype=np.float64))
    return np.asarray(np.divide(spent, wallet, out=np.zeros(len(wallet)), where=wallet > 0), dtype=np.float64)


def _words(attribute: pd.Series) -> pd.Series:
    if attribute.name == "consumption_level":
        levels = quintiles(attribute.fillna(attribute.median()), CONSUMPTION_LEVELS)
        return pd.Series([f"consumption {level}/{CONSUMPTION_LEVELS}" for level in levels], attribute.index)
    return attribute.astype(object).where(attribute.notna(), "unknown").astype(str)
