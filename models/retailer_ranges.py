"""What do the active retailers carry, as matrices of retailers and SKUs?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse


@dataclass(frozen=True)
class Ranges:
    """What n active retailers carry of m SKUs.

    Attributes
    ----------
    retailer_ids, sku_ids
        Names, shapes (n,) and (m,).
    kinds
        Kind of shop of each retailer, (n,): peers are of the same kind where there are enough.
    units
        Units of 26 weeks, sparse (n, m): a retailer carries what is stored.
    recent
        1 where the retailer sells the SKU now, sparse (n, m).
    weekly_units
        Units a week that are forecast, sparse (n, m).
    offered
        False for SKUs that nobody can be offered, (m,).
    shut
        1 where a retailer may not order a SKU, sparse (n, m).
    """

    retailer_ids: npt.NDArray[np.object_]
    sku_ids: npt.NDArray[np.object_]
    kinds: npt.NDArray[np.object_]
    units: sparse.csr_matrix
    recent: sparse.csr_matrix
    weekly_units: sparse.csr_matrix
    offered: npt.NDArray[np.bool_]
    shut: sparse.csr_matrix


def build_ranges(pairs: pd.DataFrame, kinds: pd.Series, withdrawn: pd.Series, shut: pd.DataFrame) -> Ranges:
    """Return pairs as matrices; retailers and SKUs are in the order of their names, whatever that of the rows.

    Parameters
    ----------
    pairs
        One row per retailer and SKU that it carries: ``retailer_id``, ``sku_id``, ``units_26w``, ``is_recent`` and ``weekly_units``.
    kinds
        Kind of shop by ``retailer_id``; empty text for one that is not there.
    withdrawn
        SKUs that nobody can be offered.
    shut
        Pairs that may not be ordered: ``retailer_id``, ``sku_id``.
    """
    retailer_ids, sku_ids = (np.unique(pairs[key].to_numpy(dtype=object)) for key in ("retailer_id", "sku_id"))
    placed = _Placed(pd.Index(retailer_ids), pd.Index(sku_ids))
    return Ranges(
        retailer_ids=retailer_ids,
        sku_ids=sku_ids,
        kinds=np.array([kinds.get(retailer_id, "") for retailer_id in retailer_ids], dtype=object),
        units=placed.matrix(pairs, pairs.units_26w),
        recent=placed.matrix(pairs, pairs.is_recent.astype(float)),
        weekly_units=placed.matrix(pairs, pairs.weekly_units),
        offered=~np.isin(sku_ids, withdrawn.to_numpy(dtype=object)),
        shut=placed.matrix(shut, pd.Series(1.0, index=shut.index)),
    )


class _Placed:
    """Puts pairs into a sparse matrix by the positions of their retailer and SKU; pairs of others are left out."""

    def __init__(self, retailers: pd.Index, skus: pd.Index) -> None:
        self._retailers, self._skus = retailers, skus

    def matrix(self, pairs: pd.DataFrame, values: pd.Series) -> sparse.csr_matrix:
        rows = self._retailers.get_indexer(pd.Index(pairs.retailer_id))
        columns = self._skus.get_indexer(pd.Index(pairs.sku_id))
        kept = (rows >= 0) & (columns >= 0) & (values.to_numpy(dtype=np.float64) != 0)
        cells = (values.to_numpy(dtype=np.float64)[kept], (rows[kept], columns[kept]))
        return sparse.csr_matrix(cells, shape=(len(self._retailers), len(self._skus)))
