"""Whether a county is trained and scored in which, of the last eight weeks, nobody ordered in one and nobody could in another."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from mlflow import MlflowClient

from contracts.weeks import HORIZONS, last_week
from flows.registry import logged_text
from flows.score import score
from flows.tracking import DEMAND_MODEL
from flows.train import train
from tests.small_county import AS_OF, Place, ScoredCounty, copy_place

SILENT, CLOSED = (last_week(AS_OF) - timedelta(weeks=ago) for ago in (5, 2))
"""Mondays of the week in which nobody ordered, though everything was there, and of that in which there was nothing."""


@pytest.fixture(scope="module")
def closed_county(county: ScoredCounty, tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = copy_place(county.place, tmp_path_factory.mktemp("closed") / "copy")
    for monday in (SILENT, CLOSED):
        ordered = f"ordered_on BETWEEN DATE '{monday}' AND DATE '{monday + timedelta(days=6)}'"
        place.rows(f"DELETE FROM raw.order_lines WHERE {ordered} RETURNING 1")
    place.rows(f"DELETE FROM raw.supply WHERE week_start = DATE '{CLOSED}' RETURNING 1")
    place.rows(f"INSERT INTO raw.supply (sku_id, week_start, available_units) SELECT sku_id, DATE '{CLOSED}', 0 FROM raw.skus RETURNING 1")
    train(place.settings, AS_OF)
    score(place.settings, AS_OF)
    return place


def newest_run(place: Place) -> str:
    store = MlflowClient(tracking_uri=place.settings.tracking.uri, registry_uri=place.settings.tracking.uri)
    newest = max(store.search_model_versions(f"name='{DEMAND_MODEL}'"), key=lambda version: int(version.version))
    return str(newest.run_id)


def test_a_week_without_demand_has_no_error_and_stops_no_training(closed_county: Place) -> None:
    logged = logged_text(closed_county.settings, newest_run(closed_county), "sku_wape_by_horizon.json")
    assert logged is not None
    losses = json.loads(logged)["model"]
    assert [horizon for horizon, loss in zip(HORIZONS, losses, strict=True) if loss is None] == [3, 6]
    assert all(0 < loss < 1000 for loss in losses if loss is not None)


def test_totals_are_published_though_no_pair_knows_all_of_the_weeks(closed_county: Place) -> None:
    totals = closed_county.rows(f"SELECT * FROM scored.demand_forecast_total WHERE as_of = DATE '{AS_OF}'")
    pairs = closed_county.rows(f"SELECT DISTINCT retailer_id, sku_id FROM scored.demand_forecast WHERE as_of = DATE '{AS_OF}'")
    assert len(totals) == len(pairs) > 1000
    assert (totals.high80_units >= totals.low80_units).all()
    assert totals.high80_units.sum() > totals.mean_units.sum()
