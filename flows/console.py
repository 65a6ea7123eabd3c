"""What a person sees of a command: steps and failures on stderr, results on stdout; plain lines where nobody is watching."""

from __future__ import annotations

import io
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from contracts.errors import UncapError
from contracts.steps import Part
from flows.log_lines import WARNING, Level, in_json, json_line, printable

Say = Callable[[str], None]
"""Tells a step in a line of text: a `contracts.steps.Step` with its rows, a `Part` how far it is; functions that take long accept one."""

LINE_WIDTH = 160
"""Columns of a table that goes to a file or a pipe."""


def console_for_steps() -> Console:
    """Return a console on stderr, without colours or wrapping where stderr is not a terminal."""
    return _console(stderr=True)


def console_for_results() -> Console:
    """Return a console on stdout, without colours or wrapping where stdout is not a terminal."""
    return _console(stderr=False)


class NamedRun(Protocol):
    """What the log says of the run that a step belongs to."""

    run_id: str
    as_of: date | None


@contextmanager
def narrated(title: str, run: NamedRun | None = None, *, bar: bool = True) -> Iterator[Say]:
    """Tell the steps of a command on stderr, a line each, and on a terminal how far the one under way is.

    Text has the seconds since the beginning; JSON has those since the step before (``seconds``) and since the beginning
    (``elapsed_seconds``), the run and the rows.

    Parameters
    ----------
    title
        The command, such as ``load``.
    run
        The run that is recorded, if it is; its ``as_of`` may become known later.
    bar
        Whether a terminal is to show one: not around commands that have their own.

    Yields
    ------
    Say
        Takes one line of text, either what begins or what is done; one that begins with ``warning:`` stands out, and a
        ``Part`` is a bar on a terminal that the next line takes away, and nothing elsewhere.
    """
    log = _StepLog(title, run)
    if run is not None:
        log(f"run {run.run_id}")
    if not bar or not log.console.is_terminal or in_json():
        yield log
        return
    with _Bar(title, log.console) as log.bar:
        yield log


class _Bar(Progress):
    """The last line of a terminal while a command runs: what is under way, how far it is, and for how long."""

    def __init__(self, title: str, console: Console) -> None:
        of_all = TextColumn("{task.fields[of_all]}")
        super().__init__(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(pulse_style="bar.back"),
            of_all,
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._title = title
        self._shown: Part | None = None
        self._task = self._begin(title, None)

    def _begin(self, what: str, total: int | None) -> TaskID:
        return self.add_task(what, total=total, of_all="")

    def show(self, part: Part | None) -> None:
        """Show how far a part is, or, after a step, only that the next is under way."""
        if part is None or part != self._shown:
            self.remove_task(self._task)
            what = f"{self._title}: {printable(part)}" if part is not None else self._title
            self._shown, self._task = part, self._begin(what, None if part is None else part.total)
        if part is not None:
            self.update(self._task, completed=part.done, of_all=f"{part.done:,} of {part.total:,}")


class _StepLog:
    """The lines of one command, which know when the one before was."""

    def __init__(self, title: str, run: NamedRun | None) -> None:
        self.console = console_for_steps()
        self.bar: _Bar | None = None
        self._title, self._run = title, run
        self._began = self._last = time.monotonic()

    def __call__(self, step: str) -> None:
        """Write the line of a step; show how far it is where that is all there is to tell, and somebody watches."""
        part = step if isinstance(step, Part) else None
        if self.bar is not None:
            self.bar.show(part)
        if part is None:
            self._write(step)

    def _write(self, step: str) -> None:
        now = time.monotonic()
        since_last, elapsed, self._last = now - self._last, now - self._began, now
        warns = step.startswith(WARNING.strip())
        if not in_json():
            text = (printable(step), "yellow" if warns else "")
            self.console.print(Text.assemble((f"{self._title} {elapsed:6.1f} s  ", "dim"), text))
            return
        facts = {
            "flow": self._title,
            "run_id": self._run.run_id if self._run else None,
            "as_of": self._run.as_of if self._run else None,
            "step": step.removeprefix(WARNING),
            "rows": getattr(step, "rows", None),
            "seconds": round(since_last, 2),
            "elapsed_seconds": round(elapsed, 2),
        }
        _print_line(json_line("warning" if warns else "info", facts))


def tell(text: str, level: Level = "info") -> None:
    """Write a line that belongs to no step on stderr, such as what is waited for."""
    if in_json():
        _print_line(json_line(level, {"message": text}))
    else:
        console_for_steps().print(Text(printable(text)))


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
    notes = list(getattr(error, "__notes__", ()))
    if in_json():
        _print_line(
            json_line("error", {"message": error.message, "hint": error.hint, "exit_code": error.exit_code, "notes": notes or None})
        )
        return
    console = console_for_steps()
    console.print(Text.assemble(("error: ", "bold red"), printable(error.message)))
    for note in notes:
        console.print(Text.assemble(("note: ", "bold"), printable(note)))
    console.print(Text.assemble(("hint: ", "bold"), printable(error.hint)))


def print_crash(error: BaseException, *, with_traceback: bool) -> None:
    """Print a failure that uncap does not understand: one line and where its traceback lies, or the traceback itself."""
    lines = "".join(traceback.format_exception(error))
    if with_traceback:
        console_for_steps().print(Text(printable(lines)))
        return
    first_line = f"unexpected {type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
    _print_crash(first_line, f"{_kept(lines)}; `uncap --debug …` prints it")


def _print_crash(first_line: str, hint: str) -> None:
    if in_json():
        _print_line(json_line("error", {"message": first_line, "hint": hint, "exit_code": 1}))
        return
    console = console_for_steps()
    console.print(Text.assemble(("error: ", "bold red"), printable(first_line)))
    console.print(Text.assemble(("hint: ", "bold"), printable(hint)))


def _kept(lines: str) -> str:
    """Keep a traceback in a file of the user's alone, and say where; a full disk must not hide the failure itself."""
    try:
        with tempfile.NamedTemporaryFile("w", prefix="uncap-", suffix=".traceback.txt", delete=False, encoding="utf-8") as file:
            file.write(lines)
    except OSError as failure:
        return f"the traceback could not be kept ({failure})"
    return f"the traceback is in {file.name}"


def _print_line(line: str) -> None:
    if sys.stderr is not None:
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - a console would wrap and colour it


def print_what_cannot_be_encoded() -> None:
    """Let characters that the encoding of stdout or stderr lacks be spelled out, rather than end the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _console(*, stderr: bool) -> Console:
    # a process may be started without either
    stream = (sys.stderr if stderr else sys.stdout) or io.StringIO()
    watched = stream.isatty()
    # told, because variables such as FORCE_COLOR would have a bar drawn into a log
    return Console(file=stream, force_terminal=watched, soft_wrap=not watched, width=None if watched else LINE_WIDTH, highlight=False)


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
    return f"{value:.4g}" if isinstance(value, float) else printable(str(value))
