"""Whose holidays count: what is set comes first, then what the orders tell, and a model keeps what it was taught."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts.errors import ConfigurationError
from contracts.scored import DEMAND_FORECAST
from features.holiday_country import days_off
from flows.country import as_trained, calendar_of, save_calendar, taught_calendar, with_calendar
from flows.demand_forecasts import forecast_pairs
from flows.load import load
from flows.model_choice import find_models
from flows.opening import open_warehouse
from flows.settings import Calendar, Settings, read_settings
from flows.tracking import model_folder
from tests.small_county import AS_OF as AS_OF_COUNTY
from tests.small_county import ScoredCounty

FIRST = date(2018, 1, 1)
MONDAYS = tuple(FIRST + timedelta(weeks=week) for week in range(110))
AS_OF = MONDAYS[-1] + timedelta(days=6)


@pytest.fixture
def american(tmp_path: Path) -> Settings:
    """Forty retailers of which nine in ten order in a week, and three in ten where it has a public holiday."""
    settings = read_settings(
        environment={"UNCAP_WAREHOUSE_URL": str(tmp_path / "warehouse.duckdb"), "UNCAP_TRACKING_URI": str(tmp_path / "mlruns")}
    )
    random = np.random.default_rng(1)
    stay = [random.random(40) < (0.3 if days else 0.9) for days in days_off("US", MONDAYS)]
    rows = [(f"R{number}", monday) for monday, orders in zip(MONDAYS, stay, strict=True) for number in np.flatnonzero(orders)]
    tables = tmp_path / "input"
    tables.mkdir()
    lines = {
        "line_id": [f"L{number}" for number in range(len(rows))],
        "retailer_id": [retailer for retailer, _ in rows],
        "sku_id": ["S"] * len(rows),
        "ordered_on": pa.array([monday for _, monday in rows], pa.date32()),
        "delivered_units": [1] * len(rows),
    }
    pq.write_table(pa.table(lines), tables / "order_lines.parquet")
    retailers = {"retailer_id": [f"R{number}" for number in range(40)], "tier": ["T1"] * 40}
    pq.write_table(pa.table(retailers), tables / "retailers.parquet")
    pq.write_table(pa.table({"sku_id": ["S"]}), tables / "skus.parquet")
    load(settings, tables)
    return settings


def test_the_country_comes_from_the_orders_and_is_told(american: Settings) -> None:
    told: list[str] = []
    with open_warehouse(american) as con:
        found = calendar_of(con, american, AS_OF, told.append)
        too_early = calendar_of(con, american, MONDAYS[40] + timedelta(days=6), told.append)

    assert found == Calendar(country="US", subdivision="", moving_holidays=[])
    assert too_early.country == "CN"
    assert told[0].startswith("public holidays of US: for each of them ")
    assert told[1].startswith("public holidays of CN, as no country's evidently keep retailers from ordering")


def test_a_country_that_is_set_is_not_doubted(american: Settings) -> None:
    german = Calendar(country="DE", subdivision="BY", moving_holidays=[])
    with open_warehouse(american) as con:
        assert calendar_of(con, with_calendar(american, german), AS_OF) == german


def test_a_model_keeps_the_calendar_that_it_was_taught(american: Settings, tmp_path: Path) -> None:
    taught = Calendar(country="US", subdivision="IA", moving_holidays=["Thanksgiving Day"])
    save_calendar(taught, tmp_path)

    told: list[str] = []
    assert as_trained(american, tmp_path, told.append).calendar == taught
    assert not told
    german = with_calendar(american, Calendar(country="DE", subdivision="", moving_holidays=[]))
    assert as_trained(german, tmp_path, told.append).calendar == taught
    assert told == ["warning: calendar: the model was trained with the holidays of US, not as is set now; train again to change that"]


@pytest.mark.parametrize(("was_set", "expected"), [("", "CN"), ("DE", "DE")])
def test_a_model_of_an_earlier_version_was_taught_what_was_set(american: Settings, tmp_path: Path, was_set: str, expected: str) -> None:
    earlier = with_calendar(american, american.calendar.model_copy(update={"country": was_set}))

    assert as_trained(earlier, tmp_path / "nothing").calendar.country == expected


def test_a_subdivision_without_a_country_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "site.toml"
    config.write_text('[calendar]\nsubdivision = "IA"\n')

    with pytest.raises(ConfigurationError, match="subdivision or moving_holidays without a country"):
        read_settings(config, environment={})


def test_scoring_takes_the_calendar_of_the_training_whatever_is_set_now(county: ScoredCounty) -> None:
    settings = county.place.settings
    demand, _ = find_models(settings, AS_OF_COUNTY)
    taught = taught_calendar(settings, model_folder(settings, demand))
    assert taught == Calendar(country="CN", subdivision="", moving_holidays=[])
    told: list[str] = []
    with open_warehouse(settings) as con:
        as_published = forecast_pairs(con, settings, AS_OF_COUNTY, demand, "again", told.append)
        under_others = forecast_pairs(
            con, with_calendar(settings, taught.model_copy(update={"country": "US"})), AS_OF_COUNTY, demand, "again", told.append
        )

    assert under_others[DEMAND_FORECAST].equals(as_published[DEMAND_FORECAST])
    assert any(line.startswith("warning: calendar: the model was trained with the holidays of CN") for line in told)
