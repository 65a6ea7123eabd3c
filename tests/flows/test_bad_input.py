"""What the commands say, and with which exit code they end, when orders or dates are not what they need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.commands import Command
from tests.small_county import Place
from tests.small_market import LAST_SUNDAY, SHOPS, SKUS, write_market

HOLDING = "import duckdb, sys\ncon = duckdb.connect(sys.argv[1])\nprint('held', flush=True)\nsys.stdin.read()"


def test_an_empty_folder_is_bad_data(place: Place, uncap: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "input").mkdir()
    assert uncap(place, "load", str(tmp_path / "input")) == 3
    told = capsys.readouterr().err
    assert "no input table in it" in told
    assert "hint: expected files are order_lines.parquet or order_lines.csv" in told


def test_a_folder_that_is_not_there_is_bad_usage(place: Place, uncap: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert uncap(place, "load", str(tmp_path / "nowhere")) == 2
    assert "is not a folder" in capsys.readouterr().err


def test_an_unknown_setting_is_bad_configuration(place: Place, uncap: Command, capsys: pytest.CaptureFixture[str]) -> None:
    place.configure("\n[publish.keep_weeks]\ndemand_forcast = 4\n")
    assert uncap(place, "score") == 2
    assert "publish.keep_weeks.demand_forcast: unknown key" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "score", "backtest"])
def test_a_warehouse_without_orders_is_bad_usage(place: Place, uncap: Command, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert uncap(place, command) == 2
    told = capsys.readouterr().err
    assert "raw.order_lines: no order is loaded" in told
    assert "hint: load some with `uncap load DIR`" in told


def test_a_file_without_orders_loads_as_nothing(place: Place, uncap: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "order_lines.csv").write_text("line_id,retailer_id,sku_id,ordered_on,delivered_units\n", encoding="utf-8")
    assert uncap(place, "load", str(tmp_path / "input")) == 0
    assert uncap(place, "train") == 2
    assert "no order is loaded" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("as_of", "told"),
    [
        ("2000-01-02", "as_of 2000-01-02 lies before the end of the first week of orders, 2023-10-08"),
        ("2025-09-26", "as_of 2025-09-26 is a Friday; a week ends on Sunday"),
        ("Michaelmas", "as_of Michaelmas: not a date"),
    ],
)
@pytest.mark.parametrize("command", ["train", "score"])
def test_a_day_that_does_not_fit_the_orders_is_bad_usage(
    county_copy: Place, uncap: Command, command: str, as_of: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert uncap(county_copy, command, "--as-of", as_of) == 2
    assert told in capsys.readouterr().err


def test_orders_that_have_not_come_by_the_day_asked_for_are_bad_data(
    county_copy: Place, uncap: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert uncap(county_copy, "score", "--as-of", "2025-10-05") == 3
    assert "as_of 2025-10-05 lies after the week of the newest order, 2025-09-27; expected orders of its week" in capsys.readouterr().err


def test_to_score_before_training_fails_and_says_what_to_do(
    place: Place, uncap: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert uncap(place, "load", str(write_market(tmp_path / "input", 2))) == 0
    assert uncap(place, "score") == 1
    told = capsys.readouterr().err
    assert "no champion of uncap-demand: nothing was trained yet" in told
    assert "hint: run `uncap train` first" in told
    assert place.rows("SELECT status FROM scored.runs WHERE flow = 'score'").status.tolist() == ["failed"]
    assert place.rows("SELECT count(*) AS n FROM scored.demand_forecast").n.tolist() == [0]


@pytest.mark.parametrize("weeks", [1, 29])
def test_too_short_a_history_is_refused_with_what_is_needed(
    place: Place, uncap: Command, tmp_path: Path, weeks: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert uncap(place, "load", str(write_market(tmp_path / "input", weeks))) == 0
    assert uncap(place, "train") == 3
    told = capsys.readouterr().err
    assert f"{weeks} weeks of orders up to {LAST_SUNDAY}" in told
    assert "expected at least 30" in told
    assert "hint: load older orders too" in told


def test_orders_that_end_within_their_first_week_are_refused(
    place: Place, uncap: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "input").mkdir()
    lines = "line_id,retailer_id,sku_id,ordered_on,delivered_units\nL1,R1,S1,2024-09-24,3\n"
    (tmp_path / "input" / "order_lines.csv").write_text(lines, encoding="utf-8")
    assert uncap(place, "load", str(tmp_path / "input")) == 0
    assert uncap(place, "train") == 3
    told = capsys.readouterr().err
    assert "raw.order_lines.ordered_on: from 2024-09-24 to 2024-09-24, not a whole week" in told
    assert "hint: load more orders, or give --as-of 2024-09-29" in told


def test_the_shortest_history_trains_and_scores_with_a_shop_of_one_order_and_a_sku_of_none(
    place: Place, uncap: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert uncap(place, "load", str(write_market(tmp_path / "input", 30))) == 0
    assert uncap(place, "run") == 0
    forecasts = place.rows("SELECT DISTINCT retailer_id, sku_id, method FROM scored.demand_forecast")
    with_history = forecasts[forecasts.method == "history"]
    assert len(with_history) == SHOPS * SKUS + 1
    assert with_history[with_history.retailer_id == "R-once"].sku_id.tolist() == ["S0"]
    assert "S-never" not in set(forecasts.sku_id)
    scores = place.rows("SELECT * FROM scored.churn_score")
    assert len(scores) == SHOPS + 1
    assert scores.reason_1.str.len().min() > 0
    capsys.readouterr()
    assert uncap(place, "backtest", "--origins", "2") == 3
    assert "hint: ask for at most 1 origins" in capsys.readouterr().err


def test_cut_offs_that_leave_nothing_to_judge_on_are_bad_configuration(
    county_copy: Place, uncap: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    county_copy.config.write_text(county_copy.config.read_text().replace("cut_offs = 2", "cut_offs = 1"), encoding="utf-8")
    assert uncap(county_copy, "train") == 2
    told = capsys.readouterr().err
    assert "demand.cut_offs, demand.cut_off_spacing_weeks: of no week after the 1 cut-offs is the demand known" in told
    assert "hint: set more cut-offs" in told


def test_a_warehouse_held_by_another_process_is_told_with_the_process(
    county_copy: Place, uncap: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [sys.executable, "-c", HOLDING, str(county_copy.folder / "warehouse.duckdb")]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        code = uncap(county_copy, "score")
        holder.communicate()
    assert code == 1
    assert f"is locked by process {holder.pid}" in capsys.readouterr().err
