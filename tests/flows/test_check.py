"""The data checks as a whole: a sound warehouse passes, each injected fault is found, and an error stops train and score."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import date, timedelta
from pathlib import Path

import pytest

from contracts.cells import CELLS
from contracts.data_check_names import CHECKS
from contracts.data_checks import DATA_CHECK, QUARANTINED_LINE, Finding
from contracts.errors import InputDataError
from flows.check import choose_check_day, publish_findings, require_passed
from flows.check_findings import data_findings
from flows.cli import main
from flows.deriving import build_cells
from flows.opening import open_warehouse
from flows.recording import RunRecord
from flows.settings import Settings
from warehouse.connection import connect
from warehouse.load import load_folder
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

AS_OF = date(2024, 9, 29)
MONDAY = AS_OF - timedelta(days=6)
WEEKS, SHOPS, SKUS = 16, 40, 8


def _market(folder: Path) -> Path:
    """Forty shops in two districts that order most of eight SKUs on their weekday; six of the SKUs have a limit every week."""
    folder.mkdir()
    lines = ["line_id,retailer_id,sku_id,ordered_on,delivered_units,requested_units,amount"]
    for ago in range(WEEKS):
        for shop in range(SHOPS):
            day = AS_OF - timedelta(days=7 * ago + 2 + shop % 5)
            for sku in range(SKUS):
                if (ago + shop + 3 * sku) % 5:
                    units = 2 + (ago + 2 * shop + sku) % 7
                    lines.append(f"L{ago:02d}-{shop:02d}-{sku},R{shop:02d},S{sku},{day},{units},{units},{10 * units}")
    districts = [f"R{shop:02d},{'West' if shop < 10 else 'East'}" for shop in range(SHOPS)]
    mondays = [MONDAY - timedelta(weeks=ago) for ago in range(WEEKS)]
    limits = [f"{day},S{sku},50" for day in mondays for sku in range(6)]
    stocks = [f"{day},S{sku},{0 if sku == 7 and day < MONDAY else 900}" for day in mondays for sku in range(SKUS)]
    tables = {
        "order_lines": lines,
        "retailers": ["retailer_id,district", *districts],
        "skus": ["sku_id,category", *(f"S{sku},regular" for sku in range(SKUS))],
        "allocation_limits": ["week_start,sku_id,cap_units", *limits],
        "supply": ["week_start,sku_id,available_units", *stocks],
    }
    for name, rows in tables.items():
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse file in which every check passes."""
    folder = tmp_path_factory.mktemp("sound")
    with connect(str(folder / "w.duckdb"), threads=2, memory_limit="1GB") as con:
        load_folder(con, _market(folder / "input"), on_step=lambda _: None)
    return folder / "w.duckdb"


@pytest.fixture
def without_supply(sound: Path, settings: Settings) -> Settings:
    """Settings whose warehouse lacks the newest week's supply, which is an error."""
    with _copied(sound, settings) as opened:
        opened.execute(f"DELETE FROM raw.supply WHERE week_start = DATE '{MONDAY}'")
    return settings


@pytest.fixture
def con(sound: Path, settings: Settings) -> Iterator[Warehouse]:
    """The warehouse of the settings, a copy of the sound one."""
    with _copied(sound, settings) as opened:
        yield opened


def _copied(sound: Path, settings: Settings) -> AbstractContextManager[Warehouse]:
    shutil.copy(sound, settings.warehouse.url.removeprefix("duckdb:///"))
    return open_warehouse(settings)


def found(con: Warehouse, settings: Settings, as_of: date = AS_OF) -> dict[str, Finding]:
    return {finding.check: finding for finding in data_findings(con, settings, as_of)}


def _say(_: str) -> None:
    """Tell nobody."""


def test_every_check_looks_at_a_sound_warehouse_and_none_alarms(con: Warehouse, settings: Settings) -> None:
    findings = found(con, settings)
    assert set(findings) == set(CHECKS)
    assert {check: finding.message for check, finding in findings.items() if finding.severity != "ok"} == {}


WEEK = f"ordered_on BETWEEN DATE '{MONDAY}' AND DATE '{AS_OF}'"
WEDNESDAY, FRIDAY = MONDAY + timedelta(days=2), MONDAY + timedelta(days=4)

# what is done to the sound warehouse, and what of it must be found
FAULTS: dict[str, tuple[list[str], dict[str, str]]] = {
    "files of the week in other units, and some not loaded": (
        [
            "INSERT INTO raw.allocation_limits SELECT week_start + 364, * EXCLUDE (week_start) FROM raw.allocation_limits",
            f"DELETE FROM raw.allocation_limits WHERE week_start = DATE '{MONDAY}'",
            f"DELETE FROM raw.supply WHERE week_start = DATE '{MONDAY}'",
            f"UPDATE raw.order_lines SET delivered_units = delivered_units * 10, amount = amount * 1000 WHERE {WEEK}",
            f"UPDATE raw.order_lines SET delivered_units = 9000 WHERE {WEEK} AND line_id LIKE '%-07-0'",
        ],
        {
            "far_limits": "warning",
            "missing_limits": "error",
            "missing_supply": "error",
            "line_sizes": "error",
            "prices": "error",
            "above_requested": "error",
            "implausible_lines": "warning",
        },
    ),
    "registers of another day, and caps of 0": (
        [
            f"UPDATE raw.allocation_limits SET cap_units = 0 WHERE week_start = DATE '{MONDAY}'",
            "DELETE FROM raw.retailers WHERE district = 'West'",
            "DELETE FROM raw.skus WHERE sku_id = 'S3'",
            f"UPDATE raw.retailers SET closed_on = DATE '{MONDAY}' - 30",
            f"UPDATE raw.skus SET delisted_on = DATE '{MONDAY}' - 30 WHERE sku_id = 'S1'",
        ],
        {
            "zero_caps": "error",
            "above_cap": "error",
            "unknown_retailers": "error",
            "unknown_skus": "error",
            "closed_retailers": "error",
            "delisted_skus": "error",
        },
    ),
    "identifiers written in another way, and days not loaded": (
        [
            f"DELETE FROM raw.order_lines WHERE ordered_on = DATE '{FRIDAY}'",
            f"DELETE FROM raw.order_lines WHERE ordered_on = DATE '{WEDNESDAY}' AND sku_id > 'S1'",
            f"DELETE FROM raw.order_lines WHERE ordered_on = DATE '{MONDAY + timedelta(days=1)}'",
            f"UPDATE raw.order_lines SET retailer_id = '0' || retailer_id, sku_id = lower(sku_id) WHERE {WEEK}",
        ],
        {
            "late_days": "error",
            "missing_days": "error",
            "daily_volume": "warning",
            "weekly_volume": "error",
            "new_retailers": "error",
            "new_skus": "error",
        },
    ),
    "a week loaded again under other ids": (
        [f"INSERT INTO raw.order_lines SELECT 'again-' || line_id, * EXCLUDE (line_id) FROM raw.order_lines WHERE {WEEK}"],
        {"duplicate_lines": "error", "weekly_volume": "error"},
    ),
    "a branch and the capped SKUs not loaded": (
        [f"DELETE FROM raw.order_lines WHERE {WEEK} AND (retailer_id < 'R10' OR sku_id < 'S6')"],
        {"silent_districts": "error", "silent_skus": "error", "caps_without_orders": "error"},
    ),
}


def test_a_fault_of_every_check_is_injected() -> None:
    assert {check for _, expected in FAULTS.values() for check in expected} == set(CHECKS)


@pytest.mark.parametrize("faults", FAULTS)
def test_injected_faults_are_found(faults: str, con: Warehouse, settings: Settings) -> None:
    statements, expected = FAULTS[faults]
    for statement in statements:
        con.execute(statement)
    findings = found(con, settings)
    assert {check: findings[check].severity for check in expected} == expected, [findings[check].message for check in expected]


def test_nothing_after_the_day_changes_what_is_found(con: Warehouse, settings: Settings) -> None:
    before = AS_OF - timedelta(weeks=2)
    findings = found(con, settings, before)
    con.execute(f"DELETE FROM raw.order_lines WHERE ordered_on > DATE '{before}' AND retailer_id > 'R05'")
    con.execute(f"DELETE FROM raw.allocation_limits WHERE week_start > DATE '{before}'")
    assert found(con, settings, before) == findings


def test_findings_are_published_for_the_day_and_an_error_is_raised_with_what_to_do(without_supply: Settings) -> None:
    settings = without_supply
    findings = publish_findings.fn(settings, AS_OF, RunRecord("run-1"), _say)
    with pytest.raises(InputDataError, match="missing_supply") as stopped:
        require_passed(settings, findings)
    assert "--accept missing_supply" in stopped.value.hint
    assert stopped.value.exit_code == 3
    accepting = settings.model_copy(update={"data_checks": settings.data_checks.model_copy(update={"accept": ["missing_supply"]})})
    require_passed(accepting, findings)
    with open_warehouse(settings) as opened:
        stored = fetch(opened, contract_table(DATA_CHECK)).to_pylist()
    assert {row["check_name"] for row in stored} == set(CHECKS)
    assert [row["check_name"] for row in stored if row["severity"] == "error"] == ["missing_supply"]


def test_lines_that_are_put_aside_are_in_no_cell_until_a_person_releases_them(con: Warehouse) -> None:
    con.execute("UPDATE raw.order_lines SET delivered_units = 900 WHERE line_id = 'L00-07-0'")

    def units() -> float:
        build_cells(con, AS_OF)
        cells = contract_table(CELLS)
        theirs = cells.filter(cells.retailer_id == "R07", cells.sku_id == "S0", cells.week_start == MONDAY)
        told: list[float] = fetch(con, theirs)["delivered_units"].to_pylist()
        return sum(told)

    assert units() == 0
    [aside] = fetch(con, contract_table(QUARANTINED_LINE)).to_pylist()
    assert (aside["line_id"], aside["delivered_units"]) == ("L00-07-0", 900)
    con.execute("INSERT INTO raw.quarantine_decisions VALUES ('L00-07-0', ?, 'release', 'li.m', 'a wedding')", [AS_OF])
    assert units() == 900


def test_the_day_is_that_of_the_newest_order_unless_another_is_asked_for(without_supply: Settings) -> None:
    assert choose_check_day.fn(without_supply, None) == AS_OF - timedelta(days=2)
    assert choose_check_day.fn(without_supply, MONDAY) == MONDAY


@pytest.mark.usefixtures("prefect_server")
def test_the_command_prints_every_check_and_ends_with_three_where_one_would_stop_a_run(
    without_supply: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UNCAP_WAREHOUSE_URL", without_supply.warehouse.url)
    monkeypatch.setenv("UNCAP_TRACKING_URI", without_supply.tracking.uri)
    words = ["check", "--as-of", AS_OF.isoformat(), "--json"]
    assert main(words) == 3
    told = capsys.readouterr()
    assert json.loads(told.out)["findings"][0]["check"] == "missing_supply"
    assert "--accept missing_supply" in told.err
    assert main([*words, "--accept", "missing_supply"]) == 0
    told = capsys.readouterr()
    assert "warning: accepted: missing_supply" in told.err
    assert json.loads(told.out)["findings"][0]["accepted"]
    assert main([*words, "--accept", "supplies"]) == 2


@pytest.mark.usefixtures("prefect_server")
def test_an_error_stops_train_and_score_and_what_was_scored_stays(without_supply: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNCAP_WAREHOUSE_URL", without_supply.warehouse.url)
    monkeypatch.setenv("UNCAP_TRACKING_URI", without_supply.tracking.uri)
    scored = "INSERT INTO scored.true_demand VALUES ('R1', 'S1', ?, ?, 1, 'cap', 2, 1, 3, true, '1', 'earlier-run')"
    with open_warehouse(without_supply) as opened:
        opened.execute(scored, [MONDAY, AS_OF])
    words = ["--as-of", AS_OF.isoformat()]
    assert [main(["score", *words]), main(["train", *words])] == [3, 3]
    with open_warehouse(without_supply) as opened:
        assert opened.execute("SELECT run_id FROM scored.true_demand") == [("earlier-run",)]
        ended = opened.execute("SELECT flow, status, error LIKE '%missing_supply%' FROM scored.runs ORDER BY flow")
        checked = fetch(opened, contract_table(DATA_CHECK))
    assert ended == [("score", "failed", True), ("train", "failed", True)]
    assert checked.num_rows == len(CHECKS)
