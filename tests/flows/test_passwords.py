"""Whether a password shows anywhere: on the screen, in the log, in the warehouse, in the tracking store."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from contracts.errors import WarehouseError
from flows.cli import main
from flows.settings import Settings
from warehouse.connection import connect

SECRET = "trom/bone@2"  # noqa: S105 - of a server that is not there
ADDRESSES = {
    "UNCAP_WAREHOUSE_URL": f"postgresql://uncap:{SECRET}@127.0.0.1:9/uncap",
    "UNCAP_TRACKING_URI": f"http://uncap:{quote(SECRET, safe='')}@127.0.0.1:9",
}


@pytest.mark.parametrize("variable", ADDRESSES)
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_password_in_an_address_shows_in_no_message(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path, variable: str, log_format: str
) -> None:
    monkeypatch.setenv("UNCAP_WAREHOUSE_URL", settings.warehouse.url)
    monkeypatch.setenv("UNCAP_TRACKING_URI", settings.tracking.uri)
    monkeypatch.setenv(variable, ADDRESSES[variable])
    monkeypatch.setenv("UNCAP_LOG_FORMAT", log_format)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    config = tmp_path / "patient.toml"
    config.write_text("[retries]\nattempts = 0\n", encoding="utf-8")
    assert main(["--debug", "status", "--json", "--config", str(config)]) in (1, 2)
    told = "".join(capfd.readouterr())
    assert "uncap:***@127.0.0.1:9" in told
    assert "trom" not in told


def test_an_address_whose_password_cannot_be_read_is_not_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("UNCAP_TRACKING_URI", f"http://uncap:{SECRET}@127.0.0.1:9")
    assert main(["status"]) == 2
    told = capsys.readouterr().err
    assert "UNCAP_TRACKING_URI: tracking.uri: an address with a password that cannot be read" in told
    assert "trom" not in told


def test_a_password_in_a_configuration_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "production.toml"
    config.write_text(f'[warehouse]\nurl = "{ADDRESSES["UNCAP_WAREHOUSE_URL"]}"\n', encoding="utf-8")
    assert main(["status", "--config", str(config)]) == 2
    told = capsys.readouterr().err
    assert "warehouse.url: has a password in it" in told
    assert "trom" not in told


@pytest.mark.usefixtures("prefect_server")
def test_a_password_in_a_failure_is_stored_in_no_table_and_no_tag(tracked_settings: Settings) -> None:
    from flows.orchestration import in_flow
    from flows.recording import recorded_run
    from flows.tracking import tracked_run

    def failing() -> None:
        from datetime import UTC, datetime

        with recorded_run(tracked_settings, flow="score", started_at=datetime.now(UTC)), tracked_run(tracked_settings, "a training", {}):
            raise WarehouseError(f"{ADDRESSES['UNCAP_WAREHOUSE_URL']} cannot be reached", hint="start it")

    with pytest.raises(WarehouseError):
        in_flow("score", failing)
    with connect(tracked_settings.warehouse.url, threads=1, memory_limit="200MB") as con:
        (told,) = con.execute("SELECT error FROM scored.runs")
    assert told == ("postgresql://uncap:***@127.0.0.1:9/uncap cannot be reached",)
    with closing(sqlite3.connect(tracked_settings.tracking.uri.removeprefix("sqlite:///"))) as store:
        tags = [value for (value,) in store.execute("SELECT value FROM tags WHERE key = 'error'")]
    assert len(tags) == 1
    assert "trom" not in tags[0]


def test_a_structured_log_line_has_its_run_and_its_rows(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from datetime import date

    from contracts.steps import Step
    from flows.console import narrated, print_failure
    from flows.recording import RunRecord

    monkeypatch.setenv("UNCAP_LOG_FORMAT", "json")
    with narrated("score", RunRecord("score-1", date(2025, 9, 28))) as say:
        say(Step("1,204 rows published", rows=1204))
        say("warning: no churn model")
    print_failure(WarehouseError("the warehouse is held", hint="wait"))
    begun, step, warning, error = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert begun["step"] == "run score-1"
    assert {name: step[name] for name in ("flow", "run_id", "as_of", "rows", "level")} == {
        "flow": "score",
        "run_id": "score-1",
        "as_of": "2025-09-28",
        "rows": 1204,
        "level": "info",
    }
    assert step["seconds"] <= step["elapsed_seconds"]
    assert (warning["level"], warning["step"]) == ("warning", "no churn model")
    assert (error["level"], error["message"], error["hint"], error["exit_code"]) == ("error", "the warehouse is held", "wait", 1)
