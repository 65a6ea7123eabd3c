"""Which version of a model was champion when, who decided that and why, and to which version a rollback leads?

The events are kept in the tracking store, as tags of the registered model, beside the aliases that they are about: one place of truth.
An event is written before its alias is set. What truly followed from it is seen by what the next event, or the alias, says was champion
then; so an event whose process died in between counts for nothing, and an alias that somebody set by other means is noticed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date

PROMOTED, ROLLED_BACK, PINNED, UNPINNED = "promoted", "rolled back", "pinned", "unpinned"


@dataclass(frozen=True)
class ModelEvent:
    """A decision about which version scores.

    Attributes
    ----------
    what
        ``PROMOTED``, ``ROLLED_BACK``, ``PINNED`` or ``UNPINNED``.
    before, after
        Champion before and after, by version; ``before`` is None the first time.
    at
        When, UTC, ISO 8601.
    known_as_of
        Newest as_of that any version had been trained as of by then, ISO 8601: from that Sunday on the decision counts.
    by
        The user, or ``training`` for what `uncap train` decided.
    why
        In plain words.
    """

    what: str
    before: str | None
    after: str
    at: str
    known_as_of: str
    by: str
    why: str

    def to_json(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ModelEvent:
        """Read what ``to_json`` wrote."""
        return cls(**json.loads(text))


@dataclass(frozen=True)
class Reign:
    """From which Sunday on a version was champion."""

    version: str
    known_as_of: str


def reigns(events: Sequence[ModelEvent], champion: str | None, trained_as_of: Mapping[str, str]) -> list[Reign]:
    """Return which version was champion after each event, in order, the champion before the first event too.

    Parameters
    ----------
    events
        In order.
    champion
        The version that bears the alias now.
    trained_as_of
        as_of of each version's training.

    Examples
    --------
    >>> def event(before, after, day):
    ...     return ModelEvent(PROMOTED, before, after, "2026-11-22T09:00:00", day, "training", "better")
    >>> history = [event(None, "1", "2019-08-04"), event("1", "2", "2019-09-01")]
    >>> [reign.version for reign in reigns(history, "2", {})]
    ['1', '2']
    >>> [reign.version for reign in reigns(history, "1", {})]  # the process died before it set the alias
    ['1', '1']
    """
    first = events[0].before if events else champion
    known = [] if first is None else [Reign(first, trained_as_of.get(first, ""))]
    return known + [Reign(version, event.known_as_of) for event, version in _followed(events, champion) if version is not None]


def champions_in_line(events: Sequence[ModelEvent], champion: str | None) -> list[str]:
    """Return the line of champions that leads to the one of now, each the one to roll back to from the next.

    >>> def event(what, before, after):
    ...     return ModelEvent(what, before, after, "2026-11-22T09:00:00", "2019-09-01", "training", "better")
    >>> history = [event(PROMOTED, None, "1"), event(PROMOTED, "1", "2"), event(PROMOTED, "2", "3"), event(ROLLED_BACK, "3", "2")]
    >>> champions_in_line(history, "2")
    ['1', '2']
    """
    first = events[0].before if events else champion
    line = [] if first is None else [first]
    for event, version in _followed(events, champion):
        if event.what == ROLLED_BACK and version == event.after and version in line:
            while line[-1] != version:
                line.pop()
        elif version is not None and line[-1:] != [version]:
            line.append(version)
    return line


def champion_as_of(day: date, history: Sequence[Reign]) -> str | None:
    """Return the version that was champion when a Sunday was the newest known, None before the first.

    >>> champion_as_of(date(2019, 8, 25), [Reign("1", "2019-08-04"), Reign("2", "2019-09-01")])
    '1'
    """
    reigned = [reign.version for reign in history if reign.known_as_of and reign.known_as_of <= day.isoformat()]
    return reigned[-1] if reigned else None


def _followed(events: Sequence[ModelEvent], champion: str | None) -> list[tuple[ModelEvent, str | None]]:
    """Pair each event with the version that was champion afterwards."""
    after = [*(event.before for event in events[1:]), champion] if events else []
    return list(zip(events, after, strict=True))
