"""How processes that run tests side by side share what takes long to make: the first one makes it, the others wait."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.locking import only_one_process


def made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that one process of the session has filled.

    Parameters
    ----------
    tmp_path_factory
        Of this process. The folders of processes that pytest-xdist started lie side by side in that of the session.
    name
        Of the folder.
    make
        Fills it; it is there and empty.
    """
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    whole = folder.with_suffix(".made")
    with only_one_process(folder.with_suffix(".lock")):
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            whole.touch()
    return folder
