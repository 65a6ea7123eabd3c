"""Where settings come from, and what is said about wrong ones."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from contracts.errors import ConfigurationError
from flows.deriving import law_settings
from flows.locations import PROJECT_FOLDER, database_of, tracking_uri, warehouse_url
from flows.settings import Settings, read_settings


def overlaid(folder: Path, text: str, **environment: str) -> Settings:
    config = folder / "mine.toml"
    config.write_text(textwrap.dedent(text), encoding="utf-8")
    return read_settings(config, environment=environment)


def faults(folder: Path, text: str, **environment: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        overlaid(folder, text, **environment)
    assert caught.value.exit_code == 2
    return [fault.replace(f"{folder}/", "") for fault in caught.value.message.split("\n")]


def test_the_shipped_settings_are_complete_and_lie_in_the_project_folder() -> None:
    settings = read_settings(environment={})
    assert settings.warehouse.url == f"duckdb:///{PROJECT_FOLDER}/data/warehouse.duckdb"
    assert settings.tracking.uri == f"sqlite:///{PROJECT_FOLDER}/mlruns/mlflow.db"


def test_the_production_example_can_be_read() -> None:
    settings = read_settings(PROJECT_FOLDER / "conf" / "production.example.toml", environment={})
    assert settings.tracking.uri == "http://127.0.0.1:5000"
    assert settings.publish.keep_weeks.by_table() == {
        "demand_forecast": 26,
        "demand_forecast_total": 26,
        "churn_score": None,
        "cross_sell": 52,
        "monitoring": None,
        "feature_drift": 104,
    }


def test_a_file_changes_only_the_keys_it_has(tmp_path: Path) -> None:
    shipped = read_settings(environment={})
    settings = overlaid(tmp_path, "[demand.lightgbm]\nnum_leaves = 7")
    assert settings.demand.lightgbm == shipped.demand.lightgbm.model_copy(update={"num_leaves": 7})
    assert settings.model_copy(update={"demand": shipped.demand}) == shipped


def test_the_environment_wins_over_the_file_and_the_file_over_the_base(tmp_path: Path) -> None:
    text = '[warehouse]\nurl = "/file/w.duckdb"\n[tracking]\nuri = "/file/mlruns"'
    settings = overlaid(tmp_path, text, UNCAP_WAREHOUSE_URL="/environment/w.duckdb")
    assert settings.warehouse.url == "duckdb:////environment/w.duckdb"
    assert settings.tracking.uri == "sqlite:////file/mlruns/mlflow.db"


def test_an_empty_environment_variable_counts_as_not_set(tmp_path: Path) -> None:
    assert overlaid(tmp_path, "", UNCAP_TRACKING_URI="") == read_settings(environment={})


def test_relative_paths_start_at_the_project_in_a_file_and_at_the_current_folder_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = overlaid(tmp_path, '[warehouse]\nurl = "here/w.duckdb"', UNCAP_TRACKING_URI="there")
    assert settings.warehouse.url == f"duckdb:///{PROJECT_FOLDER}/here/w.duckdb"
    assert settings.tracking.uri == f"sqlite:///{tmp_path}/there/mlflow.db"


def test_zero_threads_are_every_core(tmp_path: Path) -> None:
    assert overlaid(tmp_path, "[warehouse]\nthreads = 0").warehouse.threads >= 1
    assert overlaid(tmp_path, "[warehouse]\nthreads = 3").warehouse.threads == 3


def test_settings_cannot_be_changed() -> None:
    settings = read_settings(environment={})
    with pytest.raises(ValueError, match="frozen"):
        settings.demand.seed = 2  # type: ignore[misc] # it is refused: that is the test


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[warehouse]\nurll = 'x'", "mine.toml: warehouse.urll: unknown key; did you mean warehouse.url?"),
        ("[wharehouse]\nurl = 'x'", "mine.toml: wharehouse: unknown key; did you mean warehouse?"),
        ("url = 'x'", "mine.toml: url: unknown key; did you mean warehouse.url?"),
        ("[demand.lightgbm]\nseed = 1", "mine.toml: demand.lightgbm.seed: unknown key; did you mean demand.seed?"),
        ("[demand]\nnum_leaves = 1", "mine.toml: demand.num_leaves: unknown key; did you mean demand.lightgbm.num_leaves?"),
        ("[warehouse]\nthreads = 'two'", "mine.toml: warehouse.threads: should be a valid integer, not 'two'"),
        (
            "[tune.ranges]\nnum_leaves = [9, 3]",
            "mine.toml: tune.ranges.num_leaves: Value error, should be two numbers, the lower one first, not [9, 3]",
        ),
        ("[warehouse]\nthreads = -1", "mine.toml: warehouse.threads: should be greater than or equal to 0, not -1"),
        ("[warehouse]\nurl = 7", "mine.toml: warehouse.url: should be a valid string, not 7"),
        (
            "[tracking]\nuri = 'ftp://x'",
            "mine.toml: tracking.uri: 'ftp://x' is in no known form; expected a folder, sqlite:////absolute.db or http(s)://server",
        ),
        (
            "[warehouse]\nurl = 'duckdb://'",
            "mine.toml: warehouse.url: 'duckdb://' names no file; expected a path, duckdb:///relative or duckdb:////absolute",
        ),
        ("warehouse = 1", "mine.toml: warehouse: should be a valid dictionary or instance of Warehouse, not 1"),
    ],
)
def test_a_fault_is_told_with_its_place_its_path_and_what_is_expected(tmp_path: Path, text: str, fault: str) -> None:
    assert faults(tmp_path, text) == [fault]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    told = faults(tmp_path, "zzz = 1\n[demand]\nseed = 'a'\ncut_offs = 0", UNCAP_WAREHOUSE_URL="mysql://x")
    assert [fault.split(": ")[1] for fault in told] == ["warehouse.url", "demand.seed", "demand.cut_offs", "zzz"]
    assert told[0].startswith("UNCAP_WAREHOUSE_URL: ")
    assert told[-1].startswith("mine.toml: zzz: unknown key; known sections are warehouse, tracking, ")


def test_a_missing_file_and_a_broken_one_are_configuration_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml: cannot be read: No such file or directory"):
        read_settings(tmp_path / "nowhere.toml", environment={})
    assert faults(tmp_path, "[demand\nseed = 1")[0].startswith("mine.toml: not TOML: ")


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("w.duckdb", "duckdb:////project/w.duckdb"),
        ("/srv/w.duckdb", "duckdb:////srv/w.duckdb"),
        ("duckdb:///w.duckdb", "duckdb:////project/w.duckdb"),
        ("duckdb:////srv/w.duckdb", "duckdb:////srv/w.duckdb"),
        ("postgresql://planner@db/uncap", "postgresql://planner@db/uncap"),
    ],
)
def test_every_form_of_a_warehouse_url_becomes_absolute(address: str, url: str) -> None:
    assert warehouse_url(address, Path("/project")) == url


@pytest.mark.parametrize(
    ("address", "uri", "database"),
    [
        ("mlruns", "sqlite:////project/mlruns/mlflow.db", "/project/mlruns/mlflow.db"),
        ("/srv/runs", "sqlite:////srv/runs/mlflow.db", "/srv/runs/mlflow.db"),
        ("sqlite:////srv/a.db", "sqlite:////srv/a.db", "/srv/a.db"),
        ("https://mlflow.example.org/", "https://mlflow.example.org", None),
    ],
)
def test_every_form_of_a_tracking_uri_becomes_absolute(address: str, uri: str, database: str | None) -> None:
    assert tracking_uri(address, Path("/project")) == uri
    assert database_of(uri) == (Path(database) if database else None)


def test_the_settings_of_recovery_are_those_of_the_law() -> None:
    settings = read_settings(None)
    assert law_settings(settings).power == settings.recovery.power
