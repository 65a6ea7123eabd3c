"""Whether a person at a terminal sees how far a step is, a log has no bar, and every step of a command tells its rows."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from pathlib import Path

import pytest

from contracts.steps import Part, Step
from flows.console import narrated
from tests.flows.commands import Command
from tests.small_county import Place
from tests.small_market import write_market

WITHOUT_ROWS = ("run ", "every check passed", "warning", "true demand is kept", "uncap-churn", "uncap-demand")
"""How the lines begin that are about no rows."""


def tell_a_step_in_parts() -> None:
    with narrated("train") as say:
        say(Part("growing trees", done=3, total=12))
        # a bar is drawn ten times a second
        time.sleep(0.5)
        say(Step("12 trees grown", rows=12))


def read_to_the_end(ours: int) -> str:
    """Return all that was written to a terminal whose other end is closed: one read may give a part of it."""
    shown = b""
    # Linux has no end of file here, but an error
    with contextlib.suppress(OSError):
        while part := os.read(ours, 100_000):
            shown += part
    os.close(ours)
    return shown.decode()


def test_a_terminal_shows_how_far_a_step_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        tell_a_step_in_parts()
    shown = read_to_the_end(ours)
    assert "train: growing trees" in shown
    assert "3 of 12" in shown
    assert shown.rindex("12 trees grown") > shown.rindex("3 of 12")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_log_has_no_bar_whatever_the_environment_says_of_colours(
    log_format: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("UNCAP_LOG_FORMAT", log_format)
    tell_a_step_in_parts()
    (line,) = capsys.readouterr().err.splitlines()
    assert "12 trees grown" in line
    assert "\x1b" not in line


@pytest.mark.parametrize("command", ["check", "monitor", "reclassify"])
def test_every_step_of_a_command_tells_its_rows(
    command: str, county_copy: Place, uncap: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UNCAP_LOG_FORMAT", "json")
    assert uncap(county_copy, command) == 0
    assert_rows_are_told(command, capsys.readouterr().err)


def test_every_step_of_a_load_tells_its_rows(
    place: Place, uncap: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UNCAP_LOG_FORMAT", "json")
    assert uncap(place, "load", str(write_market(tmp_path / "incoming", weeks=4))) == 0
    assert_rows_are_told("load", capsys.readouterr().err)


def assert_rows_are_told(command: str, log: str) -> None:
    lines = [json.loads(line) for line in log.splitlines()]
    assert all(line["flow"] == command and line["run_id"].startswith(command) and line["seconds"] >= 0 for line in lines)
    steps = [line for line in lines if line["level"] == "info" and not line["step"].startswith(WITHOUT_ROWS)]
    assert steps
    assert [line["step"] for line in steps if "rows" not in line] == []
