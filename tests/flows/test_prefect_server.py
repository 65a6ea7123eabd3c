"""A server of a command's own starts while the command's flow is imported, but neither on a fresh home nor beside a user's own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

import flows.prefect_server
from flows.prefect_server import begin_server

COMMAND = """
    from flows.environment import prepare
    from flows.settings import read_settings
    prepare(read_settings())
    from flows.prefect_server import begin_server
    begin_server()
    from prefect.server.api.server import SubprocessASGIServer
    from flows.orchestration import in_flow
    begun = SubprocessASGIServer().running
    address = in_flow("trivial", lambda: SubprocessASGIServer().address)
    print("begun" if begun else "not begun", address == SubprocessASGIServer().address)
"""


def run_on(home: Path) -> str:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    command = [sys.executable, "-c", textwrap.dedent(COMMAND)]
    done = subprocess.run(command, check=False, env=bare | {"PREFECT_HOME": str(home)}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout.strip()


def test_it_is_begun_early_from_the_second_run_on(tmp_path: Path) -> None:
    assert [run_on(tmp_path), run_on(tmp_path)] == ["not begun True", "begun True"]


@pytest.mark.usefixtures("prefect_server")
def test_beside_a_server_of_the_users_own_none_is_begun() -> None:
    assert begin_server() is None


def test_what_fails_early_is_left_to_the_flow_to_tell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "prefect.db").touch()
    tried = []

    def refuse() -> None:
        tried.append("a server")
        raise RuntimeError("no port")

    monkeypatch.setattr(flows.prefect_server, "_starting", [])
    monkeypatch.setattr(flows.prefect_server, "_have_server", refuse)
    with temporary_settings({PREFECT_HOME: tmp_path}, restore_defaults={PREFECT_API_URL}):
        begun = begin_server()
    assert begun is not None
    begun.join()
    assert tried == ["a server"]
