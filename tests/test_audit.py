"""Whether the audit of the lock file tells clean, vulnerable and not audited apart."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    """The script beside .ci/run, as a module."""
    described = importlib.util.spec_from_file_location("uncap_audit", PROJECT / ".ci" / "audit.py")
    assert described is not None
    assert described.loader is not None
    script = importlib.util.module_from_spec(described)
    sys.modules[described.name] = script
    described.loader.exec_module(script)
    return script


def report(*, vulnerable: bool = False, skipped: bool = False) -> str:
    """Return what pip-audit 2.10 prints about one package that it could look up, or not."""
    if skipped:
        return json.dumps({"dependencies": [{"name": "jinja2", "skip_reason": "Dependency not found on PyPI"}], "fixes": []})
    flaw = {"id": "PYSEC-2014-8", "fix_versions": ["2.7.2"], "aliases": ["CVE-2014-1402"], "description": "temporary files"}
    return json.dumps({"dependencies": [{"name": "jinja2", "version": "2.4.1", "vulns": [flaw] if vulnerable else []}], "fixes": []})


def test_the_lock_and_the_ranges_of_this_project_are_sound(audit: ModuleType) -> None:
    import tomllib

    assert audit.lock_faults((PROJECT / "requirements.lock").read_text()) == []
    assert audit.range_faults(tomllib.loads((PROJECT / "pyproject.toml").read_text())) == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("numpy>=2 --hash=sha256:00", "not pinned"),
        ("numpy==2.4.0", "no hash"),
        ("numpy @ https://example.org/numpy.whl --hash=sha256:00", "not pinned"),
    ],
)
def test_a_lock_that_lets_another_file_in_is_refused(audit: ModuleType, line: str, fault: str) -> None:
    assert [fault in told for told in audit.lock_faults(line)] == [True]


def test_clean_vulnerable_and_not_audited_are_told_apart(audit: ModuleType) -> None:
    def judged(found: object, *, required: bool = False) -> tuple[int, str]:
        code, told = audit.verdict([], found, required=required)
        return code, " ".join(told)

    clean, vulnerable, skipped = (audit.read_audit(text) for text in (report(), report(vulnerable=True), report(skipped=True)))
    assert judged(clean) == (0, "audit: 1 packages audited, 0 vulnerabilities")
    assert judged(vulnerable)[0] == 1
    assert "VULNERABLE: jinja2 2.4.1: PYSEC-2014-8, fixed in 2.7.2" in judged(vulnerable)[1]
    assert judged(audit.read_audit(report(vulnerable=True), {"CVE-2014-1402": "no templates from outside"}))[0] == 0
    for unknown in (skipped, None):
        assert judged(unknown)[0] == 0
        assert "NOT AUDITED" in judged(unknown)[1]
        assert judged(unknown, required=True)[0] == 1
