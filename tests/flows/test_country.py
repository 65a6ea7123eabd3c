"""Whose holidays count: what is set comes first, then what the orders tell, and a model keeps what it was taught."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts.errors import ConfigurationError
from features.holiday_country import days_off
from flows.country import as_trained, calendar_of, save_calendar, with_calendar
from flows.load import load
from flows.opening import open_warehouse
from flows.settings import Calendar, Settings, read_settings

FIRST = date(2018, 1, 1)
MONDAYS = tuple(FIRST + timedelta(weeks=week) for week in range(110))
AS_OF = MONDAYS[-1] + timedelta(days=6)


@pytest.fixture
def american(tmp_path: Path) -> Settings:
    """Ten retailers that order weekly; on each public holiday of the week one more of them does not."""
    settings = read_settings(
        environment={"UNCAP_WAREHOUSE_URL": str(tmp_path / "warehouse.duckdb"), "UNCAP_TRACKING_URI": str(tmp_path / "mlruns")}
    )
    stay = [10 - 2 * int(days) for days in days_off("US", MONDAYS)]
    rows = [(f"R{number}", monday) for monday, count in zip(MONDAYS, stay, strict=True) for number in range(count)]
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
    retailers = {"retailer_id": [f"R{number}" for number in range(10)], "tier": ["T1"] * 10}
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
    assert len(told) == 1
    assert told[0].startswith("public holidays of US: on each of them ")


def test_a_country_that_is_set_is_not_doubted(american: Settings) -> None:
    german = Calendar(country="DE", subdivision="BY", moving_holidays=[])
    with open_warehouse(american) as con:
        assert calendar_of(con, with_calendar(american, german), AS_OF) == german


def test_a_model_keeps_the_calendar_that_it_was_taught(american: Settings, tmp_path: Path) -> None:
    taught = Calendar(country="US", subdivision="IA", moving_holidays=["Thanksgiving Day"])
    save_calendar(taught, tmp_path)

    assert as_trained(american, tmp_path).calendar == taught


@pytest.mark.parametrize(("was_set", "expected"), [("", "CN"), ("DE", "DE")])
def test_a_model_of_an_earlier_version_was_taught_what_was_set(american: Settings, tmp_path: Path, was_set: str, expected: str) -> None:
    earlier = with_calendar(american, american.calendar.model_copy(update={"country": was_set}))

    assert as_trained(earlier, tmp_path / "nothing").calendar.country == expected


def test_a_subdivision_without_a_country_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "site.toml"
    config.write_text('[calendar]\nsubdivision = "IA"\n')

    with pytest.raises(ConfigurationError, match="subdivision and moving_holidays: of which country"):
        read_settings(config, environment={})
