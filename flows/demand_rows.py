"""Where the demand model's rows come from: pair features as of a cut-off with their targets, and the calendar of the target weeks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from contracts.cells import RECOVERED
from contracts.errors import ConfigurationError
from contracts.raw import EVENTS
from contracts.steps import in_parts
from contracts.weeks import CHURN_HORIZONS, HORIZONS, last_week, target_week
from features.attributes import CATEGORICAL_ATTRIBUTES
from features.calendar import CALENDAR_FEATURES, FAR_WEEKS, holiday_dates, week_calendar, working_dates
from features.demand import GROUP_FEATURES, PAIR_FEATURES, SEASON_FEATURES
from flows.console import Say
from flows.pair_statements import country_holidays, fetch_described
from flows.settings import Settings
from flows.watched_inputs import demand_population
from models.drift import Population
from models.stacking import FeatureSpace, StackedRows, feature_space, sample_rows
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch, has_rows


@dataclass(frozen=True)
class DemandRows:
    """What a demand model is trained on.

    Attributes
    ----------
    space
        The columns.
    early
        Rows whose target week is known by the Sunday that a twin may know.
    late
        Rows whose target week came after it; None where there are none.
    population
        How the inputs were spread over all pairs of the newest cut-off.
    """

    space: FeatureSpace
    early: StackedRows
    late: StackedRows | None
    population: Population

    @property
    def size(self) -> int:
        """Rows, early and late."""
        return self.early.units.size + (0 if self.late is None else self.late.units.size)


KEY = ("retailer_id", "sku_id")
"""Rows are drawn by their position, so they come in the order of their key: DuckDB's own order is another one each time."""

NEWEST_CUT_OFF = timedelta(weeks=CHURN_HORIZONS[0])
"""The newest cut-off knows half of its targets, and lies on the grid of the churn model's origins, so that both share what is recovered."""


def training_cut_offs(settings: Settings, known: date, first_week: date) -> list[date]:
    """Return the Sundays to train on, newest first.

    Some target weeks of each are known, and enough weeks lie before it: where the history is as short as it may be, a model and the
    twin that knows eight weeks less still have a cut-off each.
    """
    spacing = settings.demand.cut_off_spacing_weeks
    candidates = (known - NEWEST_CUT_OFF - timedelta(weeks=spacing * k) for k in range(settings.demand.cut_offs))
    before = timedelta(weeks=settings.demand.min_history_weeks) - timedelta(weeks=len(HORIZONS)) - 2 * NEWEST_CUT_OFF
    earliest = first_week + before - timedelta(days=1)
    return [cut_off for cut_off in candidates if cut_off >= earliest]


def fetch_pairs(con: Warehouse, settings: Settings, as_of: date, attributes: Sequence[str]) -> pa.Table:
    """Return the features of every pair to forecast as of a Sunday, one row each."""
    return fetch_described(con, settings, as_of, attributes)


def fetch_pair(
    con: Warehouse, settings: Settings, as_of: date, attributes: Sequence[str], pair: tuple[str, str], *, orders_only: bool = False
) -> pa.Table:
    """Return the features of one pair (retailer and SKU), or no row where it is not to be forecast.

    ``orders_only`` takes every order, of the others too, for the demand: nothing was recovered.
    """
    retailer_id, sku_id = pair
    return fetch_described(con, settings, as_of, attributes, orders_only=orders_only, retailer_id=retailer_id, sku_id=sku_id)


def fetch_judged_pairs(con: Warehouse, settings: Settings, as_of: date, known: date, attributes: Sequence[str]) -> pa.Table:
    """Return the features of pairs as of a past Sunday with what came, ``target_{h}``, and the same weeks a year before, ``naive_{h}``."""
    return fetch_described(con, settings, as_of, attributes, known=known, targets=("target", "naive"))


def gather_rows(
    con: Warehouse,
    settings: Settings,
    cut_offs: Sequence[date],
    known: date,
    twin_knows: date,
    attributes: Sequence[str],
    say: Say,
) -> DemandRows:
    """Draw training rows from each cut-off in turn, so that only one cut-off's pairs are in memory at a time.

    Parameters
    ----------
    cut_offs
        As ``training_cut_offs`` gives them; each was recovered, ``known`` too.
    known
        Targets are known up to this Sunday.
    twin_knows
        Targets up to this Sunday are early, the rest late.

    Raises
    ------
    ConfigurationError
        If no target is early.
    """
    recovered = has_rows(con, RECOVERED)
    share = settings.demand.max_training_rows / sum(len(_known_horizons(cut_off, known)) for cut_off in cut_offs)
    space: FeatureSpace | None = None
    population: Population | None = None
    early: list[StackedRows] = []
    late: list[StackedRows] = []
    for cut_off in in_parts(cut_offs, "drawing rows as of cut-offs", say):
        calendar = target_calendar(con, settings, cut_off)
        soon = _known_horizons(cut_off, twin_knows)
        later = [horizon for horizon in _known_horizons(cut_off, known) if horizon not in soon]
        # what the twin learns from is recovered without the weeks it is judged on, and again with them for the model itself
        for parts, horizons, until in ((early, soon, twin_knows), (late, later, known)):
            if horizons:
                targets = ("target", "settled") if recovered and until != known else ("target",)
                pairs = fetch_described(con, settings, cut_off, attributes, known=until, settled=known, targets=targets)
                space = space or space_of(pairs, attributes)
                population = demand_population(population, pairs, space.plain, cut_off)
                seed = [settings.demand.seed, cut_off.toordinal(), horizons[0]]
                parts.append(sample_rows(space, pairs, calendar, horizons, round(share * len(horizons)), seed))
    if space is None or population is None or not early:
        raise ConfigurationError(
            f"demand.cut_offs, demand.cut_off_spacing_weeks: of no week after the {len(cut_offs)} cut-offs is the demand known as of"
            f" {twin_knows}; expected some, to train a model that is judged on weeks it has not seen",
            hint="set more cut-offs, or fewer weeks between them",
        )
    return DemandRows(space, StackedRows.concatenate(early), StackedRows.concatenate(late) if late else None, population)


def space_of(pairs: pa.Table, attributes: Sequence[str]) -> FeatureSpace:
    """Fix what the model sees: the newest cut-off decides which columns vary and which texts there are."""
    numbers = [name for name in attributes if name not in CATEGORICAL_ATTRIBUTES]
    return feature_space(
        pairs,
        [feature.name for feature in (*PAIR_FEATURES, *GROUP_FEATURES)] + numbers,
        [feature.name for feature in SEASON_FEATURES],
        [feature.name for feature in CALENDAR_FEATURES],
        [name for name in attributes if name in CATEGORICAL_ATTRIBUTES],
    )


def target_calendar(con: Warehouse, settings: Settings, as_of: date) -> list[dict[str, float]]:
    """Return the calendar of the eight target weeks, one mapping each."""
    weeks = [target_week(as_of, horizon) for horizon in HORIZONS]
    around = timedelta(weeks=FAR_WEEKS + 1)
    country, subdivision = settings.calendar.country, settings.calendar.subdivision or None
    public = holiday_dates(country, weeks[0] - around, weeks[-1] + around, subdivision)
    working = working_dates(country, weeks[0] - around, weeks[-1] + around, subdivision)
    moving = [holiday for holiday in country_holidays(settings) if holiday.moves]
    events = fetch(con, contract_table(EVENTS).select("event_date")).column("event_date").to_pylist()
    rows = week_calendar(weeks, public, frozenset(events), moving=moving, working=working).drop(["week_start"]).to_pylist()
    return [{name: float(value) for name, value in row.items()} for row in rows]


def draw_pairs(pairs: pa.Table, most: int, seed: int) -> pa.Table:
    """Return at most so many pairs, drawn at random."""
    if pairs.num_rows <= most:
        return pairs
    drawn = np.random.default_rng(seed).permutation(pairs.num_rows)[:most]
    return pairs.take(pa.array(np.sort(drawn)))


def _known_horizons(cut_off: date, known: date) -> list[int]:
    return [horizon for horizon in HORIZONS if target_week(cut_off, horizon) <= last_week(known)]
