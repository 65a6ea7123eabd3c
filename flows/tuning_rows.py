"""What the trials of a tuning learn from and are judged on: rows known at past Sundays, and the weeks after each, fetched once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from contracts.errors import InputDataError
from contracts.scored import QUANTILES
from contracts.steps import in_parts
from flows.console import Say
from flows.country import with_calendar
from flows.demand_rows import DemandRows, gather_rows, training_cut_offs
from flows.deriving import fetch_censored, learn_recovery, recover_as_of
from flows.settings import Settings
from flows.train_demand import HELD_OUT, JudgedWeeks, demand_settings, fetch_held_out
from flows.training import History
from models.demand import fit_demand
from models.evaluation import compare_forecasts
from warehouse.session import Warehouse


@dataclass(frozen=True)
class TuningOrigin:
    """A past Sunday.

    Attributes
    ----------
    rows
        Known by it; all of them are early.
    held_out
        The eight weeks after it.
    """

    rows: DemandRows
    held_out: JudgedWeeks

    def judge(self, settings: Settings) -> dict[str, float]:
        """Train with these settings on what was known, and return the figures of the weeks after as ``compare_forecasts`` has them."""
        model = fit_demand(self.rows.early, self.rows.space, demand_settings(settings))
        return compare_forecasts(self.held_out.judge(model, settings.demand.lightgbm.num_threads), QUANTILES)


def tuning_origins(settings: Settings, history: History) -> list[date]:
    """Return the past Sundays to train as of, newest first, eight weeks apart: as many as are set and the history allows.

    Raises
    ------
    InputDataError
        If there is nothing to train on before any.
    """
    sundays = [history.as_of - (k + 1) * HELD_OUT for k in range(settings.tune.origins)]
    allowed = [sunday for sunday in sundays if training_cut_offs(settings, sunday, history.first_week)]
    if not allowed:
        raise InputDataError(
            [f"raw.order_lines.ordered_on: too short a history before {sundays[0]}; expected half a year before the weeks to judge on"],
            hint="load older orders, or tune as of a later Sunday",
        )
    return allowed


def gather_origins(con: Warehouse, settings: Settings, history: History, say: Say) -> list[TuningOrigin]:
    """Recover demand as of every cut-off, and draw the rows of each origin; cells must be built.

    Raises
    ------
    InputDataError
        If the history is too short, or nothing was ordered in the weeks to judge on.
    """
    limited = _within_limits(with_calendar(settings, history.calendar))
    cut_offs = {origin: training_cut_offs(settings, origin, history.first_week) for origin in tuning_origins(settings, history)}
    recovered = {history.as_of, *cut_offs, *(cut_off for earlier in cut_offs.values() for cut_off in earlier)}
    censored = fetch_censored(con, settings, history.as_of)
    recovery = learn_recovery(settings, censored, min(cut_offs), say)
    recover_as_of(con, settings, censored, in_parts(sorted(recovered, reverse=True), "recovering as of cut-offs", say), recovery)
    gathered = []
    for origin, earlier in cut_offs.items():
        rows = gather_rows(con, limited, earlier, origin, origin, history.attributes, say)
        held_out = fetch_held_out(con, limited, origin, history.as_of, history.attributes)
        held_out.require_demand()
        say(f"as of {origin}: {rows.size:,} pair-weeks to train on, {held_out.pairs.num_rows:,} pairs to judge on")
        gathered.append(TuningOrigin(rows, held_out))
    return gathered


def _within_limits(settings: Settings) -> Settings:
    limits = {name: min(getattr(settings.demand, name), getattr(settings.tune, name)) for name in ("max_training_rows", "max_judged_pairs")}
    return settings.model_copy(update={"demand": settings.demand.model_copy(update=limits)})
