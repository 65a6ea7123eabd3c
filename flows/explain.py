"""Why was so much forecast? A published forecast of a retailer and a SKU, taken apart into units that add up to it.

Nothing is published: the features are computed again as of the published ``as_of``, and the model that the rows name is asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from contracts.cells import CELLS, RECOVERED
from contracts.errors import InputDataError
from contracts.scored import QUANTILES, TRUE_DEMAND
from features.attributes import attributes_among
from features.cells import KEY, with_true_units
from features.demand import DEMAND_FEATURES, GROUPS
from features.windows import in_last_weeks
from flows.console import Say, narrated
from flows.country import as_trained
from flows.demand_rows import fetch_pair, target_calendar
from flows.deriving import build_cells, fetch_censored, recover_as_of
from flows.opening import open_warehouse
from flows.published import Pair, PublishedWeek, read_published
from flows.registering import FINAL, RECOVERY
from flows.settings import Settings
from flows.tracking import DEMAND_MODEL, model_folder, registered_version
from flows.write_lock import warehouse_lock
from models.demand import DemandModel
from models.explanation import MeanParts, mean_parts, shown_value
from models.opening import open_weeks
from models.recensoring import Recensoring
from models.stacking import FeatureSpace, level_units
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

LEVEL_WINDOWS = (13, 26, 52)
"""Weeks of the means that tell a pair's level; limits are listed over the longest."""

ROUNDING = 1e-9
"""A difference of no larger a share of the published mean comes from the order of additions."""


@dataclass(frozen=True)
class Figure:
    """One of the pair's own figures: a feature, what it measures, its value (None is unknown) and what it adds, units (None: not told)."""

    feature: str
    description: str
    value: float | str | None
    units: float | None = None


@dataclass(frozen=True)
class Part:
    """One term of the sum.

    Attributes
    ----------
    factor
        ``orders``, ``recovery``, ``average``, the group of some features, ``calibration``, ``closed`` (before an opening or
        a launch, or after the SKU was delisted) or ``changed``.
    what
        The same for people.
    units
        What it adds; the parts of a week sum to its ``mean_units``.
    figures
        The figures behind it, those that add or take most first.
    """

    factor: str
    what: str
    units: float
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True)
class ExplainedWeek:
    """A published week, what the same model gives for what is loaded now (units), and the parts of the published mean."""

    published: PublishedWeek
    recomputed_units: float
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class LimitedWeek:
    """A past week in which a cap, a band cap or a floor hid the demand; units, the 10 % and 90 % quantiles None where not published."""

    week_start: date
    censoring: str
    cap_units: float | None
    floor_units: float | None
    asked_units: float | None
    delivered_units: float
    true_units: float
    true_units_p10: float | None
    true_units_p90: float | None
    identified: bool | None


@dataclass(frozen=True)
class Explanation:
    """A forecast taken apart; ``limited_weeks`` (newest first) and ``closed_weeks`` (nothing could be ordered) are of the last 52."""

    as_of: date
    retailer_id: str
    sku_id: str
    method: str
    model_version: str
    weeks: tuple[ExplainedWeek, ...]
    limited_weeks: tuple[LimitedWeek, ...]
    closed_weeks: int


def explain(settings: Settings, pair: Pair, as_of: date | None, week: date | None) -> Explanation:
    """Take the published forecast of a retailer and a SKU apart.

    Parameters
    ----------
    settings
        Where the warehouse and the tracking store are.
    pair
        Retailer and SKU.
    as_of
        A Sunday that was scored; None for the newest.
    week
        Monday of one forecast week; None for all eight.

    Raises
    ------
    UsageError
        If nothing was scored, or not that pair, ``as_of`` or week.
    TrackingError
        If the model that gave the forecast is not in the tracking store.
    InputDataError
        If the pair would not be forecast from what is loaded now.
    """
    published = read_published(settings, pair, as_of, week)
    first = published[0]
    with narrated("explain") as say:
        folder = model_folder(settings, registered_version(settings, DEMAND_MODEL, first.model_version))
        model, settings = DemandModel.load(folder / FINAL), as_trained(settings, folder)
        attributes = attributes_among(model.space.names)
        # what is derived belongs to whoever holds the lock
        with warehouse_lock(settings, "write", "explain"), open_warehouse(settings) as con:
            _require_recovered(con, settings, first.as_of, Recensoring.load(folder / RECOVERY), say)
            with_recovery = fetch_pair(con, settings, first.as_of, attributes, pair)
            orders_only = fetch_pair(con, settings, first.as_of, attributes, pair, orders_only=True)
            calendar = target_calendar(con, settings, first.as_of)
            limited, closed = _limited_weeks(con, first.as_of, pair)
    if with_recovery.num_rows == 0:
        raise InputDataError(
            [f"{pair[0]}, {pair[1]}: forecast as of {first.as_of}, but not by what is loaded now; expected the tables that were scored"],
            hint=f"write the forecasts of what is loaded now with `uncap score --as-of {first.as_of}`",
        )
    threads = settings.demand.lightgbm.num_threads
    again = model.predict(with_recovery, calendar, QUANTILES, threads)
    split = mean_parts(model, with_recovery, calendar, threads)
    weeks = tuple(
        _explained(row, split[row.horizon_weeks], float(again[row.horizon_weeks].mean_units[0]), (orders_only, with_recovery), model.space)
        for row in published
    )
    return Explanation(first.as_of, *pair, first.method, first.model_version, weeks, limited, closed)


def _require_recovered(con: Warehouse, settings: Settings, as_of: date, recovery: Recensoring | None, say: Say) -> None:
    """Derive cells and recovered demand as scoring does, unless they are still there from it."""
    recovered = contract_table(RECOVERED)
    if fetch(con, recovered.filter(recovered.as_of == as_of).limit(1)).num_rows == 0:
        say(f"recovering true demand as of {as_of}")
        build_cells(con, as_of)
        recover_as_of(con, settings, fetch_censored(con, settings, as_of), [as_of], recovery)


def _explained(
    row: PublishedWeek, split: MeanParts, recomputed: float, levels: tuple[pa.Table, pa.Table], space: FeatureSpace
) -> ExplainedWeek:
    """Parts of one week; ``levels`` are the pair's features from orders only and with recovered demand."""
    orders_level = float(level_units(levels[0])[0])
    parts = [
        Part("orders", "level of its orders", orders_level, _level_figures(levels[0], "delivered units")),
        Part(
            "recovery",
            "recovered demand in the level",
            float(split.level_units[0]) - orders_level,
            _level_figures(levels[1], "true demand"),
        ),
        Part("average", "what an average pair departs from its level", float(split.average_units[0])),
        *_factor_parts(split, space),
    ]
    beyond = recomputed - float(split.mean_units[0])
    can_order = bool(open_weeks(levels[1], row.horizon_weeks)[0])
    for factor, what, units in (
        ("calibration", "calibration", beyond) if can_order else ("closed", "cannot be ordered in this week", beyond),
        ("changed", "what changed since it was published", row.mean_units - recomputed),
    ):
        if abs(units) > ROUNDING * max(row.mean_units, 1.0):
            parts.append(Part(factor, what, units))
    return ExplainedWeek(row, recomputed, tuple(parts))


def _level_figures(pair: pa.Table, measured: str) -> tuple[Figure, ...]:
    """The means behind the level; what peers buy where the pair has none."""
    row = pair.to_pylist()[0]
    known = [weeks for weeks in LEVEL_WINDOWS if row.get(f"mean_{weeks}w") is not None]
    if not known:
        return (Figure("peer_units", f"no history; {measured} a week of a retailer of its tier and size", row.get("peer_units")),)
    return tuple(Figure(f"mean_{weeks}w", f"{measured} a week over {weeks} weeks", float(row[f"mean_{weeks}w"])) for weeks in known)


def _factor_parts(split: MeanParts, space: FeatureSpace) -> list[Part]:
    """One part for each group of features."""
    described = {feature.name: feature for feature in DEMAND_FEATURES}
    figures: dict[str, list[Figure]] = {}
    for name, units, value in zip(space.names, split.feature_units[0], split.values[0], strict=True):
        feature = described.get(name)
        group, text = (feature.group, feature.description) if feature else ("other", name)
        figures.setdefault(group, []).append(Figure(name, text, shown_value(space, name, float(value)), float(units)))
    return [_factor_part(group, members) for group, members in figures.items()]


def _factor_part(group: str, figures: Sequence[Figure]) -> Part:
    units = [figure.units or 0.0 for figure in figures]
    ranked = sorted(figures, key=lambda figure: -abs(figure.units or 0.0))
    return Part(group, GROUPS[group][1] if group in GROUPS else group, sum(units), tuple(ranked))


def _limited_weeks(con: Warehouse, as_of: date, pair: Pair) -> tuple[tuple[LimitedWeek, ...], int]:
    """Weeks of the last year that a limit touched, newest first, and how many were closed to the pair."""
    cells, published = contract_table(CELLS), contract_table(TRUE_DEMAND)
    own = cells.filter(cells.retailer_id == pair[0], cells.sku_id == pair[1], in_last_weeks(cells.week_start, as_of, LEVEL_WINDOWS[-1]))
    known = with_true_units(own, contract_table(RECOVERED), as_of)
    # ranges are kept of the newest as_of only
    ranges = published.filter(published.as_of == as_of).select(*KEY, "true_units_p10", "true_units_p90", "identified")
    limited = known.filter(known.censoring != "none").left_join(ranges, KEY)
    rows = fetch(con, limited.order_by(limited.week_start.desc())).to_pylist()
    return tuple(_limited(row) for row in rows if row["censoring"] != "stockout"), sum(row["censoring"] == "stockout" for row in rows)


def _limited(row: dict[str, Any]) -> LimitedWeek:
    asked = row["upper_units"] if row["censoring"] != "floor" else None
    return LimitedWeek(asked_units=asked, **{name: row[name] for name in LimitedWeek.__dataclass_fields__ if name != "asked_units"})
