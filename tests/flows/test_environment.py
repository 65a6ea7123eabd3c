"""What is set before the libraries are imported, and what is said when the system lacks something."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from contracts.errors import ConfigurationError
from flows.environment import QUIET_AND_OFFLINE, prepare, require_openmp
from flows.locations import PROJECT_FOLDER
from flows.settings import read_settings


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for variable in [*QUIET_AND_OFFLINE, "PREFECT_HOME", "PREFECT_API_URL", "PREFECT_LOGGING_LEVEL", "PREFECT_LOGGING_TO_API_ENABLED"]:
        # set, then deleted: so that monkeypatch puts back what it was, and takes away what the test adds
        monkeypatch.setenv(variable, "")
        monkeypatch.delenv(variable)
    return monkeypatch


@pytest.mark.usefixtures("bare_environment")
def test_prefect_lives_in_the_project_and_nothing_phones_home() -> None:
    prepare(read_settings(environment={}))
    assert os.environ["PREFECT_HOME"] == str(PROJECT_FOLDER / ".prefect")
    assert os.environ["DO_NOT_TRACK"] == "true"
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"
    assert os.environ["PREFECT_LOGGING_TO_API_ENABLED"] == "false"


def test_what_the_user_has_set_stays(bare_environment: pytest.MonkeyPatch) -> None:
    bare_environment.setenv("PREFECT_HOME", "/srv/prefect")
    bare_environment.setenv("PREFECT_API_URL", "http://127.0.0.1:4200/api")
    bare_environment.setenv("PREFECT_LOGGING_LEVEL", "DEBUG")
    prepare(read_settings(environment={}))
    assert os.environ["PREFECT_HOME"] == "/srv/prefect"
    assert os.environ["PREFECT_LOGGING_LEVEL"] == "DEBUG"
    assert os.environ["PREFECT_LOGGING_TO_API_ENABLED"] == "true"


def test_garbage_is_looked_for_less_often_than_python_does_unasked() -> None:
    unasked = "import gc; print(gc.get_threshold()[0])"
    asked = "from flows.environment import prepare; from flows.settings import read_settings; prepare(read_settings()); "
    objects = [
        subprocess.run([sys.executable, "-c", words], capture_output=True, check=True).stdout for words in (unasked, asked + unasked)
    ]
    assert int(objects[1]) > int(objects[0])


def test_a_missing_openmp_library_is_told_with_the_command_that_installs_it() -> None:
    require_openmp()
    with pytest.raises(ConfigurationError, match="apt-get install libgomp1"):
        require_openmp("libnowhere.so.1")
