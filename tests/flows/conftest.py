"""What the tests of the flows share: a county that was scored once, copies of it, and commands that work on a place of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.cli import main
from tests.flows.commands import Command
from tests.shared_folder import made_once
from tests.small_county import Place, ScoredCounty, copy_place, make_scored_county, new_place, scored_county


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory, prefect_server: None, migrated_store: Path) -> ScoredCounty:  # noqa: ARG001 - flows report to it
    """The county as scored; for looking at only. Every process has a copy of its own: DuckDB lets one at a time open a file."""
    shared = made_once(tmp_path_factory, "county", lambda folder: make_scored_county(folder, migrated_store))
    return scored_county(shared, tmp_path_factory.mktemp("county") / "place")


@pytest.fixture
def county_copy(county: ScoredCounty, tmp_path: Path) -> Place:
    """A copy of the scored county, to be changed."""
    return copy_place(county.place, tmp_path / "copy")


@pytest.fixture
def place(tmp_path: Path, migrated_store: Path) -> Place:
    """A place where nothing was loaded yet."""
    return new_place(tmp_path / "place", migrated_store)


@pytest.fixture
def uncap(monkeypatch: pytest.MonkeyPatch, prefect_server: None) -> Command:  # noqa: ARG001 - flows report to it
    """Run a command on a place, in this process, and return its exit code."""

    def run(place: Place, *words: str) -> int:
        for variable, address in place.stores.items():
            monkeypatch.setenv(variable, address)
        return main([*words, "--config", str(place.config)])

    return run
