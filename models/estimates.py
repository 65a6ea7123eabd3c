"""What is a measured figure worth: its value, its sampling error, and the part of the rows it is about?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean


@dataclass(frozen=True)
class Estimate:
    """A measured figure.

    Attributes
    ----------
    value
        The figure.
    error
        Its standard error, in the same unit; rows of one retailer count as one draw. 0 where it is counted and not sampled.
    n
        Rows it rests on.
    baseline
        What it should be, or is held against; None where there is nothing.
    usual
        How far it has been off without anything being wrong, in its unit; its tolerance grows to that.
    """

    value: float
    error: float
    n: int
    baseline: float | None = None
    usual: float = 0.0


@dataclass(frozen=True)
class Measured:
    """An estimate with what it is about.

    Attributes
    ----------
    area, measure
        As ``scored.monitoring`` has them.
    slice_kind, slice_value
        Which part of the rows; both ``all`` for the whole.
    estimate
        The figure.
    note
        What else a reader should know, in words; empty for nothing.
    """

    area: str
    measure: str
    slice_kind: str
    slice_value: str
    estimate: Estimate
    note: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells it from others of the same Sunday."""
        return (self.area, self.measure, self.slice_kind, self.slice_value)


def averaged(figures: Sequence[Estimate]) -> Estimate:
    """Return the mean of figures of the same rows or outcomes, whose error therefore does not fall.

    >>> averaged([Estimate(0.25, 0.125, 100, 0.5), Estimate(0.75, 0.125, 100, 0.5)])
    Estimate(value=0.5, error=0.125, n=200, baseline=0.5, usual=0.0)
    """
    baselines = [figure.baseline for figure in figures if figure.baseline is not None]
    return Estimate(
        fmean([figure.value for figure in figures]),
        fmean([figure.error for figure in figures]),
        sum(figure.n for figure in figures),
        fmean(baselines) if baselines else None,
    )
