"""What is a fault, what has to hold after it, and how is that checked?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.fault_places import Place, Prints
from benchmarks.fault_processes import Ended

NO_ROWS = ["0", "None", "None"]
"""Of a table without rows, and of one that is not there yet."""

FAILURES = (1, 2, 3)
"""Exit codes of the contract for what went wrong."""


@dataclass(frozen=True)
class References:
    """States of the warehouse that a healed one is compared with.

    Attributes
    ----------
    scored
        The earlier weeks loaded, models trained, scored as of the last of them: where every fault begins.
    loaded
        The same with one more week loaded.
    rescored
        The same scored once more: registers that came with the week tell more of the retailers.
    statements
        SQL statements that each command sends, by command.
    seconds
        How long each command takes undisturbed.
    """

    scored: Prints
    loaded: Prints
    rescored: Prints
    statements: dict[str, int]
    seconds: dict[str, float]


@dataclass
class Inspection:
    """What was seen of one fault; ``broken`` lists what should have held and did not."""

    place: Place
    references: References
    before: Prints
    said: str = ""
    broken: list[str] = field(default_factory=list)

    def expect(self, *, holds: bool, otherwise: str) -> None:
        """Note what does not hold."""
        if not holds:
            self.broken.append(otherwise)

    def ended(self, ended: Ended, exit_code: int | Sequence[int], *words: str) -> None:
        """Expect an exit code, and on stderr all of some words, a hint, and no traceback."""
        self.said = ended.sentence
        expected = [exit_code] if isinstance(exit_code, int) else list(exit_code)
        told = ended.said[-600:]
        self.expect(holds=ended.exit_code in expected, otherwise=f"exit code {ended.exit_code}, expected {expected}: {told}")
        for word in words:
            self.expect(holds=word in ended.said, otherwise=f"{word!r} is not said: {told}")
        if ended.exit_code in FAILURES:
            understood = "hint: " in ended.said and "Traceback" not in ended.said and "unexpected " not in ended.said
            self.expect(holds=understood, otherwise=f"not a message with a hint: {told}")

    def unchanged(self) -> None:
        """Expect every stored row as it was before, to the bit and with its run_id."""
        self._same(self.place.prints(), self.before, "changed", run_too=True)

    def whole(self, *, loaded: bool = False) -> None:
        """Expect each stored table as it was before, or as a whole run leaves it: of one run where it is scored."""
        now, whole = self.place.prints(), self.references.loaded if loaded else self.references.scored
        if now != self.before:
            self._same(now, whole, "neither as before nor whole", run_too=False)
            self._of_one_run()

    def heals(self, *commands: Sequence[str], loaded: bool = False) -> None:
        """Expect that the commands succeed, and leave what they leave where nothing went wrong."""
        for words in commands:
            ended = self.place.uncap(*words)
            self.expect(holds=ended.exit_code == 0, otherwise=f"`uncap {' '.join(words)}` afterwards: {ended.said[-600:]}")
        whole = self.references.loaded if loaded else self.references.scored
        if loaded and any(words[0] == "score" for words in commands):
            whole = self.references.rescored
        self._same(self.place.prints(), whole, "not healed", run_too=False)
        self._of_one_run()

    def died(self, flow: str) -> None:
        """Expect that the run that was killed is told as such, once the flow ran again."""
        statuses = [row[0] for row in self.place.rows(f"SELECT status FROM scored.runs WHERE flow = '{flow}' ORDER BY started_at")]
        self.expect(holds="running" not in statuses, otherwise=f"runs of {flow}: {statuses}")

    def _same(self, now: Prints, then: Prints, words: str, *, run_too: bool) -> None:
        differing = [
            name
            for name in sorted(now.keys() | then.keys())
            if _told(name, now.get(name, NO_ROWS), run_too=run_too) != _told(name, then.get(name, NO_ROWS), run_too=run_too)
        ]
        self.expect(holds=not differing, otherwise=f"{words}: {', '.join(f'{n} {now.get(n)} {then.get(n)}' for n in differing)}")

    def _of_one_run(self) -> None:
        for name in ("demand_forecast", "churn_score", "retailer_segment", "work_list"):
            runs = self.place.rows(f"SELECT count(DISTINCT run_id) FROM scored.{name} GROUP BY as_of HAVING count(DISTINCT run_id) > 1")
            self.expect(holds=not runs, otherwise=f"scored.{name}: rows of several runs in one as_of")


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong.

    Attributes
    ----------
    group, name
        What kind of fault, and what is injected.
    promise
        What must hold afterwards.
    inject
        Injects it and checks.
    with_models
        Whether it needs models of its own, because it harms them.
    """

    group: str
    name: str
    promise: str
    inject: Callable[[Inspection], None]
    with_models: bool = False


def _told(table: str, prints: Sequence[str], *, run_too: bool) -> Sequence[str]:
    # findings are kept of every check, also of one before a score that then failed
    if run_too and table != "scored.data_check":
        return prints
    # the monitoring counts the runs, broken ones too, so that it differs where one was killed
    return prints[:1] if table == "scored.monitoring" else (prints[0], prints[2])
