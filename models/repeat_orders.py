"""What do the buy-till-you-die models see of a retailer: how often it ordered again, when last, and for how long it is known?

In their papers these are x (orders after the first), t_x (time from the first order to the last) and T (time from the first order to the
cut-off); the recency is t_x, not the silence T − t_x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.errors import UncapError
from models.stacking import Floats

ORDER_COLUMNS = ("repeat_orders", "last_order_age_weeks", "age_weeks")
"""Names of x, t_x and T in frames."""


@dataclass(frozen=True)
class RepeatOrders:
    """One row per retailer; build it with `from_arrays` or `from_rows`, which check it.

    Attributes
    ----------
    x
        Orders after the first, a whole number.
    t_x
        Time from the first order to the last, weeks; 0 where there is one order only.
    age
        Time from the first order to the cut-off (T), weeks.
    weight
        How many retailers the row stands for.
    """

    x: Floats
    t_x: Floats
    age: Floats
    weight: Floats

    @classmethod
    def from_arrays(cls, x: npt.ArrayLike, t_x: npt.ArrayLike, age: npt.ArrayLike) -> RepeatOrders:
        """Return checked copies of three arrays of one length, each row one retailer.

        Raises
        ------
        UncapError
            Where a count is no whole number ≥ 0, a time is negative or unknown, the last order lies after the cut-off, or a retailer that
            never ordered again has a last order after its first (or the reverse).

        Examples
        --------
        >>> RepeatOrders.from_arrays([1], [5], [4])
        Traceback (most recent call last):
        contracts.errors.UncapError: last_order_age_weeks: above age_weeks, 1 of 1 retailers, first in row 0; expected at most age_weeks
        Hint: count from the first order to the same cut-off, in the same unit
        """
        orders, last, known_for = (np.array(values, dtype=np.float64) for values in (x, t_x, age))
        _refuse(~(np.isfinite(orders) & (orders >= 0) & (orders == np.floor(orders))), "repeat_orders: no count", "a whole number ≥ 0")
        _refuse(~(np.isfinite(known_for) & (last >= 0)), "last_order_age_weeks, age_weeks: negative or unknown", "weeks ≥ 0")
        _refuse(last > known_for, "last_order_age_weeks: above age_weeks", "at most age_weeks")
        _refuse((orders > 0) != (last > 0), "last_order_age_weeks: at odds with repeat_orders", "0 where repeat_orders is 0, else above 0")
        return cls(orders, last, known_for, np.ones(orders.shape))

    @classmethod
    def from_rows(cls, rows: pd.DataFrame) -> RepeatOrders:
        """Return the same of a frame with the columns ORDER_COLUMNS, one row per retailer."""
        return cls.from_arrays(*(rows[name] for name in ORDER_COLUMNS))

    def distinct(self) -> RepeatOrders:
        """Return each different row once, weighing as much as all its equals: in whole weeks there are few.

        Examples
        --------
        >>> RepeatOrders.from_arrays([0, 1, 0], [0, 2, 0], [9, 9, 9]).distinct().weight.tolist()
        [2.0, 1.0]
        """
        rows, position = np.unique(np.column_stack([self.x, self.t_x, self.age]), axis=0, return_inverse=True)
        weight = np.bincount(position.ravel(), weights=self.weight).astype(np.float64)
        return RepeatOrders(rows[:, 0], rows[:, 1], rows[:, 2], weight)

    def aged(self, weeks: float) -> RepeatOrders:
        """Return the same retailers a number of weeks later, had none ordered."""
        return RepeatOrders(self.x, self.t_x, self.age + weeks, self.weight)


def knows_orders(rows: pd.DataFrame) -> bool:
    """Return whether the rows have what the models see."""
    return all(name in rows.columns for name in ORDER_COLUMNS)


def _refuse(broken: npt.NDArray[np.bool_], fault: str, expected: str) -> None:
    if broken.any():
        where = f"{int(broken.sum())} of {broken.size} retailers, first in row {int(np.flatnonzero(broken)[0])}"
        raise UncapError(f"{fault}, {where}; expected {expected}", hint="count from the first order to the same cut-off, in the same unit")
