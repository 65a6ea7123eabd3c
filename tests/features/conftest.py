"""The statement that describes pairs, which takes a second to compile and is asked for by several files."""

from __future__ import annotations

from typing import Any

import pytest

from features.cells import with_true_units
from features.demand import pair_features
from features.pairs import ColdStart
from tests.cell_rows import AS_OF
from tests.statements import Statement

ATTRIBUTES = ("tier", "district", "category", "pack_units")
COLD_START = ColdStart(new_weeks=4, skus_per_retailer=2, retailers_per_sku=2)


@pytest.fixture(scope="session")
def described_pairs() -> Statement:
    """Pair features as of AS_OF of stored cells and stored estimates."""

    def build(cells: Any, recovered: Any, retailers: Any, skus: Any) -> Any:
        known = with_true_units(cells, recovered, AS_OF)
        return pair_features(known, retailers, skus, AS_OF, attributes=ATTRIBUTES, cold_start=COLD_START)

    return Statement(build, "cells", "recovered", "retailers", "skus")
