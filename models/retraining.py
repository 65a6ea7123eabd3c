"""Is a model to be trained anew: because it is old, or because it left its bounds in use?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class MonitoredFigure:
    """A figure of a model in use, with the bounds it should stay in; None is no bound.

    Attributes
    ----------
    as_of
        The Sunday it was measured on.
    metric
        What it measures.
    value, lower, upper
        In the unit of the metric.
    """

    as_of: date
    metric: str
    value: float
    lower: float | None
    upper: float | None

    @property
    def out(self) -> bool:
        """Whether it lies outside its bounds.

        >>> MonitoredFigure(date(2019, 9, 29), "bias", 0.2, -0.1, 0.1).out
        True
        """
        return (self.lower is not None and self.value < self.lower) or (self.upper is not None and self.value > self.upper)


@dataclass(frozen=True)
class Due:
    """Why a model is to be trained anew.

    Attributes
    ----------
    reason
        In plain words, with the figures.
    forced
        Whether it left its bounds; otherwise it is only old.
    """

    reason: str
    forced: bool


def retraining_due(trained_as_of: date, as_of: date, figures: Sequence[MonitoredFigure], *, most_weeks: int, weeks_out: int) -> Due | None:
    """Tell whether a model is to be trained anew.

    Parameters
    ----------
    trained_as_of
        What the champion knew when it was trained.
    as_of
        What is known now.
    figures
        Of the model in use; those measured before it was trained, or after ``as_of``, do not count.
    most_weeks
        A model so many weeks old is due.
    weeks_out
        So many of a metric's last measurements in a row must lie outside its bounds: a single week may be chance.

    Returns
    -------
    Due or None
        None where it may go on.

    Examples
    --------
    >>> low = [MonitoredFigure(date(2019, 9, day), "bias", -0.31, -0.15, 0.15) for day in (22, 29)]
    >>> retraining_due(date(2019, 9, 1), date(2019, 9, 29), low, most_weeks=8, weeks_out=2)
    Due(reason='bias -0.31 is out of -0.15 to 0.15, as of 2019-09-29 and 1 time before', forced=True)
    >>> retraining_due(date(2019, 9, 1), date(2019, 10, 27), [], most_weeks=8, weeks_out=2)
    Due(reason='trained as of 2019-09-01, 8 weeks ago', forced=False)
    >>> retraining_due(date(2019, 9, 1), date(2019, 9, 29), low[1:], most_weeks=8, weeks_out=2) is None
    True
    """
    counted = [figure for figure in figures if trained_as_of < figure.as_of <= as_of]
    left = [reason for metric in sorted({figure.metric for figure in counted}) if (reason := _left(metric, counted, weeks_out))]
    if left:
        return Due("; ".join(left), forced=True)
    weeks = (as_of - trained_as_of).days // 7
    return Due(f"trained as of {trained_as_of}, {weeks} weeks ago", forced=False) if weeks >= most_weeks else None


def _left(metric: str, figures: Sequence[MonitoredFigure], weeks_out: int) -> str | None:
    """Say that the last measurements of a metric all lie outside its bounds."""
    latest = sorted((figure for figure in figures if figure.metric == metric), key=lambda figure: figure.as_of)[-weeks_out:]
    if len(latest) < weeks_out or not all(figure.out for figure in latest):
        return None
    last, before = latest[-1], len(latest) - 1
    again = f" and {before} time{'s' if before > 1 else ''} before" if before else ""
    return f"{metric.replace('_', ' ')} {last.value:.4g} is out of {_bounds(last)}, as of {last.as_of}{again}"


def _bounds(figure: MonitoredFigure) -> str:
    """Name the bounds.

    >>> _bounds(MonitoredFigure(date(2019, 9, 29), "coverage", 0.7, 0.75, None))
    'at least 0.75'
    """
    if figure.lower is None or figure.upper is None:
        return f"at most {figure.upper:g}" if figure.lower is None else f"at least {figure.lower:g}"
    return f"{figure.lower:g} to {figure.upper:g}"
