"""Does uncap survive what goes wrong? Each fault is injected for real, and what has to hold afterwards is checked.

    .venv/bin/python -m benchmarks.fault_injection --page docs/reliability.md

Keeps a verdict per fault in results/faults.json, and writes the page from them. ``--only WORDS`` injects the faults whose name has them,
``--kept`` writes the page from what is kept. Exit code 1 if a fault is not survived.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shlex
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from benchmarks.fault_page import write_page
from benchmarks.fault_places import Place, new_place
from benchmarks.fault_processes import import_everything
from benchmarks.fault_verdicts import Fault, Inspection, References
from benchmarks.faults_files import file_faults, path_faults
from benchmarks.faults_kills import RECLASSIFY, SCORE, TRAIN, before_each_statement, kill_faults, load_words
from benchmarks.faults_models import model_faults
from benchmarks.faults_postgres import postgres_faults
from benchmarks.faults_settings import setting_faults
from benchmarks.faults_warehouse import warehouse_faults
from benchmarks.records import PROJECT, RESULTS, WORK, circumstances, keep
from flows.environment import prepare
from flows.settings import read_settings

NAME = "faults"
PORT = 4287
"""Of the Prefect server that all commands of the suite report to, so that none has to start its own."""


def all_faults() -> list[Fault]:
    """Return every fault, in the order of the page."""
    return [*kill_faults(), *warehouse_faults(), *file_faults(), *path_faults(), *model_faults(), *setting_faults(), *postgres_faults()]


def main() -> int:
    """Inject the faults, keep the verdicts, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", metavar="WORDS", nargs="+", default=[""], help="faults whose group or name has any of these words, in their order"
    )
    parser.add_argument("--workers", type=int, default=2, help="faults at a time")
    parser.add_argument("--page", type=Path, help="Markdown file to write")
    parser.add_argument("--kept", action="store_true", help="inject nothing, write the page from what is kept")
    parser.add_argument("--work", type=Path, default=WORK / "faults", help="where the places are made")
    parser.add_argument("--server", metavar="URL", help="a Prefect server that runs; else one is started")
    parser.add_argument("--base", action="store_true", help="take the county that an earlier run has loaded, trained and scored")
    arguments = parser.parse_args()
    faults = all_faults()
    broken = 0
    if not arguments.kept:
        found = [fault for words in arguments.only for fault in faults if words in f"{fault.group} {fault.name}"]
        chosen = list(dict.fromkeys(found))
        broken = _inject(chosen, arguments)
    if arguments.page:
        write_page(json.loads((RESULTS / f"{NAME}.json").read_text()), faults, arguments.page)
        print(f"written to {arguments.page}")
    return 1 if broken else 0


def _inject(faults: Sequence[Fault], arguments: argparse.Namespace) -> int:
    """Inject faults with some workers, keep each verdict, and return how many were not survived."""
    told = circumstances(shlex.join(["python", "-m", "benchmarks.fault_injection", *sys.argv[1:]]))
    folder = arguments.work.absolute()
    began, broken = time.monotonic(), 0
    with _prefect_server(folder, arguments.server):
        import_everything()
        place, references = _base(folder, again=not arguments.base)
        with multiprocessing.get_context("fork").Pool(arguments.workers, initializer=_quiet, maxtasksperchild=None) as workers:
            tasks = [(fault.name, place, references, folder / f"fault-{number}") for number, fault in enumerate(faults)]
            for number, (name, verdict) in enumerate(workers.imap_unordered(_verdict, tasks), start=1):
                broken += bool(verdict["broken"])
                _print_verdict(f"{number}/{len(faults)}", name, verdict)
                keep(NAME, {name: verdict})
    keep(NAME, {"": told | {"seconds": round(time.monotonic() - began), "faults": len(faults), "workers": arguments.workers}})
    return broken


def _print_verdict(place: str, name: str, verdict: Mapping[str, Any]) -> None:
    survived = "BROKEN  " if verdict["broken"] else "survived"
    print(f"{place} {survived} {verdict['seconds']:6.1f} s  {name}", *verdict["broken"], sep="\n    ", flush=True)


def _quiet() -> None:
    os.environ["COLUMNS"] = "200"


def _verdict(task: tuple[str, Place, References, Path]) -> tuple[str, dict[str, Any]]:
    """Inject one fault into a copy of the place, and return what was seen."""
    name, base, references, folder = task
    fault = {fault.name: fault for fault in all_faults()}[name]
    began = time.monotonic()
    place = base.copied(folder, with_models=fault.with_models)
    seen = Inspection(place, references, place.prints())
    try:
        fault.inject(seen)
    except Exception:  # noqa: BLE001 - a fault that cannot be judged is not survived, and the others go on
        seen.broken.append(traceback.format_exc())
    if not seen.broken:
        shutil.rmtree(folder, ignore_errors=True)
    # the figures are kept in the repository: no paths of this machine
    said = seen.said.replace(str(folder), "…").replace(os.path.realpath(sys.executable), "…/python")
    return fault.name, {"group": fault.group, "said": said, "broken": seen.broken, "seconds": round(time.monotonic() - began, 1)}


def _base(folder: Path, *, again: bool) -> tuple[Place, References]:
    """Make the place that faults are injected into copies of, and measure what commands leave where nothing goes wrong."""
    kept = folder / "references.json"
    if not again and kept.exists():
        return Place(folder / "base" / "place", folder / "base" / "county"), References(**json.loads(kept.read_text()))
    place = new_place(folder / "base")
    counted = {}
    for first in (("load", str(place.county / "earlier")), TRAIN, SCORE):
        counted[first[0]] = _counted(place, first)
    copied = place.copied(folder / "reference")
    for further in (RECLASSIFY, load_words(place)):
        counted[further[0]] = _counted(copied, further)
    loaded = copied.prints()
    _counted(copied, SCORE)
    references = References(
        scored=place.prints(),
        loaded=loaded,
        rescored=copied.prints(),
        statements={command: sent for command, (sent, _) in counted.items()},
        seconds={command: lasted for command, (_, lasted) in counted.items()},
    )
    kept.write_text(json.dumps(asdict(references)))
    return place, references


def _counted(place: Place, words: Sequence[str]) -> tuple[int, float]:
    """Run a command where nothing goes wrong, and return its SQL statements and seconds."""
    count = place.folder / "statements"
    ended = place.uncap(*words, before=lambda: before_each_statement(lambda sent: _write(count, sent)))
    if ended.exit_code:
        raise SystemExit(f"`uncap {' '.join(words)}` failed without any fault: {ended.said}")
    print(f"uncap {words[0]}: {count.read_text()} statements, {ended.seconds:.1f} s", flush=True)
    return int(count.read_text()), ended.seconds


def _write(path: Path, number: int) -> None:
    path.write_text(str(number))


@contextmanager
def _prefect_server(folder: Path, running: str | None) -> Iterator[None]:
    """Have a Prefect server of the suite's own, and the environment that leads to it."""
    os.environ |= {"PREFECT_HOME": str(folder / "prefect"), "OMP_WAIT_POLICY": "PASSIVE", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    for variable in ("UNCAP_WAREHOUSE_URL", "UNCAP_TRACKING_URI", "UNCAP_LOG_FORMAT", "UNCAP_DEBUG"):
        os.environ.pop(variable, None)
    os.environ["PREFECT_API_URL"] = running or f"http://127.0.0.1:{PORT}/api"
    prepare(read_settings())
    if running:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    prefect = str(Path(sys.executable).with_name("prefect"))
    with (folder / "prefect.log").open("wb") as log:
        server = subprocess.Popen(
            [prefect, "server", "start", "--host", "127.0.0.1", "--port", str(PORT)], stdout=log, stderr=log, cwd=PROJECT
        )
        try:
            _wait_until_it_answers(os.environ["PREFECT_API_URL"])
            yield
        finally:
            server.terminate()
            server.wait()


def _wait_until_it_answers(url: str, seconds: float = 600.0) -> None:
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        try:
            with urlopen(f"{url}/health", timeout=5):  # noqa: S310 - an address of our own
                return
        except (URLError, OSError):
            time.sleep(0.5)
    raise SystemExit(f"{url} does not answer")


if __name__ == "__main__":
    sys.exit(main())
