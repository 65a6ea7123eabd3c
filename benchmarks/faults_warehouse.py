"""What happens when the warehouse is held, harmed, of another version, out of space, or wanted by two at once?"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import duckdb

from benchmarks.fault_places import Place
from benchmarks.fault_processes import Forked, fork
from benchmarks.fault_verdicts import Fault, Inspection
from benchmarks.faults_kills import SCORE, TRAIN, kill_at_statement, load_words

FAILS = "exit 1 (2 where the path itself cannot be right) with a hint; every table stays to the bit; the next run succeeds"
GOES_ON_OR_FAILS = "exit 0 if it can go on, else 1 with a hint; old tables to the bit or whole new ones; the next run succeeds"
BOTH = "each succeeds or says who holds the warehouse; tables of whole runs only; the next run succeeds"
NOBODY = 65534


def warehouse_faults() -> Iterator[Fault]:
    """Yield what befalls the file, the disk under it, and runs that meet."""
    for name, inject in FILE_FAULTS:
        yield Fault("warehouse file", name, GOES_ON_OR_FAILS if inject in SURMOUNTABLE else FAILS, inject)
    for command in ("load", "score"):
        for most in (64, 2_048):
            name = f"{command}: no file may be written beyond its first {most} kB"
            yield Fault("disk", name, GOES_ON_OR_FAILS, partial(_file_size_limited, command, most))
    for command, spare in (("load", 20), ("load", 150), ("score", 150)):
        yield Fault("disk", f"{command} on a disk with {spare} kB left", GOES_ON_OR_FAILS, partial(_on_a_small_disk, command, spare))
    for first, second in (("score", "score"), ("load", "score"), ("load", "load"), ("train", "train"), ("score", "status")):
        yield Fault("two at once", f"{first} and {second} at once", BOTH, partial(_two_at_once, first, second))
    yield Fault("two at once", "a lock file that a dead process left", "exit 0; it is taken over", _stale_lock_file)


@contextmanager
def _held(place: Place) -> Iterator[Forked]:
    """Have another process hold the warehouse file open."""

    def hold() -> int:
        with duckdb.connect(str(place.warehouse)):
            print("held", file=sys.stderr, flush=True)
            signal.pause()
        return 0

    holder = fork(hold, place.folder / "holder", {})
    holder.wait_for("held", 60)
    try:
        yield holder
    finally:
        holder.kill()
        holder.ended()


def _held_by_another(seen: Inspection) -> None:
    with _held(seen.place) as holder:
        seen.ended(seen.place.uncap(*SCORE), 1, f"is locked by process {holder.process_id}")
    seen.unchanged()
    seen.heals(SCORE)


def _replaced_by(make: Callable[[Path], None], seen: Inspection, *, exit_code: int = 1) -> None:
    """Put something else in the file's place, then put it back."""
    aside = seen.place.folder / "aside.duckdb"
    shutil.move(seen.place.warehouse, aside)
    make(seen.place.warehouse)
    seen.ended(seen.place.uncap(*SCORE), exit_code)
    if seen.place.warehouse.is_dir():
        shutil.rmtree(seen.place.warehouse)
    seen.place.warehouse.unlink(missing_ok=True)
    shutil.move(aside, seen.place.warehouse)
    seen.unchanged()
    seen.heals(load_words(seen.place), loaded=True)


def _random_bytes(path: Path) -> None:
    path.write_bytes(os.urandom(50_000))


def _cut_in_half(path: Path) -> None:
    path.write_bytes((path.parent / "aside.duckdb").read_bytes()[: (path.parent / "aside.duckdb").stat().st_size // 2])


def _blocks_overwritten(path: Path) -> None:
    content = bytearray((path.parent / "aside.duckdb").read_bytes())
    content[len(content) // 3 : len(content) // 3 + 300_000] = os.urandom(300_000)
    path.write_bytes(bytes(content))


def _log_left_behind(seen: Inspection) -> None:
    """Kill a load after its commit but before DuckDB has moved the log into the file."""

    def stop_checkpoints() -> None:
        kill_at_statement(seen.references.statements["load"])

    ended = seen.place.uncap(*load_words(seen.place), before=stop_checkpoints)
    log = seen.place.warehouse.with_name(f"{seen.place.warehouse.name}.wal")
    seen.said = f"killed (exit {ended.exit_code}), a log of {log.stat().st_size if log.exists() else 0:,} bytes left"
    seen.whole(loaded=True)
    seen.heals(load_words(seen.place), loaded=True)


def _log_of_garbage(seen: Inspection) -> None:
    log = seen.place.warehouse.with_name(f"{seen.place.warehouse.name}.wal")
    log.write_bytes(os.urandom(5_000))
    ended = seen.place.uncap(*SCORE)
    seen.ended(ended, (0, 1))
    log.unlink(missing_ok=True)
    seen.whole()
    seen.heals(SCORE)


def _read_only(seen: Inspection) -> None:
    seen.place.belongs_to(NOBODY)
    for path in (seen.place.warehouse, seen.place.folder):
        path.chmod(0o444 if path.is_file() else 0o555)
    ended = seen.place.start(*load_words(seen.place), before=_become_nobody).ended()
    for path in (seen.place.folder, seen.place.warehouse):
        path.chmod(0o755)
    seen.ended(ended, 1)
    seen.unchanged()
    seen.heals(load_words(seen.place), loaded=True)


def _become_nobody() -> None:
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def _newer_schema(seen: Inspection) -> None:
    seen.place.asked(lambda: _done(seen.place, "INSERT INTO meta.schema_version VALUES (999, 'later', current_timestamp, '9.0.0')"))
    seen.ended(seen.place.uncap(*SCORE), 1, "schema version 999", "9.0.0")
    seen.unchanged()
    seen.place.asked(lambda: _done(seen.place, "DELETE FROM meta.schema_version WHERE number = 999"))
    seen.heals(load_words(seen.place), loaded=True)


def _done(place: Place, *statements: str) -> bool:
    with duckdb.connect(str(place.warehouse)) as con:
        for statement in statements:
            con.execute(statement)
    return True


OLD_SCHEMA = ("DROP SCHEMA meta CASCADE", "ALTER TABLE scored.retailer_segment DROP COLUMN stage_seen")


def _migration_killed(seen: Inspection) -> None:
    seen.place.asked(lambda: _done(seen.place, *OLD_SCHEMA))
    # the statements before the first one of the migration: versions, CHECKPOINT, the time, BEGIN, two CREATE
    ended = seen.place.uncap("status", before=partial(kill_at_statement, 9))
    seen.said = ended.sentence
    seen.expect(holds=ended.exit_code == -signal.SIGKILL, otherwise=f"it was not killed: {ended.said[-300:]}")
    seen.expect(holds=bool(list(seen.place.folder.glob("*.backup"))), otherwise="no copy was kept")
    columns = seen.place.rows("SELECT column_name FROM information_schema.columns WHERE table_name = 'retailer_segment'")
    seen.expect(holds=["stage_seen"] not in columns, otherwise="half a migration")
    seen.ended(seen.place.uncap("status"), 0)
    # which stage was only seen is lost with the column that the fault dropped: a migration can but take the stage for it
    filled = seen.place.rows("SELECT count(*), count(*) FILTER (stage_seen = stage) FROM scored.retailer_segment")
    rows = int(seen.before["scored.retailer_segment"][0])
    seen.expect(holds=filled == [[rows, rows]], otherwise=f"not migrated: {filled}")


def _spill_folder_taken(seen: Inspection) -> None:
    """Put a file where DuckDB wants a folder to spill to, with little memory."""
    seen.place.warehouse.with_name(f"{seen.place.warehouse.name}.tmp").write_bytes(b"")
    text = seen.place.config.read_text()
    seen.place.config.write_text(text.replace('"1GB"', '"12MB"'))
    seen.ended(seen.place.uncap(*SCORE), (0, 1))
    seen.whole()
    seen.place.config.write_text(text)
    seen.place.warehouse.with_name(f"{seen.place.warehouse.name}.tmp").unlink()
    seen.heals(SCORE)


FILE_FAULTS: tuple[tuple[str, Callable[[Inspection], None]], ...] = (
    ("file held open by another process", _held_by_another),
    ("random bytes in its place", partial(_replaced_by, _random_bytes)),
    ("file cut in half", partial(_replaced_by, _cut_in_half)),
    ("300 kB in the middle overwritten", partial(_replaced_by, _blocks_overwritten)),
    ("folder in its place", partial(_replaced_by, Path.mkdir)),
    ("symbolic link to itself in its place", partial(_replaced_by, lambda path: path.symlink_to(path), exit_code=2)),
    ("log left behind by a kill after the commit", _log_left_behind),
    ("log of random bytes", _log_of_garbage),
    ("file and folder that may not be written", _read_only),
    ("schema of a newer version", _newer_schema),
    ("kill −9 in the middle of a migration", _migration_killed),
    ("nowhere to spill to, and 12 MB of memory", _spill_folder_taken),
)

SURMOUNTABLE = (_log_of_garbage, _spill_folder_taken)


def _file_size_limited(command: str, kilobytes: int, seen: Inspection) -> None:
    words = load_words(seen.place) if command == "load" else SCORE

    def limit() -> None:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, most))

    ended = seen.place.uncap(*words, before=limit)
    seen.ended(ended, (0, 1))
    seen.whole(loaded=command == "load")
    seen.heals(words, loaded=command == "load")


def _on_a_small_disk(command: str, spare: int, seen: Inspection) -> None:
    disk = seen.place.folder.with_name(f"{seen.place.folder.name}-disk")
    disk.mkdir(exist_ok=True)
    needed = sum(path.stat().st_size for path in seen.place.folder.rglob("*") if path.is_file()) // 1024
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={needed + 200}k", "tmpfs", str(disk)], check=True)  # noqa: S607
    try:
        small = seen.place.copied(disk / "place")
        _fill(disk, spare)
        words = load_words(small) if command == "load" else SCORE
        on_disk = Inspection(small, seen.references, seen.before)
        ended = small.uncap(*words)
        # what is asked of the warehouse now has to be written somewhere too
        (disk / "filling").unlink(missing_ok=True)
        subprocess.run(["mount", "-o", f"remount,size={4 * needed}k", str(disk)], check=True)  # noqa: S607
        on_disk.ended(ended, (0, 1))
        on_disk.whole(loaded=command == "load")
        on_disk.heals(words, loaded=command == "load")
        seen.said, seen.broken = on_disk.said, [*seen.broken, *on_disk.broken]
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=False)  # noqa: S607


def _fill(disk: Path, spare: int) -> None:
    """Leave only so many kilobytes."""
    free = shutil.disk_usage(disk).free - spare * 1024
    if free > 0:
        (disk / "filling").write_bytes(b"\0" * free)


def _two_at_once(first: str, second: str, seen: Inspection) -> None:
    words = {"score": SCORE, "train": TRAIN, "load": load_words(seen.place), "status": ("status",)}
    loads = "load" in (first, second)
    one = seen.place.start(*words[first], log="first")
    one.wait_for(f"{first} ")
    two = seen.place.start(*words[second], log="second")
    ends = [one.ended(), two.ended()]
    seen.said = "; ".join(f"{name}: {ended.sentence}" for name, ended in zip((first, second), ends, strict=True))
    for ended in ends:
        held = any(word in ended.said for word in ("is locked by", "writes to the warehouse", "trains"))
        seen.expect(holds=ended.exit_code == 0 or (ended.exit_code == 1 and held and "hint: " in ended.said), otherwise=ended.said[-600:])
    seen.expect(holds=any(ended.exit_code == 0 for ended in ends), otherwise="none of the two succeeded")
    again = [words["load"]] if loads else []
    seen.heals(*again, words[second if second != "load" else first], loaded=loads)


def _stale_lock_file(seen: Inspection) -> None:
    for name in ("write", "train"):
        lock = seen.place.warehouse.with_name(f"{seen.place.warehouse.name}.{name}-lock")
        lock.write_text("score (process 999999 on a machine that is gone, since 2020-01-01 00:00:00 UTC)")
    seen.ended(seen.place.uncap(*load_words(seen.place)), 0)
    seen.heals(loaded=True)
