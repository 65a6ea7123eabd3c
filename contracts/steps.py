"""What does a step of a command tell: a sentence for people, the rows it is about for whoever counts them, how far it is for a bar?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Self, TypeVar

Item = TypeVar("Item")


class Step(str):
    """A line about a step that is done, wherever a line of text is taken; a structured log has its rows in a field of their own.

    Parameters
    ----------
    text
        What was done, with the rows in words.
    rows
        How many rows it was.

    Examples
    --------
    >>> told = Step("all 16,408 pair-weeks forecast", rows=16408)
    >>> print(told, told.rows)
    all 16,408 pair-weeks forecast 16408
    """

    __slots__ = ("rows",)
    rows: int

    def __new__(cls, text: str, *, rows: int) -> Self:
        """Return the text with its rows."""
        step = super().__new__(cls, text)
        step.rows = rows
        return step


def counted(rows: int, what: str) -> Step:
    """Return the step that begins with how many rows it was.

    >>> counted(16408, "pair-weeks forecast")
    '16,408 pair-weeks forecast'
    """
    return Step(f"{rows:,} {what}", rows=rows)


class Part(str):
    """How far a step that takes long is, wherever a line of text is taken: a bar on a terminal, and nothing in a log.

    Parameters
    ----------
    text
        What is being done.
    done, total
        How many parts of it are done, and of how many.
    """

    __slots__ = ("done", "total")
    done: int
    total: int

    def __new__(cls, text: str, *, done: int, total: int) -> Self:
        """Return the text with how far it is."""
        part = super().__new__(cls, text)
        part.done, part.total = done, total
        return part


def in_parts(items: Sequence[Item], what: str, say: Callable[[str], None]) -> Iterator[Item]:
    """Yield items, and tell before each how many were done.

    >>> told = []
    >>> list(in_parts(["2019-09-22", "2019-09-29"], "cut-offs", told.append))
    ['2019-09-22', '2019-09-29']
    >>> [(str(part), part.done, part.total) for part in told]
    [('cut-offs', 0, 2), ('cut-offs', 1, 2)]
    """
    for done, item in enumerate(items):
        say(Part(what, done=done, total=len(items)))
        yield item
