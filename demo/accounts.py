"""Where is the door of each shop, and who at the wholesaler looks after it?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from demo.licences import Licences
from demo.shops import DISTRICTS, Shops

STREETS = ("Bridge Street", "Market Street", "Mill Lane", "River Road", "School Road", "Station Road", "Temple Street", "Well Lane")
SURNAMES = ("Bai", "Chen", "Fang", "Guo", "He", "Jiang", "Liu", "Ma", "Sun", "Wu", "Xie", "Zhou")
"""One family name a district, so that a manager is told from those of other districts."""

SHOPS_PER_MANAGER = 100


@dataclass(frozen=True)
class Accounts:
    """What the register says of each shop besides its trade, arrays as long as there are shops.

    Attributes
    ----------
    address
        Street, number and district; a second licence at the same shop has the same.
    manager
        Position in ``managers``.
    managers
        User names.
    """

    address: NDArray[np.str_]
    manager: NDArray[np.int64]
    managers: tuple[str, ...]

    def columns(self, licences: Licences) -> dict[str, pa.Array]:
        """Return address and account_manager of each licence, by name."""
        names = np.array(self.managers)[self.manager]
        return {"address": pa.array(self.address[licences.shop]), "account_manager": pa.array(names[licences.shop])}


def draw_accounts(rng: np.random.Generator, shops: Shops) -> Accounts:
    """Draw the addresses and the account managers of the shops.

    Parameters
    ----------
    rng
        Source of randomness; moves on.
    shops
        Whose they are.

    Returns
    -------
    Accounts
        No two shops share an address; a manager has shops of one district only, about ``SHOPS_PER_MANAGER``.

    Examples
    --------
    >>> from datetime import date
    >>> from demo.shops import draw_shops
    >>> from demo.timeline import Timeline
    >>> shops = draw_shops(np.random.default_rng(1), 100, 22, Timeline(date(2025, 9, 28), 104))
    >>> accounts = draw_accounts(np.random.default_rng(1), shops)
    >>> len(set(accounts.address)), len(accounts.managers)
    (100, 12)
    """
    street, number = rng.integers(0, len(STREETS), shops.n), rng.permutation(shops.n) + 1
    address = [f"{STREETS[s]} {n}, {DISTRICTS[d]}" for s, n, d in zip(street, number, shops.district, strict=True)]
    names: list[str] = []
    manager = np.zeros(shops.n, dtype=np.int64)
    for district in range(len(DISTRICTS)):
        here = np.flatnonzero(shops.district == district)
        n_managers = max(1, round(len(here) / SHOPS_PER_MANAGER))
        manager[here] = len(names) + rng.integers(0, n_managers, len(here))
        names += [f"{SURNAMES[district]}.{chr(65 + place)}".lower() for place in range(n_managers)]
    return Accounts(np.array(address), manager, tuple(names))
