"""What does a simpler forecast that was promoted in place of the trees say, with its bounds?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.weeks import CHURN_HORIZONS
from models.baseline_scores import ChurnBaseline
from models.calibration import log_odds
from models.churn_interval import Curves, curves_of_odds


def promoted_curves(promoted: ChurnBaseline, retailers: pd.DataFrame) -> tuple[Curves, npt.NDArray[np.object_]]:
    """Return the curves of a baseline and what it calls itself in ``scored_by``.

    The bounds are those of its calibration (delta method); its own few coefficients count as known.

    Parameters
    ----------
    promoted
        Fitted and calibrated.
    retailers
        One row per retailer, with the columns the baseline sees.
    """
    scores = promoted.predict(retailers)
    odds = log_odds(scores[[f"p_churn_{weeks}w" for weeks in CHURN_HORIZONS]].to_numpy())
    raw = (odds - promoted.calibration.intercept) / promoted.calibration.slope
    return curves_of_odds(odds, promoted.calibration.variance(raw)), scores["scored_by"].to_numpy(dtype=object)
