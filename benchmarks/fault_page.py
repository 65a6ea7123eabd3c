"""How is docs/reliability.md written from the verdicts that are kept?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.fault_places import COUNTY
from benchmarks.fault_verdicts import Fault

HEAD = """\
# Reliability: what goes wrong, and what is left

Written by `python -m benchmarks.fault_injection --page docs/reliability.md`; the figures are in `benchmarks/results/faults.json`.

**{injected} faults injected, {survived} survived.** Each is injected for real into a copy of a small county
({retailers} retailers, {weeks} weeks) that was loaded, trained and scored. Each states what must hold, and that is checked: the stored
tables are compared by a hash of all their values, the next run has to succeed and to leave the tables of an undisturbed one, exit code and
message have to be those that [scheduling.md](scheduling.md) promises, and no traceback may show.
{circumstances}
"""


def write_page(verdicts: Mapping[str, Mapping[str, Any]], faults: Sequence[Fault], page: Path) -> None:
    """Write a table per group: what was injected, what must hold, what was said, whether it was survived."""
    injected = [fault for fault in faults if fault.name in verdicts]
    survived = sum(not verdicts[fault.name]["broken"] for fault in injected)
    parts = [_head(verdicts.get("", {}), len(injected), survived, len(faults))]
    for group in dict.fromkeys(fault.group for fault in injected):
        rows = [_row(fault, verdicts[fault.name]) for fault in injected if fault.group == group]
        parts.append(
            "\n".join(
                [f"## {group[0].upper()}{group[1:]}", "", "| injected | must hold | what was said | survived |", "|---|---|---|---|", *rows]
            )
        )
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _head(told: Mapping[str, Any], injected: int, survived: int, known: int) -> str:
    lasted = f"{known - injected} more of the suite were not injected yet." if injected < known else ""
    if told:
        lasted += (
            f" The last run, of {told['faults']} faults, took {told['seconds'] / 60:.0f} minutes on {told['cores']} cores;"
            f" the load average before it was {told['load_average_at_start']}."
        )
    sizes = {"retailers": COUNTY.n_retailers, "weeks": COUNTY.n_weeks}
    return HEAD.format(injected=injected, survived=survived, circumstances=lasted.strip(), **sizes)


def _row(fault: Fault, verdict: Mapping[str, Any]) -> str:
    cells = (fault.name, fault.promise, verdict["said"], "**no**" if verdict["broken"] else "yes")
    return f"| {' | '.join(_cell(text) for text in cells)} |"


def _cell(text: str, most: int = 240) -> str:
    r"""Return a text as a cell of a Markdown table.

    >>> print(_cell("a | b\nc"))
    a \| b c
    """
    line = " ".join(text.replace("|", r"\|").split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
