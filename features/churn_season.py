"""Does a retailer's demand fall behind everybody's, which has the season in it, as of a cut-off?"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from features.catalogue import Feature
from features.churn_history import in_weeks
from features.churn_population import since

SEASON_FEATURES = (
    Feature("true_units_trend_4w_vs_all", "true_units_trend_4w ÷ everybody's", "volume"),
    Feature("true_units_trend_13w_vs_all", "true_units_trend_13w ÷ everybody's", "volume"),
    Feature("true_units_trend_26w_vs_all", "true demand of the last 26 weeks ÷ the 26 before, ÷ everybody's", "long decline"),
    Feature("true_units_trend_year_vs_all", "true_units_trend_year ÷ everybody's", "long decline"),
    Feature("true_units_earlier_trend_vs_all", "true demand of weeks 14 to 26 back ÷ weeks 27 to 52 back, ÷ everybody's", "long decline"),
    Feature("true_units_ahead_vs_all", "true demand of the last 13 weeks ÷ the next 13, a year ago, ÷ everybody's", "long decline"),
)
"""1 is what everybody does: a holiday, or a winter, that all have moves none of them."""


Window = tuple[int, int]
"""How many weeks, and how many lie after them."""

COMPARED: dict[str, tuple[Window, Window]] = {
    "true_units_trend_4w_vs_all": ((4, 0), (13, 0)),
    "true_units_trend_13w_vs_all": ((13, 0), (13, 13)),
    "true_units_trend_26w_vs_all": ((26, 0), (26, 26)),
    "true_units_trend_year_vs_all": ((13, 0), (13, 52)),
    "true_units_earlier_trend_vs_all": ((13, 13), (26, 26)),
    "true_units_ahead_vs_all": ((13, 0), (13, 39)),
}
"""The later and the older window of each feature."""


def season(weeks: ibis.Table, as_of: date) -> ibis.Table:
    """Return how each retailer's demand moves against everybody's: retailer_id and SEASON_FEATURES.

    Everybody are the retailers that ordered in the later window and had begun before the older one, so that openings do not look
    like growth and closures not like a season; a retailer that had not begun has no figure.

    Parameters
    ----------
    weeks
        Result of `churn_history.retailer_weeks`.
    as_of
        The Sunday that ends the last known week.
    """
    windows = sorted({window for compared in COMPARED.values() for window in compared})
    units = weeks.group_by("retailer_id").aggregate(
        first_order=weeks.week_start.min(where=weeks.orders > 0),
        **{_name(*window): weeks.true_units.sum(where=in_weeks(weeks.week_start, as_of, window[0], skip=window[1])) for window in windows},
    )
    units = units.mutate(**{_name(*window): ibis.coalesce(units[_name(*window)], 0.0) for window in windows})
    return units.select("retailer_id", **{name: _against_all(units, *windows, as_of) for name, windows in COMPARED.items()})


def _against_all(units: ibis.Table, latest_window: Window, older_window: Window, as_of: date) -> ir.NumericValue:
    """One retailer's latest ÷ before, over the same ratio of all that had begun by then and go on."""
    latest, before = units[_name(*latest_window)], units[_name(*older_window)]
    begun = units.first_order <= since(as_of, sum(older_window))
    all_latest, all_before = ((begun & (latest > 0)).ifelse(window, 0.0).sum().over() for window in (latest, before))
    ratio = (latest / before.nullif(0)) * (all_before / all_latest.nullif(0))
    return begun.ifelse(ratio, ibis.null("float64"))


def _name(weeks: int, skip: int) -> str:
    """The column of a window.

    >>> _name(13, 52)
    'units_13w_before_52w'
    """
    return f"units_{weeks}w_before_{skip}w"
