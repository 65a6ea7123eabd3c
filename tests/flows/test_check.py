"""The data checks as a whole: a sound warehouse passes, each injected fault is found, and an error stops train and score."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from contracts.cells import CELLS
from contracts.data_checks import CHECKS, DATA_CHECK, QUARANTINED_LINE, Finding
from contracts.errors import InputDataError
from flows.check import choose_check_day, publish_findings, require_passed
from flows.check_findings import data_findings
from flows.cli import main
from flows.deriving import build_cells
from flows.recording import RunRecord
from flows.settings import Settings
from warehouse.connection import connect
from warehouse.load import load_folder
from warehouse.session import Warehouse
from warehouse.tables import fetch, table

AS_OF = date(2024, 9, 29)
MONDAY = AS_OF - timedelta(days=6)
WEEKS, SHOPS, SKUS = 16, 40, 8


def _market(folder: Path) -> Path:
    """Forty shops in two districts that order most of eight SKUs on their weekday; half of the SKUs have a limit every week."""
    draw = random.Random(1)
    folder.mkdir()
    lines = ["line_id,retailer_id,sku_id,ordered_on,delivered_units,requested_units,amount"]
    for ago in range(WEEKS):
        for shop in range(SHOPS):
            day = AS_OF - timedelta(days=7 * ago + 2 + shop % 5)
            for sku in range(SKUS):
                if draw.random() < 0.8:
                    units = draw.randint(2, 9)
                    lines.append(f"L{ago:02d}-{shop:02d}-{sku},R{shop:02d},S{sku},{day},{units},{units},{10 * units}")
    districts = [f"R{shop:02d},{'West' if shop < 10 else 'East'}" for shop in range(SHOPS)]
    mondays = [MONDAY - timedelta(weeks=ago) for ago in range(WEEKS)]
    tables = {
        "order_lines": lines,
        "retailers": ["retailer_id,district", *districts],
        "skus": ["sku_id,category", *(f"S{sku},regular" for sku in range(SKUS))],
        "allocation_limits": ["week_start,sku_id,tier,cap_units", *(f"{day},S{sku},T{tier},50" for day in mondays for sku in (0, 1, 2, 3) for tier in (1, 2))],
        "supply": ["week_start,sku_id,available_units", *(f"{day},S{sku},{0 if sku == 7 and day < MONDAY else 900}" for day in mondays for sku in range(SKUS))],
    }  # fmt: skip
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
def con(sound: Path, settings: Settings) -> Iterator[Warehouse]:
    """The warehouse of the settings, a copy of the sound one."""
    path = Path(settings.warehouse.url.removeprefix("duckdb:///"))
    shutil.copy(sound, path)
    with connect(str(path), threads=2, memory_limit="1GB") as opened:
        yield opened


def found(con: Warehouse, settings: Settings, as_of: date = AS_OF) -> dict[str, Finding]:
    return {finding.check: finding for finding in data_findings(con, settings, as_of)}


def _say(_: str) -> None:
    """Tell nobody."""


def test_every_check_looks_at_a_sound_warehouse_and_none_alarms(con: Warehouse, settings: Settings) -> None:
    findings = found(con, settings)
    assert set(findings) == set(CHECKS)
    assert {check: finding.message for check, finding in findings.items() if finding.severity != "ok"} == {}


WEEK = f"ordered_on BETWEEN DATE '{MONDAY}' AND DATE '{AS_OF}'"
FAULTS: dict[str, tuple[str, str]] = {
    f"DELETE FROM raw.order_lines WHERE ordered_on = DATE '{MONDAY + timedelta(days=4)}'": ("late_days", "error"),
    f"DELETE FROM raw.order_lines WHERE ordered_on = DATE '{MONDAY + timedelta(days=2)}'": ("missing_days", "error"),
    f"DELETE FROM raw.order_lines WHERE {WEEK} AND right(retailer_id, 1) > '3'": ("weekly_volume", "error"),
    f"DELETE FROM raw.order_lines WHERE ordered_on = DATE '{MONDAY + timedelta(days=2)}' AND sku_id > 'S1'": ("daily_volume", "warning"),
    f"INSERT INTO raw.order_lines SELECT 'again-' || line_id, * EXCLUDE (line_id) FROM raw.order_lines WHERE {WEEK}": (
        "duplicate_lines",
        "error",
    ),
    f"UPDATE raw.order_lines SET delivered_units = 900 WHERE {WEEK} AND line_id LIKE '%-07-0'": ("implausible_lines", "warning"),
    f"UPDATE raw.order_lines SET delivered_units = delivered_units * 10 WHERE {WEEK}": ("line_sizes", "error"),
    f"UPDATE raw.order_lines SET amount = amount * 100 WHERE {WEEK}": ("prices", "error"),
    "DELETE FROM raw.retailers WHERE district = 'West'": ("unknown_retailers", "error"),
    "DELETE FROM raw.skus WHERE sku_id = 'S3'": ("unknown_skus", "error"),
    f"UPDATE raw.order_lines SET retailer_id = '0' || retailer_id WHERE {WEEK}": ("new_retailers", "error"),
    f"UPDATE raw.order_lines SET sku_id = lower(sku_id) WHERE {WEEK}": ("new_skus", "error"),
    f"UPDATE raw.retailers SET closed_on = DATE '{MONDAY}' - 30": ("closed_retailers", "error"),
    f"UPDATE raw.skus SET delisted_on = DATE '{MONDAY}' - 30 WHERE sku_id = 'S1'": ("delisted_skus", "error"),
    f"DELETE FROM raw.order_lines WHERE {WEEK} AND retailer_id < 'R10'": ("silent_districts", "error"),
    f"DELETE FROM raw.order_lines WHERE {WEEK} AND sku_id IN ('S4', 'S5')": ("silent_skus", "error"),
    f"UPDATE raw.order_lines SET requested_units = 1 WHERE {WEEK}": ("above_requested", "error"),
    f"UPDATE raw.allocation_limits SET tier = NULL, cap_units = 1 WHERE week_start = DATE '{MONDAY}' AND tier = 'T1'": (
        "above_cap",
        "error",
    ),
    f"DELETE FROM raw.allocation_limits WHERE week_start = DATE '{MONDAY}'": ("missing_limits", "error"),
    f"UPDATE raw.allocation_limits SET cap_units = 0 WHERE week_start = DATE '{MONDAY}'": ("zero_caps", "error"),
    f"DELETE FROM raw.order_lines WHERE {WEEK} AND sku_id < 'S4'": ("caps_without_orders", "error"),
    "INSERT INTO raw.allocation_limits SELECT week_start + 364, * EXCLUDE (week_start) FROM raw.allocation_limits": (
        "far_limits",
        "warning",
    ),
    f"DELETE FROM raw.supply WHERE week_start = DATE '{MONDAY}'": ("missing_supply", "error"),
}


def test_a_fault_of_every_check_is_injected() -> None:
    assert {check for check, _ in FAULTS.values()} == set(CHECKS)


@pytest.mark.parametrize("fault", FAULTS, ids=[check for check, _ in FAULTS.values()])
def test_an_injected_fault_is_found(fault: str, con: Warehouse, settings: Settings) -> None:
    con.execute(fault)
    check, severity = FAULTS[fault]
    finding = found(con, settings)[check]
    assert finding.severity == severity, finding.message


def test_nothing_after_the_day_changes_what_is_found(con: Warehouse, settings: Settings) -> None:
    before = AS_OF - timedelta(weeks=2)
    findings = found(con, settings, before)
    con.execute(f"DELETE FROM raw.order_lines WHERE ordered_on > DATE '{before}' AND retailer_id > 'R05'")
    con.execute(f"DELETE FROM raw.allocation_limits WHERE week_start > DATE '{before}'")
    assert found(con, settings, before) == findings


def test_findings_are_published_for_the_day_and_an_error_is_raised_with_what_to_do(con: Warehouse, settings: Settings) -> None:
    con.execute(f"DELETE FROM raw.supply WHERE week_start = DATE '{MONDAY}'")
    con.disconnect()
    findings = publish_findings.fn(settings, AS_OF, RunRecord("run-1"), _say)
    with pytest.raises(InputDataError, match="missing_supply") as stopped:
        require_passed(settings, findings)
    assert "--accept missing_supply" in stopped.value.hint
    assert stopped.value.exit_code == 3
    with connect(settings.warehouse.url, threads=2, memory_limit="1GB") as opened:
        stored = fetch(opened, table(opened, DATA_CHECK)).to_pylist()
    assert {row["check_name"] for row in stored} == set(CHECKS)
    assert [row["check_name"] for row in stored if row["severity"] == "error"] == ["missing_supply"]


def test_an_accepted_error_does_not_stop_and_is_marked(con: Warehouse, settings: Settings) -> None:
    con.execute(f"DELETE FROM raw.supply WHERE week_start = DATE '{MONDAY}'")
    con.disconnect()
    accepting = settings.model_copy(update={"data_checks": settings.data_checks.model_copy(update={"accept": ["missing_supply"]})})
    said: list[str] = []
    require_passed(accepting, publish_findings.fn(accepting, AS_OF, RunRecord("run-1"), said.append))
    assert any(line.startswith("warning: accepted: missing_supply") for line in said)
    with connect(settings.warehouse.url, threads=2, memory_limit="1GB") as opened:
        stored = fetch(opened, table(opened, DATA_CHECK)).to_pylist()
    assert [row["check_name"] for row in stored if row["accepted"]] == ["missing_supply"]


def test_lines_that_are_put_aside_are_in_no_cell_until_a_person_releases_them(con: Warehouse) -> None:
    con.execute("UPDATE raw.order_lines SET delivered_units = 900 WHERE line_id = 'L00-07-0'")

    def units() -> float:
        build_cells(con, AS_OF)
        cells = table(con, CELLS)
        theirs = cells.filter(cells.retailer_id == "R07", cells.sku_id == "S0", cells.week_start == MONDAY)
        return sum(fetch(con, theirs)["delivered_units"].to_pylist())

    assert units() == 0
    [aside] = fetch(con, table(con, QUARANTINED_LINE)).to_pylist()
    assert (aside["line_id"], aside["delivered_units"]) == ("L00-07-0", 900)
    con.execute("INSERT INTO raw.quarantine_decisions VALUES ('L00-07-0', ?, 'release', 'li.m', 'a wedding')", [AS_OF])
    assert units() == 900


def test_the_day_is_that_of_the_newest_order_unless_another_is_asked_for(con: Warehouse, settings: Settings) -> None:
    con.disconnect()
    assert choose_check_day.fn(settings, None) == AS_OF - timedelta(days=2)
    assert choose_check_day.fn(settings, MONDAY) == MONDAY


@pytest.mark.usefixtures("prefect_server")
def test_the_command_prints_every_check_and_ends_with_three_where_one_would_stop_a_run(
    con: Warehouse, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    con.execute(f"DELETE FROM raw.supply WHERE week_start = DATE '{MONDAY}'")
    con.disconnect()
    monkeypatch.setenv("UNCAP_WAREHOUSE_URL", settings.warehouse.url)
    monkeypatch.setenv("UNCAP_TRACKING_URI", settings.tracking.uri)
    words = ["check", "--as-of", AS_OF.isoformat(), "--json"]
    assert main(words) == 3
    told = capsys.readouterr()
    assert json.loads(told.out)["findings"][0]["check"] == "missing_supply"
    assert "--accept missing_supply" in told.err
    assert main([*words, "--accept", "missing_supply"]) == 0
    assert main([*words, "--accept", "supplies"]) == 2
