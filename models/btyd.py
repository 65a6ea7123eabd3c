"""How likely is a retailer with a short history to stay silent: which buy-till-you-die model says so, and what?

Pareto/NBD where it can be fitted, else BG/NBD, else none and the reason. Both take orders to come at random (Poisson). Retailers that order
every week are more regular than that: their silence says more than these models hear, so that the churn model is to be used where the
history suffices for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from contracts.errors import UncapError
from models.bg_nbd import BgNbd, fit_bg_nbd
from models.pareto_nbd import ParetoNbd, fit_pareto_nbd
from models.repeat_orders import RepeatOrders
from models.stacking import Floats

LEAST_RETAILERS = 50
"""Fewer tell nothing of how rates differ: four parameters are to be fitted."""

LEAST_REPEATING = 10
"""Of them, so many must have ordered again: without any, every law of the rates fits."""

FAMILIES: Mapping[str, type[ParetoNbd | BgNbd]] = {"pareto_nbd": ParetoNbd, "bg_nbd": BgNbd}


@dataclass(frozen=True)
class Btyd:
    """A fitted buy-till-you-die model, time in weeks.

    Attributes
    ----------
    law
        The model with its parameters.
    retailers
        How many it was fitted on.
    log_likelihood
        Of all of them.
    note
        Why it is not the Pareto/NBD; empty where it is.
    """

    law: ParetoNbd | BgNbd
    retailers: int
    log_likelihood: float
    note: str = ""

    @property
    def family(self) -> str:
        """``pareto_nbd`` or ``bg_nbd``."""
        return next(name for name, law in FAMILIES.items() if isinstance(self.law, law))

    def p_no_order(self, rows: pd.DataFrame, horizons: Sequence[int]) -> Floats:
        """Return P(no order in the next weeks), shape (retailers, horizons); it never rises with the horizon.

        Parameters
        ----------
        rows
            One row per retailer: repeat_orders, last_order_age_weeks, age_weeks; see `features.repeat_orders`.
        horizons
            Weeks, rising.
        """
        orders = RepeatOrders.from_rows(rows)
        curve = np.column_stack([self.law.p_no_order(orders, weeks) for weeks in horizons])
        return np.asarray(np.minimum.accumulate(curve, axis=1), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold; ``from_json`` reads it back."""
        parameters = asdict(self.law)
        return {
            "family": self.family,
            "parameters": parameters,
            "retailers": self.retailers,
            "log_likelihood": self.log_likelihood,
            "note": self.note,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Btyd:
        """Read what ``to_json`` wrote.

        >>> fitted = Btyd(BgNbd(0.243, 4.414, 0.793, 2.426), 2357, -9582.4, "no maximum")
        >>> Btyd.from_json(fitted.to_json()) == fitted
        True
        """
        law = FAMILIES[stored["family"]](**stored["parameters"])
        return cls(law, int(stored["retailers"]), float(stored["log_likelihood"]), str(stored["note"]))


@dataclass(frozen=True)
class NoBtyd:
    """That no buy-till-you-die model could be fitted.

    Attributes
    ----------
    reason
        Why, one line.
    """

    reason: str


def fit_btyd(rows: pd.DataFrame) -> Btyd | NoBtyd:
    """Fit the Pareto/NBD; where it has no likeliest parameters, the BG/NBD; where neither has, say why.

    Parameters that end at the upper edge of the search are a fit: rates that do not differ between retailers.

    Parameters
    ----------
    rows
        One row per retailer that ever ordered, those that stopped too: repeat_orders, last_order_age_weeks, age_weeks. Fitting it on active
        ones only would leave out what is to be learned.

    Examples
    --------
    >>> rows = pd.DataFrame({"repeat_orders": [3.0], "last_order_age_weeks": [9.0], "age_weeks": [9.0]})
    >>> fit_btyd(rows)
    NoBtyd(reason='1 retailers; expected at least 50')
    """
    orders = RepeatOrders.from_rows(rows)
    if len(rows) < LEAST_RETAILERS:
        return NoBtyd(f"{len(rows)} retailers; expected at least {LEAST_RETAILERS}")
    repeating = int((orders.x > 0).sum())
    if repeating < LEAST_REPEATING:
        return NoBtyd(f"{repeating} of {len(rows)} retailers ordered again; expected at least {LEAST_REPEATING}")
    try:
        return _fitted(fit_pareto_nbd(orders), orders)
    except UncapError as unfit:
        first = unfit.message
    try:
        return _fitted(fit_bg_nbd(orders), orders, note=first)
    except UncapError as unfit:
        return NoBtyd(f"{first}; {unfit.message}")


def _fitted(law: ParetoNbd | BgNbd, orders: RepeatOrders, note: str = "") -> Btyd:
    return Btyd(law, orders.x.size, float(law.log_likelihood(orders).sum()), note)
