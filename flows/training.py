"""What a training starts from: everything it needs of the warehouse, fetched in one go so that the warehouse can be let go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from contracts.errors import InputDataError
from contracts.raw import ORDER_LINES
from contracts.steps import counted, in_parts
from contracts.weeks import last_week, week_start_of
from flows.churn_rows import churn_origins
from flows.console import Say
from flows.country import calendar_of, with_calendar
from flows.demand_rows import DemandRows
from flows.deriving import build_cells, fetch_censored, learn_recovery, recover_as_of, usable_attributes
from flows.judged_origins import JudgedOrigin, fetch_judged_origins, judged_sundays
from flows.lineage import table_lineage
from flows.settings import Calendar, Settings
from flows.timing import Stopwatch
from flows.tracking import TableLineage
from flows.train_churn import ChurnRows, gather_churn
from flows.train_demand import HELD_OUT, JudgedWeeks, cut_offs_to_recover, gather_demand
from models.recensoring import Recensoring
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch


@dataclass(frozen=True)
class History:
    """The orders that are loaded, as a training sees them.

    Attributes
    ----------
    as_of
        The Sunday that ends what may be known.
    first_week
        ``week_start`` of the first order.
    attributes
        Those of the registers that models may see.
    lineage
        Of the tables that are loaded.
    calendar
        Whose public holidays count.
    """

    as_of: date
    first_week: date
    attributes: tuple[str, ...]
    lineage: tuple[TableLineage, ...]
    calendar: Calendar


@dataclass(frozen=True)
class Identified:
    """How many weeks a cap, a band cap or a floor censored, and of how many the SKU was not nearly always capped."""

    censored_weeks: int
    identified_weeks: int

    def metrics(self) -> dict[str, float]:
        """Return both, and the share, as figures to log; no share where nothing was censored.

        >>> Identified(4, 3).metrics()["identified.share"]
        0.75
        """
        counts = {"identified.censored_weeks": float(self.censored_weeks), "identified.weeks": float(self.identified_weeks)}
        return counts | ({"identified.share": self.identified_weeks / self.censored_weeks} if self.censored_weeks else {})


@dataclass(frozen=True)
class TrainingRows:
    """What both models are trained and judged on, no longer tied to the warehouse.

    Attributes
    ----------
    history
        Where it comes from.
    demand, held_out
        Rows of the demand model, and the weeks its twin is judged on.
    judged
        Pairs as of several Sundays within these weeks, on which champion and challenger are compared.
    churn
        Labelled rows of the churn model; empty where the history is too short.
    recovery
        What was learned of the orders that caps cut; None where no cap did.
    identified
        For how many of the censored weeks the data tell the true demand.
    seconds
        What it took to fetch, by part.
    """

    history: History
    demand: DemandRows
    held_out: JudgedWeeks
    judged: tuple[JudgedOrigin, ...]
    churn: ChurnRows
    recovery: Recensoring | None
    identified: Identified
    seconds: Stopwatch


def derive_history(con: Warehouse, settings: Settings, as_of: date, say: Say) -> History:
    """Build the cells of all that is loaded.

    Raises
    ------
    InputDataError
        If there are too few weeks to train on.
    """
    lines = contract_table(ORDER_LINES)
    first_day = fetch(con, lines.aggregate(first=lines.ordered_on.min())).to_pylist()[0]["first"]
    first_week = week_start_of(first_day)
    require_history(settings, first_week, as_of)
    say(counted(build_cells(con, as_of), "retailer-SKU-weeks derived"))
    attributes, lineage = usable_attributes(con, settings, as_of), tuple(table_lineage(con))
    return History(as_of, first_week, attributes, lineage, calendar_of(con, settings, as_of, say))


def gather_training_rows(con: Warehouse, settings: Settings, as_of: date, say: Say) -> TrainingRows:
    """Fetch all that a training needs in one go: a score in between would replace what was recovered.

    Raises
    ------
    InputDataError
        If there are too few weeks to train on.
    """
    watch = Stopwatch()
    with watch("cells"):
        history = derive_history(con, settings, as_of, say)
        settings = with_calendar(settings, history.calendar)
    with watch("recovery"):
        cut_offs = cut_offs_to_recover(settings, as_of, history.first_week) | set(churn_origins(settings, as_of, history.first_week))
        cut_offs |= set(judged_sundays(settings, as_of))
        censored = fetch_censored(con, settings, as_of)
        # the weeks that the twin is judged on teach nothing
        recovery = learn_recovery(settings, censored, as_of - HELD_OUT, say)
        told = in_parts(sorted(cut_offs, reverse=True), "recovering as of cut-offs", say)
        recovered = recover_as_of(con, settings, censored, told, recovery)
    say(counted(len(recovered[as_of]), f"censored weeks recovered, as of {len(recovered)} cut-offs"))
    with watch("demand_features"):
        demand, held_out = gather_demand(con, settings, as_of, history.first_week, history.attributes, say)
        judged = fetch_judged_origins(con, settings, as_of, history.attributes, held_out)
    say(counted(demand.size, "pair-weeks drawn to train the demand model on"))
    with watch("churn_features"):
        churn = gather_churn(con, settings, as_of, history.first_week, history.attributes, say)
    say(counted(len(churn), "outcomes of retailers to train the churn model on"))
    identified = Identified(len(recovered[as_of]), int(recovered[as_of].identified.sum()))
    return TrainingRows(history, demand, held_out, judged, churn, recovery, identified, watch)


def require_history(settings: Settings, first_week: date, as_of: date) -> None:
    """Refuse to train on too few weeks.

    Raises
    ------
    InputDataError
        Saying how many there are and how many it takes.
    """
    weeks, needed = (last_week(as_of) - first_week).days // 7 + 1, settings.demand.min_history_weeks
    if weeks < needed:
        raise InputDataError(
            [f"raw.order_lines.ordered_on: {weeks} weeks of orders up to {as_of}, from {first_week}; expected at least {needed}"],
            hint=f"load older orders too, or train as of {first_week + timedelta(days=7 * needed - 1)} or later (demand.min_history_weeks)",
        )
