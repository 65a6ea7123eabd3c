"""All three targets of a cut-off side by side: lost within each horizon, and on the rows of 13 weeks decline and category loss."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import ibis
import ibis.expr.types as ir

from contracts.churn_targets import CATEGORY_LOSS_WEEKS, DECLINE_WEEKS
from features.category_loss import category_losses
from features.churn_labels import churn_labels
from features.decline_labels import decline_labels

COLUMNS = ("retailer_id", "horizon_weeks", "no_order", "ordered_again_26w", "void_from", "declines", "loses_category")


def target_labels(
    cells: ir.Table,
    demand_cells: ir.Table,
    retailers: ir.Table,
    skus: ir.Table,
    as_of: date,
    horizons: Sequence[int],
    last_known_week: date,
) -> ir.Table:
    """Return what became of each retailer active as of a cut-off.

    Parameters
    ----------
    cells
        Retailer-SKU-weeks; those after ``last_known_week`` do not count.
    demand_cells
        The same with ``true_units`` as of ``last_known_week``.
    retailers, skus
        The registers; may be empty.
    as_of
        The Sunday that ends the last week the features know.
    horizons
        Lengths of the windows, weeks.
    last_known_week
        Monday of the newest week that may be known.

    Returns
    -------
    ibis.Table
        One row per retailer and horizon, as of `churn_labels`: COLUMNS, described in ``contracts.churn_targets``. Numbers are 1.0 or 0.0;
        null is: not asked of it, not known, or not this horizon.

    Raises
    ------
    UsageError
        If ``as_of`` is not a Sunday.
    """
    labels = churn_labels(cells, retailers, as_of, horizons, last_known_week)
    declines = decline_labels(cells, demand_cells, _asked(labels, DECLINE_WEEKS), as_of)
    losses = category_losses(cells, skus, _asked(labels, CATEGORY_LOSS_WEEKS), as_of)
    parts = (
        declines.select("retailer_id", "declines", horizon_weeks=ibis.literal(DECLINE_WEEKS, "int64")),
        losses.select("retailer_id", "loses_category", horizon_weeks=ibis.literal(CATEGORY_LOSS_WEEKS, "int64")),
    )
    for part in parts:
        labels = labels.left_join(part, ["retailer_id", "horizon_weeks"]).drop("retailer_id_right", "horizon_weeks_right")
    return labels.select(*COLUMNS)


def _asked(labels: ir.Table, weeks: int) -> ir.Table:
    return labels.filter(labels.horizon_weeks == weeks).select("retailer_id", "no_order")
