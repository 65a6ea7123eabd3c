"""How one process at a time does what two must not do together, such as making a database for the first time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def only_one_process(lock_file: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a lock file while the body runs; a second process waits, and the system frees it should this one die.

    Parameters
    ----------
    lock_file
        Made with its folder where missing, and left behind empty.
    wait
        Wait for a process that holds it.

    Raises
    ------
    BlockingIOError
        If another process holds it, and it is not waited for.
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
