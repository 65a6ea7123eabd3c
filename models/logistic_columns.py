"""How do features become numbers that a logistic regression can add up: logarithms, standard scores, flags of what is unknown or named?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import skew

FloatArray = npt.NDArray[np.float64]

SKEWED = 1.0
"""A column without negative numbers whose skewness is above this is taken as ln(1 + x)."""

FURTHEST = 5.0
"""Standard scores are kept within this many standard deviations: one order of a thousand cases is not a hundred orders of ten."""


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers: ln(1 + x) where ``logged``, less ``mean``, over ``spread``; unknown is 0, with a flag where ``flagged``."""

    name: str
    logged: bool
    mean: float
    spread: float
    flagged: bool

    def columns(self, rows: pd.DataFrame) -> list[FloatArray]:
        """Return the standard scores, and the flag of unknown ones where there is one; each of shape (rows,)."""
        taken = _numbers(rows[self.name])
        unknown = np.isnan(taken)
        scores = np.clip((_logged(taken) if self.logged else taken) / self.spread - self.mean / self.spread, -FURTHEST, FURTHEST)
        scores[unknown] = 0.0
        return [scores, unknown.astype(np.float64)] if self.flagged else [scores]


@dataclass(frozen=True)
class TextColumn:
    """A column of names: a flag for each name of training, none for another; no name at all is one of them, as None."""

    name: str
    names: tuple[str | None, ...]

    def columns(self, rows: pd.DataFrame) -> list[FloatArray]:
        """Return the flags, each of shape (rows,)."""
        named = rows[self.name]
        flags = (named.isna() if name is None else named == name for name in self.names)
        return [np.asarray(flag.to_numpy(dtype=np.float64, na_value=0.0), dtype=np.float64) for flag in flags]


@dataclass(frozen=True)
class LogisticColumns:
    """The columns of a logistic regression, as learned from training rows."""

    numbers: tuple[NumberColumn, ...]
    texts: tuple[TextColumn, ...]

    def matrix(self, rows: pd.DataFrame) -> FloatArray:
        """Return the numbers of rows that have the features, shape (rows, columns); a feature not among them is unknown."""
        seen: tuple[NumberColumn | TextColumn, ...] = (*self.numbers, *self.texts)
        known = rows.assign(**{column.name: np.nan for column in seen if column.name not in rows})
        columns = [part for column in seen for part in column.columns(known)]
        return np.column_stack(columns) if columns else np.empty((len(rows), 0))

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return what ``dataclasses.asdict`` and JSON made of it."""
        texts = tuple(TextColumn(column["name"], tuple(column["names"])) for column in stored["texts"])
        return cls(tuple(NumberColumn(**column) for column in stored["numbers"]), texts)


def learn_columns(rows: pd.DataFrame, features: Sequence[str], *, always_logged: bool = False) -> LogisticColumns:
    """Return how to make numbers of features, from training rows; a column that tells nothing apart is left out.

    Parameters
    ----------
    rows
        Labelled rows with the features; text columns become flags.
    features
        Names of columns.
    always_logged
        Take ln(1 + x) of every number, those below 0 as 0; otherwise only of skewed ones without negative numbers.

    Examples
    --------
    >>> shops = pd.DataFrame({"recency_weeks": [0.0, 2.0, np.nan], "area": ["urban", "rural", "rural"]})
    >>> learn_columns(shops, ["recency_weeks", "area"]).matrix(shops).round(2).tolist()
    [[-1.0, 0.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0]]
    """
    texts = [name for name in features if not pd.api.types.is_numeric_dtype(rows[name])]
    numbers = (_number_column(name, _numbers(rows[name]), always_logged=always_logged) for name in features if name not in texts)
    return LogisticColumns(
        tuple(column for column in numbers if column is not None), tuple(_text_column(name, rows[name]) for name in texts)
    )


def _number_column(name: str, numbers: FloatArray, *, always_logged: bool) -> NumberColumn | None:
    """A column of numbers; None where all are unknown, or all the same."""
    known = numbers[~np.isnan(numbers)]
    flagged = 0 < len(known) < len(numbers)
    if not len(known) or (np.ptp(known) == 0 and not flagged):
        return None
    logged = always_logged or bool(known.min() >= 0 and np.ptp(known) > 0 and skew(known) > SKEWED)
    taken = _logged(known) if logged else known
    return NumberColumn(name, logged, float(taken.mean()), float(taken.std()) or 1.0, flagged)


def _text_column(name: str, texts: pd.Series) -> TextColumn:
    names: list[str | None] = [str(text) for text in sorted(texts.dropna().unique())]
    return TextColumn(name, tuple([*names, None] if texts.isna().any() else names))


def _numbers(column: pd.Series) -> FloatArray:
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _logged(numbers: FloatArray) -> FloatArray:
    return np.log1p(np.maximum(numbers, 0.0))
