"""Do forecasts of a part err the same way week after week: this Sunday's bias, added to those of the Sundays before?"""

from __future__ import annotations

from collections.abc import Sequence

from flows.monitor_judging import Past
from flows.monitor_settings import Monitoring
from models.estimates import Estimate, Measured
from models.persistent_bias import accumulated_bias

ADDED_UP = ("bias", "relative_bias")
"""Of the whole, and of its parts."""


def persistent_measures(measured: Sequence[Measured], past: Past, settings: Monitoring) -> list[Measured]:
    """Return the accumulated bias of the whole and of each part, in standard errors beyond the harmless.

    Parameters
    ----------
    measured
        What was measured of the Sunday.
    past
        The same of those before; a Sunday that was not monitored ends what is added up.
    """
    found = []
    for each in measured:
        if each.measure in ADDED_UP and each.slice_kind != "horizon_weeks":
            harmless = settings.tolerances().by_key[each.measure][0]
            row = [*past.in_a_row.get(each.key, ()), (each.estimate.value, each.estimate.error)]
            biases, errors = zip(*row, strict=True)
            sums = accumulated_bias(biases, errors, harmless)
            note = f"{sums.mean:+.0%} on average in {sums.weeks} weeks".replace("%", " %") if sums.weeks else ""
            figure = Estimate(sums.total, 0.0, each.estimate.n)
            found.append(Measured(each.area, "persistent_bias", each.slice_kind, each.slice_value, figure, note))
    return found
