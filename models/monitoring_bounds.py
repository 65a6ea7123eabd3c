"""How far may a measure go before somebody should look: bounds that are wide enough for chance and for what does no harm?

A measure is out where it is both materially and significantly off its centre: farther than its tolerance, and farther than chance takes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from math import exp, log1p
from statistics import median

from models.estimates import Estimate


class Centre(Enum):
    """What a measure should be."""

    ZERO = "zero"
    ONE = "one"
    BASELINE = "baseline"
    HISTORY = "history"
    """The median of the weeks before; without enough of them there is no bound."""


class Scale(Enum):
    """How far apart two values are."""

    DIFFERENCE = "difference"
    RATIO = "ratio"
    """A tolerance of 0.25 reaches from 1/1.25 to 1.25 times the centre."""
    RATIO_LESS_ONE = "ratio less one"
    """The same of a value that is a ratio less 1, such as a bias."""


@dataclass(frozen=True)
class Rule:
    """How the bounds of a measure are made.

    Attributes
    ----------
    tolerance
        Key of the tolerance in the settings.
    centre, scale
        What it should be, and how the distance is counted.
    down, up
        Whether too little, and too much, is out.
    retrains
        Whether being out says that the model is no longer right, which a training may mend.
    insists
        Whether being watched for some Sundays in a row makes it an alert: not where nothing but a training or a decision can end it.
    """

    tolerance: str
    centre: Centre
    scale: Scale = Scale.DIFFERENCE
    down: bool = True
    up: bool = True
    retrains: bool = False
    insists: bool = True


@dataclass(frozen=True)
class Tolerances:
    """How much is harmless.

    Attributes
    ----------
    by_key
        From what distance a measure is watched, and from what an alert is raised.
    sigmas
        Standard errors within which chance keeps a measure.
    least_history
        Weeks that a median of the weeks before needs.
    """

    by_key: Mapping[str, tuple[float, float]]
    sigmas: float
    least_history: int


@dataclass(frozen=True)
class Bounds:
    """Between what values a measure is ok (``lower``, ``upper``), and outside which it is an alert at once; None is no bound."""

    lower: float | None = None
    upper: float | None = None
    alert_lower: float | None = None
    alert_upper: float | None = None

    def status(self, value: float) -> str:
        """Return ``ok``, ``watch`` or ``alert``.

        >>> [Bounds(-0.1, 0.1, -0.3, 0.3).status(value) for value in (0.1, -0.2, 0.5)], Bounds().status(9.0)
        (['ok', 'watch', 'alert'], 'ok')
        """
        if _outside(value, self.alert_lower, self.alert_upper):
            return "alert"
        return "watch" if _outside(value, self.lower, self.upper) else "ok"


def _outside(value: float, lower: float | None, upper: float | None) -> bool:
    return (lower is not None and value < lower) or (upper is not None and value > upper)


def bounds_of(estimate: Estimate, rule: Rule, history: Sequence[float], allowed: Tolerances) -> Bounds:
    """Return the bounds of a measure.

    Parameters
    ----------
    estimate
        The measure with its error.
    rule
        How its bounds are made.
    history
        Values of the same measure in the weeks before.
    allowed
        Tolerances.

    Examples
    --------
    >>> allowed = Tolerances({"bias": (0.1, 0.25)}, 3.0, 4)
    >>> rule = Rule("bias", Centre.ZERO, Scale.RATIO_LESS_ONE)
    >>> bounds_of(Estimate(-0.375, 0.0625, 900), rule, [], allowed)
    Bounds(lower=-0.2592, upper=0.3499, alert_lower=-0.3624, alert_upper=0.5683)
    """
    centre = _centre(estimate, rule, history, allowed.least_history)
    if centre is None:
        return Bounds()
    shift = 1.0 if rule.scale is Scale.RATIO_LESS_ONE else 0.0
    ends: list[float | None] = []
    first, _ = tolerances = allowed.by_key[rule.tolerance]
    wider = max(1.0, estimate.usual / first) if first else 1.0
    for tolerance, sigmas in zip(tolerances, (allowed.sigmas, ALERT_SIGMAS * allowed.sigmas), strict=True):
        low, high = _ends(estimate, centre, shift, rule, wider * tolerance, sigmas)
        ends += [round(low, 4) if rule.down else None, round(high, 4) if rule.up else None]
    return Bounds(*ends)


def _centre(estimate: Estimate, rule: Rule, history: Sequence[float], least_history: int) -> float | None:
    if rule.centre is Centre.HISTORY:
        return float(median(history)) if len(history) >= least_history else None
    return {Centre.ZERO: 0.0, Centre.ONE: 1.0, Centre.BASELINE: estimate.baseline}[rule.centre]


def _ends(estimate: Estimate, centre: float, shift: float, rule: Rule, tolerance: float, sigmas: float) -> tuple[float, float]:
    if rule.scale is Scale.DIFFERENCE:
        reach = max(tolerance, sigmas * estimate.error)
        return centre - reach, centre + reach
    if rule.scale is Scale.RATIO:
        # the error is that of a value at the centre: of a count, what chance makes of the count that was expected
        chance = sigmas * estimate.error
        return max(min(centre / (1.0 + tolerance), centre - chance), 0.0), max(centre * (1.0 + tolerance), centre + chance)
    # the error is that of the value, which a logarithm turns into one of the ratio
    ratio = max(estimate.value + shift, TINY)
    reach = max(log1p(tolerance), sigmas * estimate.error / ratio)
    return (centre + shift) * exp(-reach) - shift, (centre + shift) * exp(min(reach, FARTHEST)) - shift


ALERT_SIGMAS = 1.5
"""Times as many standard errors it takes for an alert at once: orders are few and large, and have heavier tails than a normal law."""

TINY = 1e-9
FARTHEST = 20.0
"""Logarithm beyond which an upper bound is as good as none."""
