"""What does the churn model see of each active retailer, as of a cut-off?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import ibis

from contracts.errors import UsageError
from contracts.weeks import require_sunday
from features.catalogue import Feature
from features.churn_competitors import COMPETITOR_FEATURES, competitors
from features.churn_contacts import CONTACT_FEATURES, COUNTS, contacts
from features.churn_district import DISTRICT_FEATURES, districts, quarters_activity
from features.churn_history import RHYTHM_FEATURES, retailer_weeks, rhythm
from features.churn_nearby import NEARBY_FEATURES, nearby
from features.churn_population import active_retailers
from features.churn_range import RANGE_FEATURES, sku_range
from features.churn_rationing import RATIONING_FEATURES, rationing
from features.churn_season import SEASON_FEATURES, season
from features.churn_volume import VOLUME_FEATURES, volume

CHURN_FEATURES: tuple[Feature, ...] = (
    *RHYTHM_FEATURES,
    *VOLUME_FEATURES,
    *SEASON_FEATURES,
    *RANGE_FEATURES,
    *RATIONING_FEATURES,
    *CONTACT_FEATURES,
    *NEARBY_FEATURES,
)
"""The features that need no attribute of the register, in the order of the columns; those of a place are null where coordinates are."""

ATTRIBUTE_FEATURES = (
    Feature("district", "sales district", "shop"),
    Feature("area", "urban, rural, …", "shop"),
    Feature("channel", "kind of shop", "shop"),
    Feature("tier", "supply tier", "shop"),
    Feature("floating_population", "people passing by", "shop"),
    Feature("consumption_level", "spending power of the neighbourhood", "shop"),
)
"""Attributes of the register that may be used where it is complete."""

TEXT_ATTRIBUTES = ("district", "area", "channel", "tier")


def churn_features(attributes: Sequence[str] = ()) -> tuple[Feature, ...]:
    """Return the features in the order of the columns, given the attributes that are complete.

    Parameters
    ----------
    attributes
        Names out of ATTRIBUTE_FEATURES. A register of a later year lacks the shops that are gone, so an
        incomplete attribute tells who survived; the caller leaves such columns out.

    Raises
    ------
    UsageError
        For an attribute that is not known.

    Examples
    --------
    >>> [feature.name for feature in churn_features(["tier"])][-2:]
    ['nearby_silent_share', 'tier']
    >>> [feature.name for feature in churn_features(["district"])][-4:]
    ['district_silent_share', 'district_trend_13w', 'weeks_since_competitor', 'district']
    """
    known = {feature.name: feature for feature in ATTRIBUTE_FEATURES}
    unknown = [name for name in attributes if name not in known]
    if unknown:
        raise UsageError(
            f"retailers.{unknown[0]}: not an attribute of the churn model, {len(unknown)} such; expected one of {', '.join(known)}",
            hint="leave it out, or add it to ATTRIBUTE_FEATURES",
        )
    neighbours = (*DISTRICT_FEATURES, *COMPETITOR_FEATURES) if "district" in attributes else ()
    return CHURN_FEATURES + neighbours + tuple(known[name] for name in attributes)


def retailer_features(
    demand_cells: ibis.Table,
    retailers: ibis.Table,
    skus: ibis.Table,
    interactions: ibis.Table,
    as_of: date,
    *,
    attributes: Sequence[str] = (),
    events: ibis.Table | None = None,
) -> ibis.Table:
    """Return the features of each retailer that is active as of a cut-off; nothing later is read.

    Parameters
    ----------
    demand_cells
        Retailer-SKU-weeks with ``true_units``; sparse.
    retailers, skus, interactions
        Contract tables; may be empty or full of nulls.
    as_of
        The Sunday that ends the last known week.
    attributes
        Columns of ``retailers`` that are complete and may be used; see `churn_features`.
    events
        Days that move demand, by district; None where none are kept, which leaves weeks_since_competitor unknown.

    Returns
    -------
    ibis.Table
        One row per active retailer: retailer_id, then the columns of ``churn_features(attributes)``;
        numbers are float64, text attributes are text, unknown is null.

    Raises
    ------
    UsageError
        If ``as_of`` is not a Sunday, or an attribute is not known.
    """
    require_sunday(as_of)
    features = churn_features(attributes)
    weeks = retailer_weeks(demand_cells, as_of)
    activity = quarters_activity(demand_cells, weeks, retailers, as_of)
    rows = active_retailers(demand_cells, retailers, as_of)
    parts = (
        (rhythm(weeks, as_of), RHYTHM_FEATURES),
        (volume(weeks, as_of), VOLUME_FEATURES),
        (season(weeks, as_of), SEASON_FEATURES),
        (sku_range(demand_cells, skus, as_of), RANGE_FEATURES),
        (rationing(demand_cells, as_of), RATIONING_FEATURES),
        (contacts(interactions, as_of), CONTACT_FEATURES),
        (nearby(activity, weeks, retailers), NEARBY_FEATURES),
    )
    for part, part_features in parts:
        rows = _with(rows, part.select("retailer_id", *(feature.name for feature in part_features)))
    rows = rows.mutate(**{name: ibis.coalesce(rows[name], 0) for name in COUNTS})
    if attributes:
        rows = _with(rows, retailers.select("retailer_id", *attributes))
    if "district" in attributes:
        around = districts(activity, retailers)
        rows = rows.left_join(around, rows.district == around.neighbours_of)
        rows = _with_competitors(rows, retailers, events, as_of)
    numbers = {f.name: rows[f.name] if f.name in TEXT_ATTRIBUTES else rows[f.name].cast("float64") for f in features}
    return rows.select("retailer_id", **numbers)


def _with_competitors(rows: ibis.Table, retailers: ibis.Table, events: ibis.Table | None, as_of: date) -> ibis.Table:
    """The rows with COMPETITOR_FEATURES."""
    if events is None:
        return rows.mutate(**{feature.name: ibis.null("float64") for feature in COMPETITOR_FEATURES})
    near = competitors(events, retailers, as_of)
    return rows.left_join(near, rows.district == near.tempted_in)


def _with(rows: ibis.Table, part: ibis.Table) -> ibis.Table:
    """The rows with the columns of a part; a retailer the part does not know gets nulls."""
    return rows.left_join(part, "retailer_id").drop("retailer_id_right")
