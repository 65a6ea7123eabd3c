"""How do the features of a retailer become the columns that boosted trees see?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

HORIZON = "horizon_weeks"


class Feature(Protocol):
    """What the model needs to know of a feature: its column and the plain-language factor it belongs to."""

    @property
    def name(self) -> str:
        """Column of the frames."""

    @property
    def group(self) -> str:
        """Factor that the reasons name."""


@dataclass(frozen=True)
class ChurnColumns:
    """The columns of the matrix, in order; the horizon comes after them.

    Attributes
    ----------
    features
        Names.
    groups
        The factor of each feature.
    categories
        Codes of the text columns: position in the list; a text not in it is unknown.
    """

    features: tuple[str, ...]
    groups: tuple[str, ...]
    categories: Mapping[str, Sequence[str]]

    def matrix(self, rows: pd.DataFrame, horizon: int | pd.Series) -> npt.NDArray[np.float32]:
        """Return features and horizon, shape (rows, features + 1); unknown is NaN.

        Examples
        --------
        >>> columns = ChurnColumns(("recency_weeks", "channel"), ("silence", "shop"), {"channel": ["kiosk", "store"]})
        >>> columns.matrix(pd.DataFrame({"recency_weeks": [2.0, None], "channel": ["store", "new"]}), 13).tolist()
        [[2.0, 1.0, 13.0], [nan, nan, 13.0]]
        """
        matrix = np.empty((len(rows), len(self.features) + 1), dtype=np.float32)
        for column, name in enumerate(self.features):
            if name in self.categories:
                codes = pd.Index(list(self.categories[name])).get_indexer(pd.Index(rows[name]))
                matrix[:, column] = np.where(codes < 0, np.nan, codes)
            else:
                matrix[:, column] = rows[name].to_numpy(dtype=np.float32, na_value=np.nan)
        matrix[:, -1] = horizon
        return matrix

    def by_group(self, shares: npt.NDArray[np.float64], groups: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return what each group adds, shape (rows, groups), from what each feature does, shape (rows, features)."""
        belongs = np.array([[group == asked for asked in groups] for group in self.groups], dtype=np.float64)
        return np.asarray(shares @ belongs, dtype=np.float64)


def churn_columns(rows: pd.DataFrame, features: Sequence[Feature]) -> ChurnColumns:
    """Return the columns of some features; those of text are learned as categories from the rows."""
    texts = [feature.name for feature in features if not pd.api.types.is_numeric_dtype(rows[feature.name])]
    return ChurnColumns(
        features=tuple(feature.name for feature in features),
        groups=tuple(feature.group for feature in features),
        categories={name: sorted(rows[name].dropna().astype(str).unique()) for name in texts},
    )
