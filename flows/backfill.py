"""How past Sundays are scored one after another: those that were missed, or all of a span again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from contracts.errors import UncapError, UsageError
from contracts.steps import Step
from flows.console import Say, narrated
from flows.missed_weeks import missed_sundays, sundays_between
from flows.model_choice import CHAMPIONS, Choice
from flows.monitor import monitor_steps
from flows.opening import open_once_free
from flows.orchestration import in_flow, named_task, with_retries
from flows.score import publish_scores
from flows.scored_sundays import scored_sundays
from flows.settings import Settings
from flows.write_lock import warehouse_lock

DEFECTS = (ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError)
"""What the data of one Sunday may trip, and those of another not; told with its type, and raised with the others' at the end."""


@dataclass(frozen=True)
class ScoredSunday:
    """How the scoring of one Sunday ended.

    Attributes
    ----------
    as_of
        The Sunday.
    rows
        Rows written; 0 where it was not scored.
    seconds
        What it took.
    error
        Why it failed, or, where it was scored, its monitoring; None where neither did.
    exit_code
        0, or what its command would have ended with.
    """

    as_of: date
    rows: int
    seconds: float
    error: str | None = None
    exit_code: int = 0

    @property
    def ended(self) -> str:
        """``scored``, ``scored, monitoring failed`` or ``failed``."""
        if not self.error:
            return "scored"
        return "scored, monitoring failed" if self.rows else "failed"


class IncompleteBackfillError(UncapError):
    """Some Sundays could not be scored, or not be monitored; the others were."""

    def __init__(self, sundays: Sequence[ScoredSunday], models: Choice, *, only_missing: bool) -> None:
        incomplete = [sunday for sunday in sundays if sunday.error]
        told = "\n".join(f"{sunday.as_of}: {sunday.ended}: {sunday.error}" for sunday in incomplete)
        again = []
        if failed := [sunday.as_of for sunday in incomplete if not sunday.rows]:
            chosen = f" --models {models}" if models != CHAMPIONS else ""
            # a Sunday that was to be scored again has its old rows, and is not missing
            missing = " --missing" if only_missing else ""
            again.append(f"score those that failed with `uncap backfill --from {failed[0]} --to {failed[-1]}{chosen}{missing}`")
        again += [f"`uncap monitor --as-of {sunday.as_of}`" for sunday in incomplete if sunday.rows]
        super().__init__(
            f"{len(failed)} of {len(sundays)} Sundays were not scored, {len(incomplete) - len(failed)} only not monitored;"
            f" the others were both\n{told}",
            hint=f"put right what is told, then {', '.join(again)}",
        )
        codes = {sunday.exit_code for sunday in incomplete}
        self.exit_code = codes.pop() if len(codes) == 1 else 1


def backfill(settings: Settings, first: date | None, last: date | None, *, models: Choice, only_missing: bool) -> list[ScoredSunday]:
    """Score the Sundays of a span, oldest first: a Sunday's segments and work lists rest on those before it.

    Each is a run of its own, published when it is done: killed in between, those before stay, and the next call with ``only_missing``
    goes on where this one stopped.

    Parameters
    ----------
    settings
        Where the warehouse and the tracking store are.
    first, last
        Days between which the Sundays lie. Without a first one: the oldest that was missed; without a last one: the newest that is due.
    models
        ``champion`` for those of today, ``as-of`` for those of when each Sunday was the newest known.
    only_missing
        Leave out those that were scored.

    Returns
    -------
    list[ScoredSunday]
        All Sundays that were to be scored.

    Raises
    ------
    UsageError
        If the span holds no Sunday, or has no beginning though all Sundays are to be scored again.
    IncompleteBackfillError
        If any Sunday, or its monitoring, failed, once all were tried.
    """
    if first is None and not only_missing:
        raise UsageError("backfill: no first day", hint="give one with --from, or fill only what was missed with --missing")
    return in_flow("backfill", backfill_steps, settings, (first, last), models, only_missing=only_missing)


def backfill_steps(settings: Settings, span: tuple[date | None, date | None], models: Choice, *, only_missing: bool) -> list[ScoredSunday]:
    """Score the Sundays inside a Prefect flow."""
    with narrated("backfill", bar=False) as say:
        sundays = with_retries(choose_sundays, settings)(settings, span, only_missing=only_missing)
        say(_plan(sundays))
        scored = [_score_one(settings, as_of, models, say) for as_of in sundays]
    if any(sunday.error for sunday in scored):
        raise IncompleteBackfillError(scored, models, only_missing=only_missing)
    return scored


@named_task("choose the Sundays to score")
def choose_sundays(settings: Settings, span: tuple[date | None, date | None], *, only_missing: bool) -> list[date]:
    """Return the Sundays of the span, without those that were scored if only the missing ones are wanted."""
    with open_once_free(settings) as con:
        missed, scored = missed_sundays(con, datetime.now(UTC).date()), scored_sundays(con)
    first, last = span[0] or min(missed, default=None), span[1] or max([*missed, *scored], default=None)
    if first is None and only_missing:
        return []
    if first is None or last is None:
        raise UsageError("backfill: nothing was scored yet, so no last day is known", hint="give both --from and --to")
    sundays = sundays_between(first, last)
    if not sundays:
        raise UsageError(f"backfill: no Sunday lies between {first} and {last}", hint="give --from and --to, the earlier day first")
    return [day for day in sundays if day not in scored] if only_missing else sundays


def _score_one(settings: Settings, as_of: date, models: Choice, say: Say) -> ScoredSunday:
    """Score one Sunday; what fails is told, recorded as its run, and does not keep the others."""
    began, rows, reason, exit_code = time.monotonic(), 0, None, 0
    try:
        with warehouse_lock(settings, "write", "score"):
            rows = sum(publish_scores(settings, as_of, models).rows_written.values())
            monitor_steps(settings, as_of, cells_are_built=True)
    except UncapError as error:
        reason, exit_code = "; ".join([error.message, *getattr(error, "__notes__", ())]), error.exit_code
    except DEFECTS as error:
        reason, exit_code = f"{type(error).__name__}: {error}", 1
    sunday = ScoredSunday(as_of, rows, time.monotonic() - began, reason, exit_code)
    say(f"warning: {as_of}: {sunday.ended}: {reason}" if reason else Step(f"{as_of}: scored", rows=rows))
    return sunday


def _plan(sundays: Sequence[date]) -> str:
    """Say what is to be done.

    >>> _plan([date(2019, 9, 22), date(2019, 9, 29)])
    '2 Sundays to score, 2019-09-22 to 2019-09-29'
    """
    if not sundays:
        return "nothing to score: no Sunday is missing"
    return f"{len(sundays)} Sunday{'s' if len(sundays) > 1 else ''} to score, {sundays[0]} to {sundays[-1]}"
