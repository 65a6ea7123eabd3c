"""How a test runs a command of uncap in its own process."""

from __future__ import annotations

from collections.abc import Callable

Command = Callable[..., int]
"""Takes a place and the words after ``uncap``, and returns the exit code."""
