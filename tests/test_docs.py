"""The generated pages say what the contract and the catalogues say, and links between the pages lead somewhere."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
PAGES = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").glob("*.md")])


@pytest.mark.parametrize("name", ["tables", "features"])
def test_a_generated_page_is_up_to_date(name: str) -> None:
    generator = PROJECT / "docs" / f"generate_{name}.py"
    made = runpy.run_path(str(generator))["page"]()
    stored = (PROJECT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    assert stored == made, f"run `.venv/bin/python docs/{generator.name}`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_of_the_project(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_named_in_a_page_exist(page: Path) -> None:
    named = re.findall(r"`((?:contracts|warehouse|features|models|demo|flows|conf|docs|tests)/[\w./]*)`", page.read_text(encoding="utf-8"))
    assert [name for name in named if not (PROJECT / name).exists()] == []
