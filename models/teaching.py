"""Orders capped on purpose, as one lesson: what each is seen with at its cap, and how much more it truly was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.cap_context import CappedOrders, describe_capped
from models.negative_binomial_family import NegativeBinomialSettings, RationedOrders
from models.orders import Orders
from models.recapping import free_skus, rationed_skus, recap_free_skus, recap_open_weeks
from models.retailer_sizes import RetailerSizes
from models.size_laws import RecoverySettings, laws_of_orders
from models.stacking import Flags, Floats, Integers

LEAST_TAUGHT = 2000
"""With fewer capped orders, of known size or at all where no size is known, nothing is learned."""

PARTS_OF_OPEN_WEEKS = 4
"""Open weeks are capped all at once, as those of a SKU that was never open, and a part at a time: then the others stay in view, as they are
of most orders really capped."""


@dataclass(frozen=True)
class Capping:
    """How orders are capped on purpose.

    Attributes
    ----------
    donors
        Rationed SKUs that lend their caps to each free SKU.
    max_orders
        Orders of free SKUs to cap at most.
    seed
        Of all drawing.
    """

    donors: int
    max_orders: int
    seed: int


@dataclass(frozen=True)
class Taught:
    """Capped orders of known size from all sources.

    Attributes
    ----------
    capped
        The orders at caps that were put on, described.
    true_excess
        Units beyond the cap (m,).
    sku
        As the given orders code it (m,).
    open_week
        Whether the order is of a rationed SKU in an open week rather than of a free SKU (m,).
    by_counts
        Excess by a negative binomial law, units (m,); None where it was not tried.
    """

    capped: CappedOrders
    true_excess: Floats
    sku: Integers
    open_week: Flags
    by_counts: Floats | None


def teach(
    orders: Orders, sizes: RetailerSizes, laws: RecoverySettings, capping: Capping, counts: NegativeBinomialSettings | None
) -> Taught | None:
    """Cap orders on purpose and describe those that reach their cap.

    Parameters
    ----------
    orders
        All orders, by week.
    sizes
        What retailers order of their SKUs, from the same orders.
    laws
        How the censored law of a pair is fitted.
    counts
        How the negative binomial law is; None leaves it out.

    Returns
    -------
    Taught or None
        None where there is too little to cap on purpose: no cap, everything capped always, or few orders.
    """
    rationed = rationed_skus(orders)
    if rationed.size == 0:
        return None
    rng = np.random.default_rng(capping.seed)
    copies = [recap_open_weeks(orders), *(recap_open_weeks(orders, part, PARTS_OF_OPEN_WEEKS) for part in range(PARTS_OF_OPEN_WEEKS))]
    if free_skus(orders).size > 0:
        copies.append(recap_free_skus(orders, rng, capping.donors, capping.max_orders))
    teaching = [copy for copy in copies if (copy.taught & copy.orders.at_cap).any()]
    if not teaching:
        return None
    own = [laws_of_orders(copy.orders, laws) for copy in teaching]
    described = [describe_capped(copy.orders, copy.source, sizes, law, copy.taught) for copy, law in zip(teaching, own, strict=True)]
    if sum(each.cap.size for each in described) < LEAST_TAUGHT:
        return None
    capped = CappedOrders(
        np.concatenate([each.position for each in described]),
        np.concatenate([each.row for each in described]),
        np.concatenate([each.cap for each in described]),
        np.concatenate([each.expected for each in described]),
        np.concatenate([each.never_open for each in described]),
        np.concatenate([each.features for each in described]),
        described[0].names,
    )
    parts = list(zip(teaching, own, described, strict=True))
    true_size = np.concatenate([copy.true_size[each.position] for copy, _, each in parts])
    sku = np.concatenate([copy.source[each.position] for copy, _, each in parts])
    by_counts = None
    if counts is not None:
        seen = [RationedOrders(copy.orders, copy.source, sizes, law) for copy, law, _ in parts]
        by_counts = np.concatenate([_counted(copy, each.position, counts) for copy, each in zip(seen, described, strict=True)])
    return Taught(capped, true_size - capped.cap, sku, np.isin(sku, rationed), by_counts)


def _counted(copy: RationedOrders, at: Integers, counts: NegativeBinomialSettings) -> Floats:
    """Return the excess at caps by a negative binomial law of the copy, which sees no true size."""
    return copy.fit(counts).excess(copy.describe(at), counts.boosting.threads)
