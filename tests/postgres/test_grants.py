"""Does ``uncap grants`` let planners read the scores, and nothing more?"""

from __future__ import annotations

import psycopg
import pytest

from contracts.errors import ConfigurationError, UsageError, WarehouseError
from flows.cli import main
from flows.grants import PASSWORD_VARIABLE, grants, statements_for_an_administrator
from flows.settings import Settings, read_settings
from tests.postgres.server import OWNER, PostgresServer, query

PASSWORD = "correct horse battery"  # noqa: S105 - of a server that lives as long as the tests
REFUSED = psycopg.errors.InsufficientPrivilege


@pytest.fixture(scope="module")
def settings(postgres_server: PostgresServer) -> Settings:
    """A warehouse for all tests of this file: each grants what it needs first."""
    return read_settings(environment={"UNCAP_WAREHOUSE_URL": postgres_server.new_database()})


@pytest.fixture(scope="module")
def planner(postgres_server: PostgresServer) -> str:
    """The name of a role without a password, made by an administrator; it may be there from an earlier test."""
    if not postgres_server.execute("SELECT 1 FROM pg_roles WHERE rolname = 'uncap_planner'"):
        postgres_server.execute("CREATE ROLE uncap_planner NOLOGIN")
    return "uncap_planner"


@pytest.fixture(scope="module")
def person(postgres_server: PostgresServer, planner: str) -> str:
    """Someone with an account of their own, to whom the role is granted."""
    if "jo" not in postgres_server.passwords:
        postgres_server.new_role("jo")
        postgres_server.execute(f"GRANT {planner} TO jo")
    return "jo"


@pytest.fixture(scope="module")
def granted_url(postgres_server: PostgresServer, settings: Settings, planner: str, person: str) -> str:
    """The warehouse for a person who was granted the role of planners."""
    grants(settings, planner, reads_inputs=False)
    return url_for(postgres_server, settings, person)


def url_for(postgres_server: PostgresServer, settings: Settings, role: str) -> str:
    return postgres_server.url(settings.warehouse.url.rpartition("/")[2], role)


def test_a_planner_reads_scores_and_analyses_also_those_made_later(
    postgres_server: PostgresServer, settings: Settings, planner: str, person: str
) -> None:
    granted = grants(settings, planner, reads_inputs=False)
    theirs = url_for(postgres_server, settings, person)
    query(settings.warehouse.url, "CREATE TABLE scored.of_a_later_version (as_of date)")
    query(settings.warehouse.url, "CREATE VIEW analysis.of_a_later_version AS SELECT * FROM raw.order_lines")
    for name in ("scored.runs", "scored.true_demand_weekly", "analysis.market_week", "scored.of_a_later_version"):
        assert query(theirs, f"SELECT count(*) FROM {name}") == [(0,)]
    assert query(theirs, "SELECT count(*) FROM analysis.of_a_later_version") == [(0,)]
    assert granted.planner_reads == [("analysis", "SELECT"), ("scored", "SELECT")]
    assert granted.needless == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM raw.order_lines",
        "SELECT * FROM derived.cells",
        "INSERT INTO scored.runs (run_id, flow, started_at, status, code_version) VALUES ('x', 'x', now(), 'x', 'x')",
        "UPDATE scored.demand_forecast SET mean_units = 0",
        "DELETE FROM scored.true_demand",
        "TRUNCATE scored.churn_score",
        "DROP TABLE scored.churn_score",
        "CREATE TABLE scored.mine (x int)",
        "CREATE VIEW analysis.mine AS SELECT 1",
        "CREATE SCHEMA mine",
        "ALTER TABLE scored.runs ADD COLUMN mine int",
        f"SET ROLE {OWNER}",
    ],
)
def test_a_planner_may_do_nothing_else(granted_url: str, statement: str) -> None:
    with pytest.raises(REFUSED):
        query(granted_url, statement)


def test_input_tables_are_read_by_whom_it_is_granted_until_the_command_takes_it_back(
    postgres_server: PostgresServer, settings: Settings, planner: str, person: str
) -> None:
    theirs = url_for(postgres_server, settings, person)
    assert ("raw", "SELECT") in grants(settings, planner, reads_inputs=True).planner_reads
    assert query(theirs, "SELECT count(*) FROM raw.order_lines") == [(0,)]
    query(settings.warehouse.url, f"GRANT DELETE ON scored.runs TO {planner}")
    assert grants(settings, planner, reads_inputs=False).planner_reads == [("analysis", "SELECT"), ("scored", "SELECT")]
    for statement in ("SELECT * FROM raw.order_lines", "DELETE FROM scored.runs"):
        with pytest.raises(REFUSED):
            query(theirs, statement)


def test_a_reader_of_everything_may_ask_for_the_status(
    postgres_server: PostgresServer, settings: Settings, planner: str, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    grants(settings, planner, reads_inputs=True)
    monkeypatch.setenv("UNCAP_WAREHOUSE_URL", url_for(postgres_server, settings, person))
    monkeypatch.setenv("UNCAP_TRACKING_URI", "/nowhere/mlruns")
    assert main(["status"]) == 0


def test_who_may_make_roles_makes_the_planner_with_a_password_that_nobody_is_shown(
    postgres_server: PostgresServer, settings: Settings, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres_server.execute(f"ALTER ROLE {OWNER} CREATEROLE")
    try:
        monkeypatch.setenv("UNCAP_WAREHOUSE_URL", settings.warehouse.url)
        monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
        assert main(["grants", "--role", "viewer"]) == 0
    finally:
        postgres_server.execute(f"ALTER ROLE {OWNER} NOCREATEROLE")
    said = capfd.readouterr()
    assert PASSWORD not in said.out + said.err
    assert "CREATEROLE" in said.out + said.err
    postgres_server.passwords["viewer"] = PASSWORD.replace(" ", "%20")
    assert query(url_for(postgres_server, settings, "viewer"), "SELECT count(*) FROM scored.runs") == [(0,)]
    stored = postgres_server.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'viewer'")[0][0]
    assert stored.startswith("SCRAM-SHA-256$4096:")


def test_who_may_not_make_roles_is_told_what_an_administrator_runs(settings: Settings) -> None:
    with pytest.raises(WarehouseError, match="role nobody_yet: there is none, and uncap may not make one") as refused:
        grants(settings, "nobody_yet", reads_inputs=False)
    assert "CREATE ROLE nobody_yet NOLOGIN" in refused.value.hint


@pytest.mark.parametrize("name", ["a; DROP SCHEMA raw", 'x"y', "Planner", "pg_read_all_data", "public", "", "x" * 64])
def test_a_name_that_is_none_of_a_role_is_refused(settings: Settings, name: str) -> None:
    with pytest.raises(UsageError, match="expected lower-case letters"):
        grants(settings, name, reads_inputs=False)


def test_a_role_that_is_more_than_a_reader_is_refused(postgres_server: PostgresServer, settings: Settings) -> None:
    if "boss" not in postgres_server.passwords:
        postgres_server.new_role("boss", "LOGIN CREATEDB")
        postgres_server.execute(f"GRANT {OWNER} TO boss")
    with pytest.raises(UsageError, match="more than a reader: CREATEDB, owner of analysis, owner of derived, owner of raw"):
        grants(settings, "boss", reads_inputs=False)
    with pytest.raises(UsageError, match=f"role {OWNER} is more than a reader: owner of"):
        grants(settings, OWNER, reads_inputs=False)


def test_a_short_password_is_refused_without_being_shown(settings: Settings, planner: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{PASSWORD_VARIABLE}: 6 characters") as refused:
        grants(settings, planner, reads_inputs=False, environment={PASSWORD_VARIABLE: "hunter"})
    assert "hunter" not in str(refused.value)


def test_a_file_has_no_roles(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNCAP_WAREHOUSE_URL", "data/warehouse.duckdb")
    assert main(["grants"]) == 2
    said = capfd.readouterr().err
    assert "a DuckDB file has no roles" in said
    assert "copy made after each run" in said


def test_what_is_printed_for_an_administrator_makes_a_warehouse_with_the_least_privileges(
    postgres_server: PostgresServer, planner: str, person: str
) -> None:
    url = postgres_server.url("printed").replace(OWNER, "printed_runs", 1)
    settings = read_settings(environment={"UNCAP_WAREHOUSE_URL": url})
    statements = statements_for_an_administrator(settings, planner, reads_inputs=False)
    theirs = statements.index(next(line for line in statements if line.startswith("-- as printed_runs")))
    for statement in statements[:theirs]:
        if not statement.startswith(("--", "\\", f'CREATE ROLE "{planner}"')):
            postgres_server.execute(statement)
    password = postgres_server.passwords[OWNER]
    postgres_server.execute(f"ALTER ROLE printed_runs PASSWORD '{password}'")
    assert grants(settings, planner, reads_inputs=False).run_may[0] == ("analysis", "DELETE, INSERT, SELECT, TRUNCATE, UPDATE")
    for statement in statements[theirs + 1 :]:
        query(url, statement)
    assert query(postgres_server.url("printed", person), "SELECT count(*) FROM scored.runs") == [(0,)]
    postgres_server.new_role("stranger")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        query(postgres_server.url("printed", "stranger"), "SELECT 1")
