"""Is the server of the tests like one in production where it matters: passwords, loopback only, no superuser, nothing left behind?"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests.postgres.server import OWNER, PostgresServer, query, running_server


def test_the_role_of_the_runs_is_no_superuser_and_owns_its_database(postgres_url: str) -> None:
    found = query(
        postgres_url,
        "SELECT rolname, rolsuper, rolcreaterole, rolcreatedb FROM pg_roles"
        " JOIN pg_database ON datdba = pg_roles.oid WHERE datname = current_database()",
    )
    assert found == [(OWNER, False, False, False)]


def test_a_wrong_password_is_refused(postgres_url: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        query(postgres_url.replace(f"{OWNER}:", f"{OWNER}:x"), "SELECT 1")


def test_nothing_but_loopback_is_listened_on_and_passwords_are_scrambled(postgres_server: PostgresServer) -> None:
    assert postgres_server.execute("SELECT current_setting('listen_addresses'), current_setting('unix_socket_directories')") == [
        ("127.0.0.1", "")
    ]
    methods = postgres_server.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules")
    assert methods == [("scram-sha-256",)]


def test_the_folder_goes_with_the_server() -> None:
    with running_server({"shared_buffers": "16MB"}) as server:
        folder = Path(server.execute("SELECT current_setting('data_directory')")[0][0])
        shown = server.execute("SELECT current_setting('shared_buffers')")[0][0]
        # the server itself: the process of a session ends with the session
        process = (folder / "postmaster.pid").read_text(encoding="utf-8").partition("\n")[0]
        assert folder.is_dir()
        assert shown == "16MB"
        assert os.stat(f"/proc/{process}").st_uid == folder.stat().st_uid != 0  # noqa: PTH116 - a process, not a file
    assert not folder.parent.exists()


def test_a_test_run_that_is_killed_leaves_no_server_behind() -> None:
    script = """
import sys, time
from tests.postgres.server import running_server
with running_server() as server:
    print(server.execute("SELECT current_setting('data_directory')")[0][0], flush=True)
    time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as killed:
        assert killed.stdout is not None
        folder = Path(killed.stdout.readline().strip()).parent
        assert folder.is_dir()
        killed.kill()
    deadline = time.monotonic() + 30
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not folder.exists()
