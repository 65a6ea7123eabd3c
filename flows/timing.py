"""How long the parts of a training take, to be logged with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Adds up seconds by part.

    Examples
    --------
    >>> watch = Stopwatch()
    >>> with watch("lightgbm"):
    ...     pass
    >>> sorted(watch.metrics())
    ['seconds.lightgbm', 'seconds.total']
    """

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        """Count the seconds of the body for a part."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._seconds[part] = self._seconds.get(part, 0.0) + time.monotonic() - began

    def copy(self) -> Stopwatch:
        """Return a watch that goes on from here on its own."""
        other = Stopwatch()
        other._began, other._seconds = self._began, dict(self._seconds)
        return other

    def metrics(self) -> dict[str, float]:
        """Return ``seconds.{part}`` of each part and ``seconds.total`` since the beginning."""
        parts = {f"seconds.{part}": round(seconds, 2) for part, seconds in self._seconds.items()}
        return parts | {"seconds.total": round(time.monotonic() - self._began, 2)}
