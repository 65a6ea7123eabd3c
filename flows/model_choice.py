"""Which versions score a Sunday: the champions of today, or those that were champions when that Sunday was the newest known?"""

from __future__ import annotations

from datetime import date
from typing import Literal

from contracts.errors import TrackingError, UsageError
from flows.model_history import champion_as_of
from flows.registry import RegisteredModel, registered_model
from flows.settings import Settings
from flows.tracking import CHURN_MODEL, DEMAND_MODEL, ModelVersion, champion, registered_version

Choice = Literal["champion", "as-of"]
CHAMPIONS: Choice = "champion"
AS_OF: Choice = "as-of"


def choice_named(word: str) -> Choice:
    """Return the choice of a command line's word.

    Raises
    ------
    UsageError
        If it is none.

    Examples
    --------
    >>> choice_named("as-of")
    'as-of'
    """
    if word == AS_OF:
        return AS_OF
    if word == CHAMPIONS:
        return CHAMPIONS
    raise UsageError(f"--models {word}: unknown; expected {CHAMPIONS} or {AS_OF}", hint="leave it out for the champions of today")


def find_models(settings: Settings, as_of: date, choice: Choice = CHAMPIONS) -> tuple[ModelVersion, ModelVersion | None]:
    """Return the demand and the churn model that score a Sunday; none for churn while no outcome is known.

    Parameters
    ----------
    as_of
        The Sunday that is scored.
    choice
        ``champion``: those of today. ``as-of``: the version that was champion when that Sunday was the newest known; where none was,
        the newest that was trained as of it or before.

    Raises
    ------
    TrackingError
        If no demand model was trained yet, or none as of the Sunday or before.
    """
    if choice == AS_OF:
        demand, churn = version_as_of(settings, DEMAND_MODEL, as_of), version_as_of(settings, CHURN_MODEL, as_of)
    else:
        demand, churn = champion(settings, DEMAND_MODEL), champion(settings, CHURN_MODEL)
    if demand is None:
        raise _nothing_trained(settings, as_of, choice)
    return demand, churn


def version_as_of(settings: Settings, name: str, as_of: date) -> ModelVersion | None:
    """Return the version of a model as of a Sunday, None where none was trained by then."""
    model = registered_model(settings, name)
    found = number_as_of(model, as_of)
    return None if found is None else registered_version(settings, name, found)


def number_as_of(model: RegisteredModel, as_of: date) -> str | None:
    """Return the number of the version as of a Sunday, None where none was trained by then."""
    crowned = champion_as_of(as_of, model.reigns)
    if crowned is not None and model.version(crowned) is not None:
        return crowned
    trained = [one for one in model.versions if one.as_of and one.as_of <= as_of.isoformat()]
    return max(trained, key=lambda one: (one.as_of, int(one.version))).version if trained else None


def _nothing_trained(settings: Settings, as_of: date, choice: Choice) -> TrackingError:
    oldest = min((one.as_of for one in registered_model(settings, DEMAND_MODEL).versions if one.as_of), default=None)
    if choice == AS_OF and oldest is not None:
        return TrackingError(
            f"{settings.tracking.uri}: no version of {DEMAND_MODEL} was trained as of {as_of} or before; the first is of {oldest}",
            hint=f"train one with `uncap train --as-of {as_of}`, or score with the champions of today: leave --models out",
        )
    return TrackingError(
        f"{settings.tracking.uri}: no champion of {DEMAND_MODEL}: nothing was trained yet",
        hint="run `uncap train` first, or set tracking.uri (UNCAP_TRACKING_URI) to the store it was trained in",
    )
