"""What a person sees of the work lists, on the screen and in a file for a spreadsheet."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from contracts.errors import UsageError
from flows.opening import open_warehouse
from flows.work_list_table import read_work_lists
from tests.flows.commands import Command
from tests.small_county import Place

AS_OF, EARLIER = date(2025, 9, 28), date(2025, 8, 31)


@pytest.fixture
def listed(place: Place) -> Place:
    """Lists of two Sundays: two to contact with one left alone between them, and one whose reason is a formula."""
    rows = [
        (AS_OF, "at_risk", "R1", 1, "contact", "Ann", 0.31, 900.5, 120.0, None, "31 % likely"),
        (AS_OF, "at_risk", "R2", 2, "hold_out", "Ann", 0.3, 900.5, 110.0, None, "30 % likely"),
        (AS_OF, "at_risk", "R3", 3, "contact", "Ben", 0.2, None, 15.25, None, "20 % likely"),
        (AS_OF, "win_back", "R4", 1, "contact", "=cmd|' /C calc'!A0", None, 50.0, -3.5, date(2025, 6, 1), "+1 (silent)"),
        (EARLIER, "at_risk", "R9", 1, "contact", None, 0.5, 1.0, 1.0, None, "older"),
    ]
    with open_warehouse(place.settings) as con:
        for row in rows:
            con.execute("INSERT INTO scored.work_list VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'run')", row)
        con.execute("INSERT INTO raw.retailers (retailer_id, name) VALUES ('R1', 'Corner shop'), ('R4', '@SUM(A1)')")
    return place


def test_the_newest_lists_are_printed_without_naming_who_is_left_alone(
    uncap: Command, listed: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert uncap(listed, "worklist") == 0
    printed = capsys.readouterr().out
    assert "at_risk as of 2025-09-28: 2 to contact" in printed
    assert "1 more are left alone for 13 weeks" in printed
    assert "Corner shop" in printed
    assert "key_account as of 2025-09-28: 0 to contact" in printed
    assert "R2" not in printed
    assert "R9" not in printed


def test_a_list_a_day_and_a_capacity_can_be_asked_for(listed: Place) -> None:
    (first,) = read_work_lists(listed.settings, None, "at_risk", 1)
    assert (first.contacts.retailer_id.to_list(), first.held_out) == (["R1"], 0)
    (older,) = read_work_lists(listed.settings, EARLIER, "at_risk", None)
    assert older.contacts.retailer_id.to_list() == ["R9"]


def test_a_file_for_a_spreadsheet_holds_no_formula(uncap: Command, listed: Place, tmp_path: Path) -> None:
    assert uncap(listed, "worklist", "--csv", str(tmp_path / "lists.csv")) == 0
    with (tmp_path / "lists.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["retailer_id"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"R1", "R3", "R4"}
    assert (rows["R4"]["account_manager"], rows["R4"]["name"], rows["R4"]["reason"]) == ("'=cmd|' /C calc'!A0", "'@SUM(A1)", "'+1 (silent)")
    assert (rows["R4"]["expected_margin_saved"], rows["R4"]["stopped_on"], rows["R4"]["p_churn_13w"]) == ("-4", "2025-06-01", "")
    texts = [value for row in rows.values() for name, value in row.items() if name != "expected_margin_saved"]
    assert [text for text in texts if text.startswith(("=", "+", "-", "@", "\t", "\r"))] == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--list", "everybody"], "list everybody: unknown"),
        (["--as-of", "2025-09-21"], "scored.work_list: no list as of 2025-09-21"),
        (["--csv", "/nowhere/lists.csv"], "/nowhere/lists.csv: cannot be written"),
    ],
)
def test_what_cannot_be_shown_is_bad_usage(
    uncap: Command, listed: Place, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert uncap(listed, "worklist", *words) == 2
    assert told in capsys.readouterr().err


def test_before_anything_was_scored_there_is_no_list_and_no_warehouse_is_made(place: Place) -> None:
    with pytest.raises(UsageError, match="no list was made yet"):
        read_work_lists(place.settings, None, None, None)
    assert not (place.folder / "warehouse.duckdb").exists()
