"""What the demand model sees of a retailer-SKU pair as of a cut-off: one row per pair, from one pass over the sparse cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import ibis
import ibis.expr.types as ir

from contracts.weeks import HORIZONS
from features.attributes import ATTRIBUTES, CATEGORICAL_ATTRIBUTES, known_retailers, known_skus
from features.calendar import CALENDAR_FEATURES
from features.catalogue import Feature
from features.holiday_season import holiday_seasons, holiday_units
from features.newcomers import (
    NEWCOMER_FEATURES,
    category_units,
    newcomer_values,
    open_from_horizon,
    open_until_horizon,
    young_skus,
)
from features.pair_history import LAGS, pair_history
from features.pairs import ColdStart, forecast_pairs
from features.rhythm import RHYTHM_FEATURES, RHYTHM_SEASON_FEATURES, parity_share, retailer_rhythms
from features.rollups import WEEKS_AROUND_YEAR_BEFORE, attach, ratio, reach_weeks, roll_up
from features.windows import WINDOWS, weeks_since

GROUPS = {
    "sku": (("sku_id",), "the SKU over all retailers"),
    "retailer": (("retailer_id",), "the retailer over all SKUs"),
    "tier_sku": (("tier", "sku_id"), "the SKU over the retailers of the tier"),
    "district": (("district",), "the sales district"),
    "category": (("category",), "the SKU's category"),
    "total": ((), "all orders"),
}
"""Groups whose level and trend a pair is seen in, with their keys."""

SEASONAL_GROUPS = ("sku", "category", "total")
ORDER_RATE_WINDOWS = (8, 13, 26, 52)

_PAIR = "the pair's history"
PAIR_FEATURES = (
    *(Feature(f"mean_{w}w", f"mean true demand over the open ones of the last {w} weeks, units a week", _PAIR) for w in WINDOWS),
    *(Feature(f"order_rate_{w}w", f"share of the open ones of the last {w} weeks with an order", _PAIR) for w in ORDER_RATE_WINDOWS),
    *(Feature(f"units_{ago}_ago", f"true demand {ago} weeks before the last known week, units", _PAIR) for ago in LAGS),
    Feature("weeks_since_order", "weeks since the last order of the SKU", _PAIR),
    Feature("weeks_since_first_order", "weeks since the first order of the SKU", _PAIR),
    Feature("gap_weeks", "mean weeks between orders of the SKU over a year", _PAIR),
    Feature("silence_in_gaps", "weeks since the last order over the mean gap between orders", _PAIR),
    Feature("mean_order_units", "mean size of an order of the SKU over a year, units", _PAIR),
    Feature("order_units_spread", "standard deviation over mean of the order sizes of a year", _PAIR),
    Feature("largest_order_units", "largest order of a year, units", _PAIR),
    Feature("cap_hit_rate_26w", "share of the orders of 26 weeks that reached a cap", "rationing"),
    Feature("unmet_share_26w", "share of the true demand of 26 weeks that was not delivered", "rationing"),
    Feature("closed_share_8w", "share of the last 8 weeks in which nothing could be ordered", "rationing"),
    Feature("paid_unit_price", "money paid per unit over a year", "money"),
    *NEWCOMER_FEATURES,
)

GROUP_FEATURES = (
    *(
        Feature(f"{group}_{name}", text.format(whose), group)
        for group, (_, whose) in GROUPS.items()
        for name, text in (
            ("trend_4w", "last 4 weeks against the last 13 of {}, 1 is no change"),
            ("trend_13w", "last 13 weeks against the last 52 of {}, 1 is no change"),
        )
    ),
    *(
        Feature(f"{group}_cap_hit_rate_26w", f"share of the orders of 26 weeks that reached a cap, of {GROUPS[group][1]}", "rationing")
        for group in ("sku", "retailer")
    ),
    Feature("sku_closed_share_4w", "share of the last 4 weeks in which the SKU could not be ordered", "rationing"),
    Feature("sku_weeks_since_first_order", "weeks since the first order of the SKU by anybody who ordered it in the last year", "sku"),
    Feature("sku_pairs_13w", "retailers that ordered the SKU in 13 weeks", "sku"),
    Feature("retailer_skus_13w", "SKUs the retailer ordered in 13 weeks", "retailer"),
    Feature("retailer_units_13w", "true demand of the retailer over 13 weeks, units", "retailer"),
    Feature("retailer_weeks_since_order", "weeks since the retailer last ordered anything", "retailer"),
    Feature(
        "retailer_weeks_since_first_order",
        "weeks since the retailer's first order of anything that it ordered in the last year",
        "retailer",
    ),
    Feature("tier_sku_order_rate_13w", "share of the weeks with an order of the SKU among the tier's retailers", "tier_sku"),
    *RHYTHM_FEATURES,
)

SEASON_FEATURES = (
    Feature("units_year_before", "mean true demand in the three weeks around the target week a year before, units a week", "season"),
    *(
        Feature(
            f"{group}_season", f"the weeks around the target week a year before against that year's mean, of {GROUPS[group][1]}", "season"
        )
        for group in SEASONAL_GROUPS
    ),
    *(
        Feature(
            f"{group}_holiday",
            f"the week of the same moving holiday last year against the 13 weeks to both sides of it, of {GROUPS[group][1]}",
            "season",
        )
        for group in SEASONAL_GROUPS
    ),
    *RHYTHM_SEASON_FEATURES,
)
"""These have a column per horizon, ``{name}_{h}``, of which a model takes the one of the week it forecasts."""

DEMAND_FEATURES = (
    *PAIR_FEATURES,
    *GROUP_FEATURES,
    *SEASON_FEATURES,
    *CALENDAR_FEATURES,
    Feature("horizon_weeks", "weeks from the last known week to the target week, 1 to 8", "calendar"),
    *ATTRIBUTES,
)
"""All a demand model can see; attributes only where they are given for nearly everybody."""


def pair_features(
    demand_cells: ir.Table,
    retailers: ir.Table,
    skus: ir.Table,
    as_of: date,
    *,
    attributes: Sequence[str],
    cold_start: ColdStart,
    holidays: ir.Table | None = None,
) -> ir.Table:
    """Describe every pair to forecast as of a Sunday.

    Parameters
    ----------
    demand_cells
        Cells with ``true_units`` up to ``as_of`` (``features.cells.with_true_units``).
    retailers, skus
        The raw registers; may be empty.
    attributes
        Names of the attributes that may be seen, of ``features.attributes``.
    cold_start
        Who counts as new.
    holidays
        As ``sku_holidays`` gives it; None where no moving holiday reaches a target week.

    Returns
    -------
    ibis.Table
        One row per pair: ``retailer_id``, ``sku_id``, ``method``, ``open_from_horizon`` (nothing can be ordered in the target weeks
        before it: the retailer opens or the SKU is launched later), ``open_until_horizon`` (nor in those after it: the SKU is delisted),
        the columns of ``PAIR_FEATURES`` and ``GROUP_FEATURES``, ``{name}_{h}`` of ``SEASON_FEATURES`` for each horizon, and all
        ``ATTRIBUTES`` (blank where not to be seen). Nothing after ``as_of`` counts.
    """
    shops = known_retailers(demand_cells, retailers, attributes)
    products = known_skus(demand_cells, skus, attributes)
    history = pair_history(demand_cells, as_of)
    placed = history.join(shops.select("retailer_id", "tier", "district"), "retailer_id").join(
        products.select("sku_id", "category"), "sku_id"
    )
    pairs = forecast_pairs(history, shops, products, as_of, cold_start)
    rows = pairs.join(shops.drop("closed_on"), "retailer_id").join(products, "sku_id")
    rows = attach(rows, history, ["retailer_id", "sku_id"])
    groups = {group: _rolled_up(placed, group, as_of) for group in GROUPS}
    groups["total"] = attach(groups["total"], young_skus(groups["sku"]), ())
    for group, (keys, _) in GROUPS.items():
        rows = attach(rows, groups[group], keys)
    rows = attach(rows, roll_up(placed, ("tier",), "tier", as_of).select("tier", "tier_units_13w", "tier_retailers_13w"), ("tier",))
    rows = attach(rows, category_units(placed), ("retailer_id", "category"))
    rows = attach(rows, retailer_rhythms(demand_cells, as_of), ("retailer_id",))
    rows = rows.mutate(**_unreached()) if holidays is None else attach(rows, holidays, ("sku_id",))
    span = {"open_from_horizon": open_from_horizon(rows, as_of), "open_until_horizon": open_until_horizon(rows, as_of)}
    return rows.select("retailer_id", "sku_id", "method", **span, **_features(rows, as_of))


def _rolled_up(placed: ir.Table, group: str, as_of: date) -> ir.Table:
    """A group's sums, without the seasons that nobody reads: each column costs time in every join that follows."""
    rolled = roll_up(placed, GROUPS[group][0], group, as_of)
    return rolled if group in SEASONAL_GROUPS else rolled.drop(*(f"{group}_season_{horizon}" for horizon in HORIZONS))


def sku_holidays(demand_cells: ir.Table, skus: ir.Table, attributes: Sequence[str], weeks: Mapping[int, date]) -> ir.Table:
    """Say of each SKU what the same moving holiday did last year to it, to its category and to everything.

    Parameters
    ----------
    demand_cells, skus, attributes
        As `pair_features` takes them.
    weeks
        By horizon, the Monday of last year's week (``features.moving_holidays.weeks_of_same_holiday``).

    Returns
    -------
    ibis.Table
        One row per SKU that was ordered or is registered: ``sku_id`` and ``{group}_holiday_{h}`` for each horizon, null where no holiday
        reaches.
    """
    by_sku = known_skus(demand_cells, skus, attributes).select("sku_id", "category")
    units = holiday_units(demand_cells, weeks).join(by_sku, "sku_id")
    for group in SEASONAL_GROUPS:
        keys = GROUPS[group][0]
        by_sku = attach(by_sku, holiday_seasons(units, keys, group, weeks), keys)
    return by_sku.select("sku_id", *_unreached())


def no_holidays(skus: ir.Table) -> ir.Table:
    """Return the columns of `sku_holidays` without a row: no moving holiday reaches a target week."""
    return skus.filter(ibis.literal(False)).select(skus.sku_id.cast("string").name("sku_id"), **_unreached())


def _unreached() -> dict[str, ir.Value]:
    return {f"{group}_holiday_{horizon}": ibis.null("float64") for group in SEASONAL_GROUPS for horizon in HORIZONS}


def _features(rows: ir.Table, as_of: date) -> dict[str, ir.Value]:
    derived = _pair_values(rows, as_of) | {name: rows[name] for name in (f.name for f in GROUP_FEATURES)}
    for horizon in HORIZONS:
        seen = weeks_since(rows.first_week, as_of) + 1.0 > reach_weeks(horizon)
        around = rows[f"units_year_before_{horizon}"] / WEEKS_AROUND_YEAR_BEFORE
        derived[f"units_year_before_{horizon}"] = ibis.ifelse(seen, around, ibis.null("float64"))
        for group in SEASONAL_GROUPS:
            derived[f"{group}_season_{horizon}"] = rows[f"{group}_season_{horizon}"]
            derived[f"{group}_holiday_{horizon}"] = rows[f"{group}_holiday_{horizon}"]
        for name in ("rhythm_phase", "due_share"):
            derived[f"{name}_{horizon}"] = rows[f"{name}_{horizon}"]
        derived[f"pair_parity_share_{horizon}"] = parity_share(rows.even_26w, rows.orders_26w, horizon)
    numbers = {name: value.cast("float32") for name, value in derived.items()}
    texts = {f.name: rows[f.name] if f.name in CATEGORICAL_ATTRIBUTES else rows[f.name].cast("float32") for f in ATTRIBUTES}
    return numbers | texts


def _pair_values(rows: ir.Table, as_of: date) -> dict[str, ir.NumericValue]:
    age = weeks_since(rows.first_week, as_of) + 1.0
    values: dict[str, ir.NumericValue] = {}
    for weeks in WINDOWS:
        open_weeks = ibis.greatest(ibis.least(age, float(weeks)) - rows[f"closed_{weeks}w"], 0.0)
        values[f"mean_{weeks}w"] = ratio(rows[f"units_{weeks}w"], open_weeks)
        if weeks in ORDER_RATE_WINDOWS:
            values[f"order_rate_{weeks}w"] = ratio(rows[f"orders_{weeks}w"], open_weeks)
    silence = weeks_since(rows.last_week, as_of)
    gap = ratio(rows.last_week.delta(rows.first_week_52w, unit="day").cast("float64") / 7.0, rows.orders_52w - 1.0)
    mean_order = ratio(rows.units_52w, rows.orders_52w)
    mean_square = ratio(rows.square_units_52w, rows.orders_52w)
    variance = mean_square - mean_order * mean_order
    # of equal orders only rounding is left, another one in each run, and a tree tells it from 0
    variance = ibis.ifelse(variance > ROUNDING * mean_square, variance, 0.0)
    values |= {f"units_{ago}_ago": rows[f"units_{ago}_ago"] for ago in LAGS}
    return values | {
        "weeks_since_order": silence,
        "weeks_since_first_order": age - 1.0,
        "gap_weeks": gap,
        "silence_in_gaps": ratio(silence, gap),
        "mean_order_units": mean_order,
        "order_units_spread": ratio(variance.sqrt(), mean_order),
        "largest_order_units": rows.largest_52w,
        "cap_hit_rate_26w": ratio(rows.capped_26w, rows.orders_26w),
        "unmet_share_26w": ratio(rows.unmet_26w, rows.units_26w),
        "closed_share_8w": rows.closed_8w / 8.0,
        "paid_unit_price": ratio(rows.amount_52w, rows.priced_units_52w),
        **newcomer_values(rows, as_of),
    }


ROUNDING = 1e-12
"""A variance that is no larger a share of the mean square is none."""
