"""How do people decide which version of a model scores: promote, roll back, pin, unpin?

What they decide is kept with who, when and why (flows.model_history). A version is only promoted if it can be loaded and this version of
uncap makes every feature it takes.
"""

from __future__ import annotations

from contracts.errors import UsageError
from flows.features_made import features_of, unmade
from flows.model_history import PINNED as PINNING
from flows.model_history import PROMOTED, ROLLED_BACK, UNPINNED
from flows.registry import PINNED, RegisteredModel, RegisteredVersion, crown, decided, registered_model, set_alias
from flows.settings import Settings
from flows.tracking import CHALLENGER, CHURN_MODEL, DEMAND_MODEL, ModelVersion, model_folder

MODEL_NAMES = {"demand": DEMAND_MODEL, "churn": CHURN_MODEL}
LONGEST_REASON = 500


def model_named(word: str) -> str:
    """Return the registered name of a model, by that or by its short one.

    Raises
    ------
    UsageError
        If there is no such model.

    Examples
    --------
    >>> model_named("churn")
    'uncap-churn'
    """
    if word not in {*MODEL_NAMES, *MODEL_NAMES.values()}:
        raise UsageError(f"model {word!r}: there is none of that name", hint=f"give {' or '.join(MODEL_NAMES)}")
    return MODEL_NAMES.get(word, word)


def promote(settings: Settings, name: str, version: str | None, *, by: str, why: str) -> str:
    """Make a version the champion, and return what came of it in a sentence.

    Parameters
    ----------
    name
        ``DEMAND_MODEL`` or ``CHURN_MODEL``.
    version
        None for the challenger.
    by, why
        Who decides, and the reason.

    Raises
    ------
    UsageError
        If there is no such version, another one is pinned, this version of uncap does not make its features, or no reason is given.
    TrackingError
        If its files are gone, or the store cannot be reached.
    """
    model, reason = registered_model(settings, name), _reason(why)
    if version is None and CHALLENGER not in model.aliases:
        raise UsageError(f"{name}: there is no challenger to promote", hint=f"name a version: {_versions(model)}")
    chosen = _existing(model, version or model.aliases[CHALLENGER])
    if chosen.version == model.champion:
        return f"{name} {chosen.version} is champion already; nothing was changed"
    _refuse_while_pinned(model)
    return _enthrone(settings, model, chosen, PROMOTED, by=by, why=reason)


def roll_back(settings: Settings, name: str, *, by: str, why: str) -> str:
    """Make the champion before this one champion again, and return what came of it in a sentence.

    Raises
    ------
    UsageError
        If there was none, the champion is pinned, this version of uncap does not make its features, or no reason is given.
    TrackingError
        If its files are gone, or the store cannot be reached.
    """
    model, reason = registered_model(settings, name), _reason(why)
    if len(model.line) < 2:
        raise UsageError(
            f"{name}: no champion before {model.champion or 'the first'} is known", hint=f"promote one by its number: {_versions(model)}"
        )
    _refuse_while_pinned(model)
    return _enthrone(settings, model, _existing(model, model.line[-2]), ROLLED_BACK, by=by, why=reason)


def pin(settings: Settings, name: str, version: str | None, *, by: str, why: str) -> str:
    """Keep training from replacing the champion, another version made champion first if one is named; return what came of it.

    Raises
    ------
    UsageError, TrackingError
        As ``promote``, and if there is no champion.
    """
    model, reason = registered_model(settings, name), _reason(why)
    if version is None and model.champion is None:
        raise UsageError(f"{name}: there is no champion to pin", hint=f"name a version: {_versions(model)}")
    chosen = _existing(model, version or str(model.champion))
    if chosen.version == model.pinned:
        return f"{name} {chosen.version} is pinned already; nothing was changed"
    if chosen.version != model.champion:
        _refuse_while_pinned(model)
        _enthrone(settings, model, chosen, PROMOTED, by=by, why=reason)
        model = registered_model(settings, name)
    decided(settings, model, PINNING, chosen.version, by=by, why=reason)
    set_alias(settings, name, PINNED, chosen.version)
    return f"{name} {chosen.version} is champion and pinned: training will not replace it"


def unpin(settings: Settings, name: str, *, by: str, why: str) -> str:
    """Let training replace the champion again, and return what came of it.

    Raises
    ------
    UsageError
        If no reason is given.
    TrackingError
        If the store cannot be reached.
    """
    model, reason = registered_model(settings, name), _reason(why)
    if model.pinned is None:
        return f"{name}: nothing is pinned; nothing was changed"
    decided(settings, model, UNPINNED, str(model.champion), by=by, why=reason)
    set_alias(settings, name, PINNED, None)
    return f"{name} {model.champion} is no longer pinned: training may replace it"


def _enthrone(settings: Settings, model: RegisteredModel, chosen: RegisteredVersion, what: str, *, by: str, why: str) -> str:
    """Make it champion, if it can score."""
    folder = model_folder(settings, ModelVersion(model.name, chosen.version, chosen.run_id, {}, chosen.tags))
    lacking = unmade(model.name, features_of(model.name, folder))
    if lacking:
        raise UsageError(
            f"{model.name} {chosen.version}: this version of uncap does not make {len(lacking)} features that it takes, the first"
            f" {lacking[0]}",
            hint="train a new version with `uncap train`, or use the version of uncap that trained it (`uncap models --card` names it)",
        )
    decided(settings, model, what, chosen.version, by=by, why=why)
    crown(settings, model.name, chosen.version)
    return f"{model.name} {chosen.version} is champion, in place of {model.champion}"


def _existing(model: RegisteredModel, version: str) -> RegisteredVersion:
    found = model.version(version)
    if found is None:
        raise UsageError(f"{model.name}: there is no version {version}", hint=f"give one of those that exist: {_versions(model)}")
    return found


def _refuse_while_pinned(model: RegisteredModel) -> None:
    if model.pinned is not None:
        raise UsageError(
            f"{model.name}: version {model.pinned} is pinned", hint=f"let it go first: `uncap unpin {model.name} --reason TEXT`"
        )


def _reason(why: str) -> str:
    """The reason on one line.

    >>> _reason(" too low in August ")
    'too low in August'
    """
    reason = " ".join(why.split())
    if not 0 < len(reason) <= LONGEST_REASON:
        raise UsageError(
            f"--reason: {len(reason)} characters; expected 1 to {LONGEST_REASON}",
            hint="say why in a sentence, it is kept with the decision",
        )
    return reason


def _versions(model: RegisteredModel) -> str:
    return ", ".join(one.version for one in model.versions) or "there is none yet, train first with `uncap train`"
