"""What the tests share: an environment of their own, settings on temporary stores, and one Prefect server for the session."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import hypothesis
import pytest

from flows.environment import prepare
from flows.settings import Settings, read_settings
from tests.shared_folder import made_once

MADE_FIRST = "tests/flows/test_train_score.py"
"""The first to ask for the scored county, which takes a minute to make: another process has other tests until then."""


OF_THE_TESTS = ("UNCAP_TESTS_NEED_POSTGRES",)
"""Variables of uncap that say how to test; the others would point the tests at somebody's own stores."""

TERMINAL = ("FORCE_COLOR", "PY_COLORS", "COLUMNS", "TERMINAL_WIDTH", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "GITHUB_ACTIONS")
"""Variables by which what is printed differs."""


def pytest_configure(config: pytest.Config) -> None:
    """Set the environment before any test imports Prefect or MLflow, away from the project's own stores."""
    # MLflow warns about its own type hints when mlflow.pyfunc is imported
    config.addinivalue_line("filterwarnings", "ignore:.*Any type hint is inferred as AnyType:UserWarning")
    for variable in list(os.environ):
        if variable in (*TERMINAL, "PREFECT_API_URL") or (variable.startswith("UNCAP_") and variable not in OF_THE_TESTS):
            del os.environ[variable]
    # on a machine with other work a test may take any time; what passed once is to pass again
    hypothesis.settings.register_profile("uncap", deadline=None, derandomize=True)
    hypothesis.settings.load_profile("uncap")
    os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="uncap-tests-prefect-")
    prepare(read_settings())


def pytest_unconfigure() -> None:
    """Remove what `pytest_configure` made."""
    shutil.rmtree(os.environ["PREFECT_HOME"], ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files that take long first, and those that wait for the county behind those that do not."""
    with_county = {item.path for item in items if "county" in _fixtures(item)}

    def place(item: pytest.Item) -> tuple[bool, bool, bool, bool]:
        first, postgres, flows = (item.nodeid.startswith(start) for start in (MADE_FIRST, "tests/postgres/", "tests/flows/"))
        return not first, not postgres, not flows, item.path in with_county

    items.sort(key=place)


def _fixtures(item: pytest.Item) -> list[str]:
    """The names of the fixtures of a test; a doctest has none."""
    return list(getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def migrated_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database with all its tables: making one takes seconds, copying it does not."""

    def migrate(folder: Path) -> None:
        from mlflow import MlflowClient

        address = f"sqlite:///{folder / 'mlflow.db'}"
        MlflowClient(tracking_uri=address, registry_uri=address).search_registered_models()

    return made_once(tmp_path_factory, "migrated", migrate) / "mlflow.db"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The shipped settings on a warehouse and a tracking store that are not there yet; one further attempt, at once."""
    stores = {"UNCAP_WAREHOUSE_URL": str(tmp_path / "warehouse.duckdb"), "UNCAP_TRACKING_URI": str(tmp_path / "mlruns")}
    shipped = read_settings(environment=stores)
    return shipped.model_copy(update={"retries": shipped.retries.model_copy(update={"attempts": 1, "delay_seconds": 0.0})})


@pytest.fixture
def tracked_settings(settings: Settings, tmp_path: Path, migrated_store: Path) -> Settings:
    """The same on a tracking store whose database is made, though without an experiment."""
    (tmp_path / "mlruns").mkdir()
    shutil.copy(migrated_store, tmp_path / "mlruns" / "mlflow.db")
    return settings


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """A Prefect server for every flow of the session."""
    import httpx
    from prefect.testing.utilities import prefect_test_harness

    with ExitStack() as server:
        for _ in range(3):
            # while it starts, the harness takes a refused connection for "not yet", but not an answer that comes late
            with suppress(httpx.TimeoutException):
                server.enter_context(prefect_test_harness(server_startup_timeout=600))
                break
        else:
            pytest.fail("no Prefect server in three attempts")
        yield
