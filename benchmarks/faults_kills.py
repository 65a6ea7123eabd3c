"""What is left when a process is killed: at any SQL statement, at any step, at any moment, by any signal?"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from functools import partial

import duckdb

from benchmarks.fault_places import AS_OF, Place
from benchmarks.fault_verdicts import Fault, Inspection

SCORE = ("score", "--as-of", str(AS_OF))
TRAIN = ("train", "--as-of", str(AS_OF))
RECLASSIFY = ("reclassify", "--as-of", str(AS_OF))
OLD_OR_WHOLE = "old tables to the bit or whole new ones; the next run succeeds and leaves what an undisturbed one leaves"
CHAMPION_STAYS = "the tables stay to the bit; there is a champion that can score; the next training and scoring succeed"

SHARES = {"load": (0.0, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0), "score": (0.0, 0.5, 0.8, 0.9, 0.97, 1.0), "train": (0.3, 0.9)}
"""How far each command is let go before it is killed, as a share of the SQL statements it sends."""


def load_words(place: Place) -> tuple[str, ...]:
    """Return the command that loads one more week."""
    return ("load", str(place.county / "input"))


def kill_at_statement(number: int) -> None:
    """Make this process kill itself just before it sends its n-th SQL statement, counted from 1."""
    before_each_statement(lambda sent: os.kill(os.getpid(), signal.SIGKILL) if sent == number else None)


def before_each_statement(act: Callable[[int], None]) -> None:
    """Call a function with the number of each SQL statement, just before this process sends it to the warehouse."""
    sent = 0

    execute = duckdb.DuckDBPyConnection.execute

    def watched(con: duckdb.DuckDBPyConnection, query: duckdb.Statement | str, parameters: object = None) -> duckdb.DuckDBPyConnection:
        nonlocal sent
        sent += 1
        act(sent)
        return execute(con, query, parameters)

    duckdb.DuckDBPyConnection.execute = watched  # type: ignore[assignment, method-assign]


def kill_faults() -> Iterator[Fault]:
    """Yield kills at statements spread over each command, at its steps, and at moments drawn at random."""
    for command, shares in SHARES.items():
        for share in shares:
            name = f"kill −9 of {command} at {share:.0%} of its SQL statements"
            yield Fault("kill", name, OLD_OR_WHOLE, partial(_killed_at_share, command, share))
    for command, words in (
        ("score", "retailers scored"),
        ("score", "rows published"),
        ("train", "outcomes of retailers"),
        ("train", "uncap-demand"),
        ("reclassify", "retailers classified"),
    ):
        yield Fault("kill", f"kill −9 of {command} after the step “{words}”", OLD_OR_WHOLE, partial(_killed_at_step, command, words))
    for command, seeds in (("load", 2), ("score", 2), ("train", 2)):
        for seed in range(1, seeds + 1):
            name = f"kill −9 of {command} at a random moment, draw {seed}"
            yield Fault("kill", name, OLD_OR_WHOLE, partial(_killed_at_random, command, seed))
    yield Fault("kill", "kill −9 of the first load ever, while tables are made", "the next load succeeds", _first_load_killed)
    for number in (signal.SIGTERM, signal.SIGINT):
        name = f"{number.name} to score after the step “retailers scored”"
        yield Fault("kill", name, "the tables stay to the bit; it ends soon; the next run succeeds", partial(_signalled, number))


def _words(place: Place, command: str) -> tuple[str, ...]:
    return {"load": load_words(place), "score": SCORE, "train": TRAIN, "reclassify": RECLASSIFY}[command]


def _after_kill(seen: Inspection, command: str) -> None:
    """What holds after a kill of a command, and what the next run of it must leave."""
    loaded = command == "load"
    seen.whole(loaded=loaded)
    if command == "train":
        _has_champion(seen)
    seen.heals(_words(seen.place, command), loaded=loaded)
    seen.died(command)


def _has_champion(seen: Inspection) -> None:
    told = seen.place.uncap("status", "--json")
    seen.expect(holds='"version": "1"' in told.printed or '"version": "2"' in told.printed, otherwise=f"no champion: {told.printed[-800:]}")


def _killed_at_share(command: str, share: float, seen: Inspection) -> None:
    number = max(1, round(share * seen.references.statements[command]))
    ended = seen.place.uncap(*_words(seen.place, command), before=partial(kill_at_statement, number))
    seen.expect(holds=ended.exit_code == -signal.SIGKILL, otherwise=f"it was not killed: {ended.said[-300:]}")
    seen.said = f"killed before statement {number} of {seen.references.statements[command]}"
    _after_kill(seen, command)


def _killed_at_step(command: str, words: str, seen: Inspection) -> None:
    running = seen.place.start(*_words(seen.place, command))
    running.wait_for(words)
    running.kill()
    ended = running.ended()
    seen.expect(holds=ended.exit_code == -signal.SIGKILL, otherwise=f"it was not killed: {ended.said[-300:]}")
    seen.said = ended.sentence
    _after_kill(seen, command)


def _killed_at_random(command: str, seed: int, seen: Inspection) -> None:
    # an ended process is fine too: the moment is drawn from what the command takes undisturbed
    share = random.Random(f"{command} {seed}").uniform(0.2, 0.95)  # noqa: S311 - a moment, not a secret
    ended = seen.place.start(*_words(seen.place, command)).ended(share * seen.references.seconds[command])
    seen.said = ended.sentence
    _after_kill(seen, command)


def _first_load_killed(seen: Inspection) -> None:
    seen.place.warehouse.unlink()
    ended = seen.place.uncap("load", str(seen.place.county / "earlier"), before=partial(kill_at_statement, 20))
    seen.said = ended.sentence
    seen.expect(holds=ended.exit_code == -signal.SIGKILL, otherwise="it was not killed")
    healed = seen.place.uncap(*load_words(seen.place))
    seen.expect(holds=healed.exit_code == 0, otherwise=healed.said[-600:])
    raw = {name: prints for name, prints in seen.place.prints().items() if name.startswith("raw.")}
    whole = {name: prints for name, prints in seen.references.loaded.items() if name.startswith("raw.")}
    seen.expect(holds=raw == whole, otherwise="the input tables are not those of an undisturbed load")


def _signalled(number: signal.Signals, seen: Inspection) -> None:
    running = seen.place.start(*SCORE)
    running.wait_for("retailers scored")
    running.kill(number)
    ended = running.ended(seen.references.seconds["score"] + 60)
    seen.said = f"exit {ended.exit_code}, {ended.seconds:.1f} s after its start"
    seen.expect(holds=ended.exit_code != -signal.SIGKILL, otherwise="it did not end in a minute")
    seen.expect(holds=ended.exit_code != 0, otherwise="it told success")
    seen.expect(holds="Traceback" not in ended.said, otherwise=ended.said[-600:])
    seen.unchanged()
    seen.heals(SCORE)
    seen.died("score")
