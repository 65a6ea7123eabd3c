# ruff: noqa: INP001 - a script beside the one that runs all checks, in a folder that is no package
"""Are the packages of the lock file known to be vulnerable, and is the lock such that nothing else can be installed?

    python .ci/audit.py

Tells three cases apart: audited and clean (exit 0), a vulnerability or a fault of the lock (exit 1), and not audited because the
database of vulnerabilities cannot be reached (said loudly; exit 0, or 1 where ``UNCAP_REQUIRE_AUDIT=1``). pip-audit exits 0 in the last
case too.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
AUDITOR = "pip-audit==2.10.1"
SECONDS = 600

ACCEPTED: Mapping[str, str] = {}
"""Vulnerabilities that do not concern us, by their id, with the reason; remove one when a version without it is locked."""

_PINNED = re.compile(r"^[A-Za-z0-9._-]+(\[[^]]*\])?==[^\s;*]+")
_BOUNDED = re.compile(r"<|==|~=")


@dataclass(frozen=True)
class Audit:
    """What pip-audit found.

    Attributes
    ----------
    vulnerable
        A line per vulnerability that is not accepted.
    unaudited
        A line per package of which nothing is known.
    audited
        How many packages were looked up.
    """

    vulnerable: tuple[str, ...]
    unaudited: tuple[str, ...]
    audited: int


def lock_faults(lock: str) -> list[str]:
    r"""Return what is wrong with a lock file: a requirement that is not pinned, comes from elsewhere than an index, or has no hash.

    >>> lock_faults("numpy==2.4.0 --hash=sha256:00\npandas>=3")
    ['pandas>=3: not pinned to one version', 'pandas>=3: no hash']
    """
    faults = []
    for entry in _entries(lock):
        words = entry.split()
        if not _PINNED.match(entry) or "@" in words[0] or "://" in entry:
            faults.append(f"{words[0]}: not pinned to one version")
        if not any(word.startswith("--hash=sha256:") for word in words):
            faults.append(f"{words[0]}: no hash")
    return faults


def range_faults(project: Mapping[str, object]) -> list[str]:
    """Return the requirements of a pyproject.toml to install or build that have no upper bound; those to develop are locked anyway.

    >>> range_faults({"project": {"dependencies": ["numpy>=2.2,<3", "pandas>=3"]}, "build-system": {"requires": []}})
    ['pandas>=3: no upper bound']
    """
    requirements = [*_listed(project, "project", "dependencies"), *_listed(project, "build-system", "requires")]
    return [f"{requirement}: no upper bound" for requirement in requirements if not _BOUNDED.search(requirement)]


def read_audit(report: str, accepted: Mapping[str, str] = ACCEPTED) -> Audit:
    """Return what a JSON report of pip-audit says.

    >>> read_audit('{"dependencies": [{"name": "jinja2", "skip_reason": "could not be audited"}], "fixes": []}')
    Audit(vulnerable=(), unaudited=('jinja2: could not be audited',), audited=0)
    """
    dependencies = json.loads(report)["dependencies"]
    looked_up = [found for found in dependencies if "skip_reason" not in found]
    vulnerable = [
        f"{found['name']} {found['version']}: {flaw['id']}, fixed in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for found in looked_up
        for flaw in found["vulns"]
        if not accepted.keys() & {flaw["id"], *flaw.get("aliases", ())}
    ]
    unaudited = [f"{found['name']}: {found['skip_reason']}" for found in dependencies if "skip_reason" in found]
    return Audit(tuple(vulnerable), tuple(unaudited), len(looked_up))


def verdict(faults: Sequence[str], audit: Audit | None, *, required: bool) -> tuple[int, list[str]]:
    """Return the exit code and what to say.

    Parameters
    ----------
    faults
        Of the lock and the ranges.
    audit
        None where pip-audit could not run at all.
    required
        Whether a lock that was not audited fails.
    """
    told = [f"audit: {fault}" for fault in faults]
    told += [f"audit: VULNERABLE: {line}" for line in (audit.vulnerable if audit else ())]
    failed = bool(told)
    if audit is not None and audit.audited and not audit.unaudited:
        return int(failed), [*told, f"audit: {audit.audited} packages audited, {len(audit.vulnerable)} vulnerabilities"]
    missed = "all packages" if audit is None else f"{len(audit.unaudited)} of {len(audit.unaudited) + audit.audited} packages"
    why = audit.unaudited[0] if audit and audit.unaudited else "pip-audit could not run"
    told.append(f"audit: NOT AUDITED: {missed} of requirements.lock: {why}")
    told.append("audit: NOT AUDITED: nothing is known of their vulnerabilities; run `make audit` where PyPI's own API can be reached")
    return int(failed or required), told


def run_auditor(lock: Path) -> Audit | None:
    """Run pip-audit on a lock file, None where it cannot be installed or started."""
    options = ["--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off"]
    words = ["tool", "run", AUDITOR, "--requirement", str(lock), *options]
    uv = Path(sys.executable).with_name("uv")
    try:
        ran = subprocess.run(  # noqa: S603 - no user's words
            [str(uv) if uv.exists() else "uv", *words], capture_output=True, text=True, check=False, timeout=SECONDS
        )
        return read_audit(ran.stdout)
    except (OSError, subprocess.TimeoutExpired, json.JSONDecodeError) as failure:
        print(f"audit: {AUDITOR} could not run: {type(failure).__name__}: {failure}", file=sys.stderr)  # noqa: T201 - a script
        return None


def main() -> int:
    """Audit the lock of this project."""
    lock = PROJECT / "requirements.lock"
    faults = lock_faults(lock.read_text(encoding="utf-8"))
    faults += range_faults(tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8")))
    code, told = verdict(faults, run_auditor(lock), required=os.environ.get("UNCAP_REQUIRE_AUDIT") == "1")  # noqa: TID251 - a script
    print("\n".join(told), file=sys.stderr)  # noqa: T201
    return code


def _entries(lock: str) -> list[str]:
    joined = lock.replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def _listed(tree: Mapping[str, object], section: str, key: str) -> list[str]:
    values = tree.get(section)
    listed = values.get(key, []) if isinstance(values, dict) else []
    return [str(requirement) for requirement in listed]


if __name__ == "__main__":
    sys.exit(main())
