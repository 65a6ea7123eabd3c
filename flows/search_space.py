"""Which settings of the demand model a tuning tries: how a trial chooses them, and how they become settings."""

from __future__ import annotations

from typing import Any

from optuna import Trial
from optuna.trial import FrozenTrial

from flows.settings import Settings

Values = dict[str, Any]
"""Numbers by name of a setting in ``[demand.lightgbm]``."""

EVENLY = frozenset({"feature_fraction", "poisson_max_delta_step"})
"""Drawn evenly between their ends; the others by their logarithm, because doubling them matters about as much anywhere."""

PRESENT = "present"
"""Attribute of the trial of the present settings."""


def searched(settings: Settings) -> dict[str, tuple[Any, Any]]:
    """Return the lowest and highest value of each setting that is searched.

    The present value is always within: it is a trial like any other. A range of one value leaves a setting out.

    Examples
    --------
    >>> from flows.settings import read_settings
    >>> searched(read_settings())["num_leaves"]
    (15, 255)
    """
    present = settings.demand.lightgbm.model_dump()
    ends = settings.tune.ranges.model_dump()
    return {name: (min(low, present[name]), max(high, present[name])) for name, (low, high) in ends.items() if low < high}


def present_values(settings: Settings) -> Values:
    """Return what the searched settings are now."""
    return settings.demand.lightgbm.model_dump(include=set(searched(settings)))


def chosen_values(trial: Trial, settings: Settings) -> Values:
    """Let a trial choose; of the present settings it takes them as they are, others have four digits, which a file can show."""
    values: Values = {}
    for name, (low, high) in searched(settings).items():
        log = name not in EVENLY
        if isinstance(low, int):
            values[name] = trial.suggest_int(name, low, high, log=log)
        else:
            values[name] = _four_digits(trial.suggest_float(name, low, high, log=log))
    return present_values(settings) if trial.user_attrs.get(PRESENT) else values


def values_of(trial: FrozenTrial, settings: Settings) -> Values:
    """Return what a finished trial had chosen, as it was trained."""
    if trial.user_attrs.get(PRESENT):
        return present_values(settings)
    return {name: value if isinstance(value, int) else _four_digits(value) for name, value in trial.params.items()}


def with_values(settings: Settings, values: Values) -> Settings:
    """Return the settings with other trees of the demand model.

    >>> from flows.settings import read_settings
    >>> with_values(read_settings(), {"num_leaves": 7}).demand.lightgbm.num_leaves
    7
    """
    trees = settings.demand.lightgbm.model_copy(update=values)
    return settings.model_copy(update={"demand": settings.demand.model_copy(update={"lightgbm": trees})})


def _four_digits(value: float) -> float:
    """Round to four significant digits.

    >>> _four_digits(0.0312345)
    0.03123
    """
    return float(f"{value:.4g}")
