"""Which retailers' value class or supply tier do people set by hand, and who agreed to it?"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from contracts.raw import SEGMENT_OVERRIDES
from demo.accounts import Accounts
from demo.licences import Licences
from demo.shops import TIERS, Shops
from demo.timeline import Timeline

OVERRIDDEN_SHARE, FEWEST = 0.01, 8
"""Share of the licences with an override, and how many there are at least."""

PROPOSED_WITHIN_DAYS = 180
WAITING_SHARE = 0.25
"""Share of the overrides that nobody has approved yet."""

EAGER_SHARE = 0.4
"""Share of the overrides that one account manager proposed: a cluster that an audit should find."""

APPROVERS = ("head.of.sales", "supply.planning")
REASONS = (
    "new school next door, sales to rise",
    "owner takes over a second shop",
    "pilot of a new display",
    "delivered to a wedding hall for a season",
    "promised at the last visit",
)
CLASSES = ("key", "major", "ordinary")


def segment_overrides_table(rng: np.random.Generator, shops: Shops, licences: Licences, accounts: Accounts, weeks: Timeline) -> pa.Table:
    """Return ``raw.segment_overrides``, ordered by day: proposed by account managers, approved by others or waiting.

    Every fourth sets the value class, the others the supply tier one above the present one; all hold for three to nine months.
    """
    shop, n = licences.shop, max(FEWEST, round(OVERRIDDEN_SHARE * len(licences.shop)))
    trading = np.flatnonzero((licences.begin < weeks.n_weeks - 26) & (licences.end >= weeks.n_weeks) & (shops.tier[shop] < len(TIERS) - 1))
    chosen = _clustered(rng, trading, accounts.manager[shop], n)
    proposed = np.datetime64(weeks.as_of) - rng.integers(0, PROPOSED_WITHIN_DAYS, n)
    approved = np.minimum(proposed + rng.integers(0, 10, n), np.datetime64(weeks.as_of))
    waiting = np.arange(n) % round(1 / WAITING_SHARE) == 1
    of_class = np.arange(n) % 4 == 0
    tier = np.array(TIERS)[shops.tier[shop[chosen]] + 1]
    order = np.argsort(proposed, kind="stable")
    columns = {
        "override_id": pa.array([f"O{number:04d}" for number in range(1, n + 1)]),
        "retailer_id": licences.ids.take(pa.array(chosen[order])),
        "attribute": pa.array(np.where(of_class, "value_class", "suggested_tier")[order]),
        "value": pa.array(np.where(of_class, rng.choice(CLASSES, n), tier)[order]),
        "reason": pa.array(rng.choice(REASONS, n)[order]),
        "proposed_by": pa.array(np.array(accounts.managers)[accounts.manager[shop[chosen]]][order]),
        "proposed_on": pa.array(proposed[order]),
        "approved_by": pa.array(rng.choice(APPROVERS, n)[order], mask=waiting[order]),
        "approved_on": pa.array(np.where(waiting, np.datetime64("NaT", "D"), approved)[order]),
        "expires_on": pa.array((proposed + rng.integers(90, 270, n))[order]),
    }
    return pa.table(columns, schema=SEGMENT_OVERRIDES.arrow_schema)


def _clustered(rng: np.random.Generator, licences: NDArray[np.int64], manager: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Different licences, ``EAGER_SHARE`` of them of the manager that has most."""
    eager = np.bincount(manager[licences]).argmax()
    own = rng.permutation(licences[manager[licences] == eager])[: round(EAGER_SHARE * n)]
    others = rng.permutation(licences[manager[licences] != eager])[: n - len(own)]
    return rng.permutation(np.concatenate([own, others]))
