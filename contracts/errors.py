"""What can go wrong, each kind with the exit code a scheduler sees and a hint on what to do.

Exit codes (0 is success): 2 bad usage or configuration, 3 bad input data, 1 anything else.
"""

from __future__ import annotations

from collections.abc import Sequence


class UncapError(Exception):
    """A failure that uncap understands: what is wrong, then what to do about it.

    Parameters
    ----------
    message
        What is wrong, where, and how many; may have several lines.
    hint
        What the reader can do about it, one sentence.

    Examples
    --------
    >>> print(UncapError("no champion for demand", hint="run `uncap train` first"))
    no champion for demand
    Hint: run `uncap train` first
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nHint: {self.hint}"


class UsageError(UncapError):
    """A command was called with words or values that make no sense."""

    exit_code = 2


class ConfigurationError(UncapError):
    """A setting is unknown, missing, or out of range."""

    exit_code = 2


class InputDataError(UncapError):
    """The data given breaks the contract; all faults found are listed, and nothing was kept.

    Examples
    --------
    >>> fault = "supply.week_start: not a Monday, 2 rows, first week_start=2019-10-01, sku_id=S1; expected the Monday of the week"
    >>> print(InputDataError([fault], hint="correct the files and load again; nothing was kept"))
    supply.week_start: not a Monday, 2 rows, first week_start=2019-10-01, sku_id=S1; expected the Monday of the week
    Hint: correct the files and load again; nothing was kept
    """

    exit_code = 3

    def __init__(self, faults: Sequence[str], *, hint: str) -> None:
        super().__init__("\n".join(faults), hint=hint)
        self.faults = tuple(faults)


class WarehouseError(UncapError):
    """The warehouse cannot be reached, is locked, or refused a statement."""


class WarehouseAwayError(WarehouseError):
    """Another session holds the warehouse, or its server cannot be reached: in a minute the same may succeed."""


class TrackingError(UncapError):
    """The tracking store cannot be reached, or lacks the model that is asked for."""
