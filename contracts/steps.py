"""What does a step of a command tell: a sentence for people, and the rows it is about for whoever counts them?"""

from __future__ import annotations

from typing import Self


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
    >>> told = Step("16,408 pair-weeks forecast", rows=16408)
    >>> print(told, told.rows)
    16,408 pair-weeks forecast 16408
    """

    __slots__ = ("rows",)
    rows: int

    def __new__(cls, text: str, *, rows: int) -> Self:
        """Return the text with its rows."""
        step = super().__new__(cls, text)
        step.rows = rows
        return step
