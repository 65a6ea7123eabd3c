"""Whether statements that were compiled once describe pairs and retailers as features compiled for that very Sunday do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import ibis
import numpy as np
import pyarrow as pa
import pytest

from contracts.cells import CELLS, RECOVERED
from contracts.raw import EVENTS, INTERACTIONS, RETAILERS, SKUS
from contracts.weeks import CHURN_HORIZONS, last_week
from features.cells import with_true_units
from features.churn import retailer_features
from features.demand import pair_features, sku_holidays
from features.moving_holidays import weeks_of_same_holiday
from features.pairs import ColdStart
from features.target_labels import target_labels
from features.targets import with_targets
from flows.churn_rows import fetch_labelled
from flows.country import with_calendar
from flows.demand_rows import KEY
from flows.opening import open_warehouse
from flows.pair_statements import country_holidays, fetch_described
from flows.settings import Calendar
from tests.small_county import EARLIER, ScoredCounty
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

ATTRIBUTES = ("tier", "district", "category")
SUNDAY, KNOWN = EARLIER + timedelta(weeks=4), EARLIER + timedelta(weeks=8)
"""In the eight weeks after the first one is the Mid-Autumn Festival."""


@pytest.fixture(scope="module")
def warehouse(county: ScoredCounty) -> Iterator[Warehouse]:
    with open_warehouse(county.place.settings) as con:
        yield con


def test_pairs_and_what_came_are_those_of_features_of_that_sunday(county: ScoredCounty, warehouse: Warehouse) -> None:
    settings = with_calendar(county.place.settings, Calendar(country="CN", subdivision="", moving_holidays=[]))
    cells, recovered, retailers, skus = (contract_table(described) for described in (CELLS, RECOVERED, RETAILERS, SKUS))
    known = with_true_units(cells, recovered, SUNDAY)
    weeks = weeks_of_same_holiday(SUNDAY, country_holidays(settings))
    assert weeks
    described = pair_features(
        known,
        retailers,
        skus,
        SUNDAY,
        attributes=ATTRIBUTES,
        cold_start=ColdStart(**settings.cold_start.model_dump()),
        holidays=sku_holidays(known, skus, ATTRIBUTES, weeks),
    )
    expected = fetch(warehouse, with_targets(described, with_true_units(cells, recovered, KNOWN), SUNDAY, "target").order_by(*KEY))
    found = fetch_described(warehouse, settings, SUNDAY, ATTRIBUTES, known=KNOWN, targets=("target",))
    assert found.num_rows > 1000
    assert_same(found, expected)


def test_retailers_and_their_outcomes_are_those_of_features_of_that_sunday(warehouse: Warehouse) -> None:
    cells, recovered, retailers, skus, interactions, events = (
        contract_table(described) for described in (CELLS, RECOVERED, RETAILERS, SKUS, INTERACTIONS, EVENTS)
    )
    known = with_true_units(cells, recovered, SUNDAY)
    features = retailer_features(known, retailers, skus, interactions, SUNDAY, attributes=["tier", "district"], events=events)
    labels = target_labels(cells, with_true_units(cells, recovered, KNOWN), retailers, skus, SUNDAY, CHURN_HORIZONS, last_week(KNOWN))
    rows = labels.join(features, "retailer_id").mutate(as_of=ibis.literal(SUNDAY)).order_by("retailer_id", "horizon_weeks")
    found = pa.Table.from_pandas(fetch_labelled(warehouse, [SUNDAY], KNOWN, ["tier", "district"]), preserve_index=False)
    assert set(found["horizon_weeks"].to_pylist()) == {4}
    assert_same(found, pa.Table.from_pandas(fetch(warehouse, rows).to_pandas(), preserve_index=False))


def assert_same(found: pa.Table, expected: pa.Table) -> None:
    """Compare rows; the sums of threads may differ in their last digit."""
    assert found.column_names == expected.column_names
    for name in expected.column_names:
        if pa.types.is_floating(expected[name].type):
            np.testing.assert_allclose(found[name].to_numpy(), expected[name].to_numpy(), rtol=1e-6, err_msg=name)
        else:
            assert found[name].equals(expected[name]), name
