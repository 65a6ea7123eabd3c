"""What do weeks that a demand model has not seen teach about its quantiles, those of a week and those of eight weeks together?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.conformal import LevelCorrection, fit_correction
from models.sizes import SizeQuantiles
from models.stacking import Flags, Floats
from models.totals import TotalQuantiles, fit_totals


@dataclass(frozen=True)
class UnseenWeeks:
    """What came in the eight weeks after a forecast, as far as it was seen.

    Attributes
    ----------
    least_units
        Least that was wanted, by pair and horizon (n, 8): all of it, or what was delivered at a cap; NaN where the week taught nothing.
    hidden
        Whether more may have been wanted (n, 8).
    """

    least_units: Floats
    hidden: Flags


@dataclass(frozen=True)
class Calibration:
    """How a model's spread is corrected.

    Attributes
    ----------
    levels
        Where to read the law of a week.
    totals
        How totals of the eight weeks lie about their mean.
    """

    levels: LevelCorrection
    totals: TotalQuantiles

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold; ``from_json`` reads it back."""
        return {"levels": self.levels.to_json(), "totals": self.totals.to_json()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Calibration:
        """Read what ``to_json`` wrote."""
        return cls(LevelCorrection.from_json(stored["levels"]), TotalQuantiles.from_json(stored["totals"]))


def fit_calibration(sizes: SizeQuantiles, p_order: Floats, mean_units: Floats, unseen: UnseenWeeks, seed: int) -> Calibration | None:
    """Hold the forecasts of a model against weeks that it has not seen.

    Parameters
    ----------
    sizes
        The model's.
    p_order, mean_units
        Its forecasts by pair and horizon (n, 8).
    unseen
        What came in those weeks.
    seed
        Of the draws for hidden weeks.

    Returns
    -------
    Calibration or None
        Nothing where no week is known. Totals are learned over the known weeks of the pairs that know as many of them as most pairs do: of
        all eight, unless some were closed to nearly everybody.

    Notes
    -----
    To a total, a hidden week adds a draw from its forecast law above what was delivered. Kaplan and Meier's estimate, which serves the
    weeks, overstates totals: it takes one that lacks little for any larger one. In four cases the 80 % interval then held .80 to .83 of
    the true totals, with draws .77 to .80, and .78 to .81 where the truth itself had taught it.
    """
    known = ~np.isnan(unseen.least_units)
    if not known.any():
        return None
    reached = sizes.p_less(p_order[known], mean_units[known], unseen.least_units[known])
    levels = fit_correction(p_order[known], reached, unseen.hidden[known])
    weeks = _drawn(sizes, p_order, mean_units, unseen, np.random.default_rng(seed))
    weeks_known = known.sum(axis=1)
    enough = weeks_known >= max(np.quantile(weeks_known, 0.5, method="inverted_cdf"), 1)
    totals = (np.where(known, of_week, 0.0)[enough].sum(axis=1) for of_week in (p_order, mean_units, weeks))
    return Calibration(levels, fit_totals(*totals))


def _drawn(sizes: SizeQuantiles, p_order: Floats, mean_units: Floats, unseen: UnseenWeeks, rng: np.random.Generator) -> Floats:
    """Return the weeks with a draw, from the law above what was delivered, where a cap hid the demand."""
    hidden = unseen.hidden
    least = unseen.least_units[hidden]
    below = sizes.p_less(p_order[hidden], mean_units[hidden], least)
    level = below + (1.0 - below) * rng.random(below.size)
    weeks = unseen.least_units.copy()
    weeks[hidden] = np.maximum(sizes.predict(p_order[hidden], mean_units[hidden], level[:, None])[:, 0], least)
    return weeks
