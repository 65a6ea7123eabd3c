"""How do tests get a PostgreSQL server of their own, whoever they run as?

It listens on loopback only, asks for passwords as one in production does, and writes nothing to disk that has to be there after a crash.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.postgres.programs import START_SECONDS, NoServerError, account_to_run_as, identity_of, installed_programs, run_as, runnable

SUPERUSER, OWNER = "postgres", "uncap"

# Nothing here outlives the tests; two cores are all they have.
UNSAFE_AND_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off", "max_connections": "40"}

# Tests that are killed can stop nothing, but their end of the pipe closes. At once, without writing out what nobody will read.
UNTIL_THE_PIPE_CLOSES = '"$@" </dev/null & cat >/dev/null; kill -QUIT $! 2>/dev/null; wait $!; rm -rf "$0"'


@dataclass(frozen=True)
class PostgresServer:
    """A running server.

    Attributes
    ----------
    port
        On 127.0.0.1.
    passwords
        By role; roles log in with scram-sha-256.
    """

    port: int
    passwords: dict[str, str] = field(repr=False)

    def url(self, database: str, role: str = OWNER) -> str:
        """Return the warehouse URL of a database for one of the roles."""
        return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """Make an empty database that belongs to the role of the runs, and return its URL for that role."""
        name = f"uncap_{secrets.token_hex(4)}"
        self.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
        return self.url(name)

    def new_role(self, name: str, options: str = "LOGIN") -> None:
        """Make a role with a password of its own."""
        self.passwords[name] = secrets.token_hex(16)
        self.execute(f"CREATE ROLE {name} {options} PASSWORD '{self.passwords[name]}'")

    def execute(self, statement: str, database: str = "postgres", role: str = SUPERUSER) -> list[tuple[Any, ...]]:
        """Run a statement as a role, by itself, and return its rows."""
        return query(self.url(database, role), statement)


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement outside any transaction and return its rows."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def running_server(settings: Mapping[str, str] | None = None) -> Iterator[PostgresServer]:
    """Start a server in a folder of its own and stop it at the end; the folder goes with it.

    Parameters
    ----------
    settings
        Of the server, such as ``shared_buffers``, beside those that make it fast and unsafe.

    Raises
    ------
    NoServerError
        If there are no programs of PostgreSQL, or they do not run here.
    """
    # pytest's own folders belong to root alone
    folder = Path(tempfile.mkdtemp(prefix="uncap-postgres-"))
    try:
        account = account_to_run_as()
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)
        programs = runnable(installed_programs(), folder, account)
        password = secrets.token_hex(16)
        _initialise(programs, folder, account, password)
        port = _free_port()
        process = _start(programs, folder, account, port, {**UNSAFE_AND_FAST, **(settings or {})})
        try:
            server = PostgresServer(port, {SUPERUSER: password})
            _wait(server, process, folder)
            server.new_role(OWNER)
            yield server
        finally:
            _stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _initialise(programs: Path, folder: Path, account: pwd.struct_passwd | None, password: str) -> None:
    secret = folder / "password"
    secret.write_text(password, encoding="utf-8")
    secret.chmod(0o600)
    if account:
        os.chown(secret, account.pw_uid, account.pw_gid)
    words = ["--no-sync", "--auth=scram-sha-256", f"--username={SUPERUSER}", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C"]
    made = run_as([str(programs / "initdb"), "-D", str(folder / "cluster"), *words], account)
    secret.unlink()
    if made.returncode:
        raise NoServerError(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}")


def _start(
    programs: Path, folder: Path, account: pwd.struct_passwd | None, port: int, settings: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    given = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": "", **settings}
    words = [word for name, value in given.items() for word in ("-c", f"{name}={value}")]
    command = ["sh", "-c", UNTIL_THE_PIPE_CLOSES, str(folder), str(programs / "postgres"), "-D", str(folder / "cluster"), *words]
    with (folder / "server.log").open("wb") as log:
        return subprocess.Popen(command, **identity_of(account), cwd="/", stdin=subprocess.PIPE, stdout=log, stderr=log)


def _wait(server: PostgresServer, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server.execute("SELECT 1")
        except psycopg.OperationalError as failure:
            if process.poll() is not None or time.monotonic() > deadline:
                said = (folder / "server.log").read_text(encoding="utf-8", errors="replace")[-2000:]
                raise NoServerError(f"the server did not start: {said or failure}") from failure
            time.sleep(0.05)
        else:
            return


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    process.wait(timeout=START_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
