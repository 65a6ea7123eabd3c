"""What a tuning found, as a person reads it and as a file to pass with ``--config``."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.text import Text

from flows.configuration import Tree, overlay
from flows.console import console_for_results, table_of
from flows.search_space import Values

UNSEEN = 2
"""Origins of the backtest that is advised on which no trial was judged."""


@dataclass(frozen=True)
class Tuning:
    """The state of a study when a call ends.

    Attributes
    ----------
    as_of
        Nothing later counted.
    origins
        Sundays the trials trained as of, newest first.
    trials, new_trials
        Finished or broken off, of all calls and of this one.
    present_loss
        Pinball loss of the settings that were given, mean over the origins.
    best_trial, best_loss, best
        Number, loss and settings of the best trial; the present settings where nothing beats them.
    """

    as_of: date
    origins: Sequence[date]
    trials: int
    new_trials: int
    present_loss: float
    best_trial: int
    best_loss: float
    best: Values

    @property
    def better(self) -> bool:
        """Whether anything beats the present settings."""
        return self.best_loss < self.present_loss

    @property
    def change(self) -> float:
        """Relative change of the loss, below 0 where it fell."""
        return self.best_loss / self.present_loss - 1

    def rows(self) -> list[dict[str, object]]:
        """Return one row for the present settings and one for the best."""
        rows: list[dict[str, object]] = [{"settings": "present", "pinball loss": round(self.present_loss, 5), "change": None}]
        if self.better:
            rows.append(
                {"settings": f"trial {self.best_trial}", "pinball loss": round(self.best_loss, 5), "change": f"{100 * self.change:+.2f} %"}
            )
        return rows

    def sentence(self) -> str:
        """Return where the losses come from."""
        after = " and ".join(str(origin) for origin in self.origins)
        here = "" if self.new_trials == self.trials else f", {self.new_trials} of them now"
        return f"Demand model as of {self.as_of}: {counted(self.trials)}{here}, each judged on the eight weeks after {after}"


def write_tuned(tuning: Tuning, config: Path | None, out: Path) -> None:
    """Write the best settings, laid over those of the configuration file that was given, so that the file stands alone."""
    own = tomllib.loads(config.read_text(encoding="utf-8")) if config else {}
    head = (
        f"# {tuning.sentence()}.\n# Pinball loss {tuning.best_loss:.5f}, {tuning.present_loss:.5f} before ({100 * tuning.change:+.2f} %).\n"
    )
    out.write_text(head + as_toml(overlay(own, _tree(tuning.best))), encoding="utf-8")


def print_tuning(tuning: Tuning, out: Path) -> None:
    """Print losses, the best settings and what to do with them."""
    console, rows = console_for_results(), tuning.rows()
    console.print(table_of(tuning.sentence(), list(rows[0]), [list(row.values()) for row in rows], numbers=["pinball loss", "change"]), "")
    if not tuning.better:
        console.print("Nothing beats the present settings; nothing was written. The same command goes on from here.")
        return
    searched = len(tuning.origins)
    for line in (
        as_toml(_tree(tuning.best)).strip(),
        "",
        f"Written to {out}. The best of many trials looks better than it is. Confirm with",
        f"  uncap backtest --as-of {tuning.as_of} --origins {searched + UNSEEN} --config {out}",
        f"and the same with the present settings: trials were judged on the {searched} newest of these origins, not on the {UNSEEN} older.",
    ):
        console.print(Text(line))


def as_toml(tree: Tree) -> str:
    """Return a tree of settings as TOML.

    >>> print(as_toml({"warehouse": {"url": "a.duckdb"}, "demand": {"seed": 2, "lightgbm": {"learning_rate": 0.05}}}), end="")
    <BLANKLINE>
    [warehouse]
    url = "a.duckdb"
    <BLANKLINE>
    [demand]
    seed = 2
    <BLANKLINE>
    [demand.lightgbm]
    learning_rate = 0.05
    """
    return "".join(f"{line}\n" for line in _lines(tree))


def _lines(tree: Tree, prefix: str = "") -> Iterator[str]:
    """Yield the lines of a section: its own keys, then its sections. Strings, numbers and lists of JSON are those of TOML."""
    keys = {key: value for key, value in tree.items() if not isinstance(value, dict)}
    if keys and prefix:
        yield from ("", f"[{prefix.removesuffix('.')}]")
    yield from (f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items())
    for key in (key for key in tree if key not in keys):
        yield from _lines(tree[key], f"{prefix}{key}.")


def _tree(values: Values) -> Tree:
    return {"demand": {"lightgbm": values}}


def counted(trials: int) -> str:
    """Return a number of trials in words.

    >>> counted(1), counted(2)
    ('1 trial', '2 trials')
    """
    return f"{trials} trial" if trials == 1 else f"{trials} trials"
