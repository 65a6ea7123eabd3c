"""What a person sees of a command: steps and failures on stderr, results on stdout; plain lines where nobody is watching."""

from __future__ import annotations

import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from contracts.errors import UncapError

Say = Callable[[str], None]
"""Tells a step in a line of text; functions that take long accept one."""

LINE_WIDTH = 160
"""Columns of a table that goes to a file or a pipe."""


def console_for_steps() -> Console:
    """Return a console on stderr, without colours or wrapping where stderr is not a terminal."""
    return _console(stderr=True)


def console_for_results() -> Console:
    """Return a console on stdout, without colours or wrapping where stdout is not a terminal."""
    return _console(stderr=False)


@contextmanager
def narrated(title: str) -> Iterator[Say]:
    """Tell the steps of a command on stderr, each with the seconds since the beginning, and on a terminal that it is still alive.

    Parameters
    ----------
    title
        The command, such as ``load``.

    Yields
    ------
    Say
        Takes one line of text, either what begins or what is done; one that begins with ``warning:`` stands out.
    """
    console = console_for_steps()
    began = time.monotonic()

    def say(step: str) -> None:
        seconds = f"{time.monotonic() - began:6.1f} s  "
        console.print(Text.assemble((f"{title} {seconds}", "dim"), (step, "yellow" if step.startswith("warning:") else "")))

    if not console.is_terminal:
        yield say
        return
    bar = Progress(SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn(), console=console, transient=True)
    bar.add_task(title, total=None)
    with bar:
        yield say


def table_of(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Sequence[str] = ()) -> Table:
    """Return a table for the terminal.

    Parameters
    ----------
    title
        Printed above it.
    columns
        Headings.
    rows
        One value per column; None is shown as a dash, whole numbers with thousands separated.
    numbers
        Headings of the columns that are set flush right.
    """
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left")
    for row in rows:
        table.add_row(*(Text(_shown(value)) for value in row))
    return table


def print_failure(error: UncapError) -> None:
    """Print what is wrong and what to do about it on stderr."""
    console = console_for_steps()
    console.print(Text.assemble(("error: ", "bold red"), error.message))
    for note in getattr(error, "__notes__", ()):
        console.print(Text.assemble(("note: ", "bold"), note))
    console.print(Text.assemble(("hint: ", "bold"), error.hint))


def print_crash(error: BaseException, *, with_traceback: bool) -> None:
    """Print a failure that uncap does not understand: one line and where its traceback lies, or the traceback itself."""
    console = console_for_steps()
    lines = "".join(traceback.format_exception(error))
    if with_traceback:
        console.print(Text(lines))
        return
    with tempfile.NamedTemporaryFile("w", prefix="uncap-", suffix=".traceback.txt", delete=False, encoding="utf-8") as file:
        file.write(lines)
    first_line = str(error).strip().partition("\n")[0]
    console.print(Text.assemble(("error: ", "bold red"), f"unexpected {type(error).__name__}: {first_line}"))
    console.print(Text.assemble(("hint: ", "bold"), f"the traceback is in {file.name}; `uncap --debug …` prints it"))


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    watched = stream.isatty()
    return Console(file=stream, soft_wrap=not watched, width=None if watched else LINE_WIDTH, highlight=False)


def _shown(value: object) -> str:
    """Text of a value in a table.

    >>> _shown(7038123), _shown(0.41234), _shown(None)
    ('7,038,123', '0.4123', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
