"""What ARCHITECTURE.md and the house style ask for and no linter checks; who imports whom inside the project is `[tool.importlinter]`."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

PROJECT = Path(__file__).parents[1]

# What a room may import besides the standard library and the rooms. import-linter knows no such list: it can only forbid by name.
PACKAGES = {
    "contracts": {"pyarrow"},
    "warehouse": {"adbc_driver_manager", "adbc_driver_postgresql", "duckdb", "ibis", "pyarrow"},
    "features": {"holidays", "ibis", "pyarrow"},
    "models": {"lightgbm", "numpy", "pandas", "pyarrow", "scipy", "sklearn"},
    "demo": {"numpy", "pandas", "pyarrow"},
    "flows": {
        *("ibis", "matplotlib", "mlflow", "numpy", "optuna", "pandas", "prefect", "pyarrow", "pydantic"),
        *("rich", "ruamel", "sqlalchemy", "typer"),
    },
}
FOLDERS = (*PACKAGES, "tests", "benchmarks", "docs")

# What may be called while a module is imported: declarations, and pure functions of constants.
DECLARATIONS = {
    "AfterValidator", "Column", "ConfigDict", "ContextVar", "Feature", "Field", "Migration", "ParamSpec", "Reference", "RowRule", "Rule",
    "Table", "TypeVar", "Watch", "app.add_typer", "app.callback", "app.command", "dataclass", "field", "functools.wraps",
    "model_validator", "named_flow", "named_task", "operations.command", "re.compile", "typer.Argument", "typer.Option", "typer.Typer",
}  # fmt: skip
PURE = {
    "', '.join", "GROUPS.items", "Path", "Path(__file__).resolve", "Path(__file__).with_name", "date", "frozenset", "len", "max",
    "np.arange", "np.log", "qualified", "quantile_column", "quoted", "range", "text.format", "timedelta", "tuple",
}  # fmt: skip
# MLflow loads a model by running this file, and expects to be told the model by that.
MLFLOW_RUNS = "flows/served_model.py"

MOST_LINES, MOST_FUNCTION_LINES = 350, 45
DRAWERS = {"common", "helper", "helpers", "misc", "util", "utils"}
NAMELESS = {"data", "df", "result"}
EXECUTING = {"connect", "execute", "raw_sql", "read_csv", "read_parquet", "to_csv", "to_pandas", "to_parquet", "to_polars", "to_pyarrow"}
FILE_ACCESS = {"mkdir", "open", "read_bytes", "read_csv", "read_parquet", "read_text", "save_model", "unlink", "write_bytes", "write_text"}


@dataclass(frozen=True)
class Module:
    """A file of the project; `path` is relative to it."""

    path: PurePosixPath
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.path.parts[0]

    def at(self, node: ast.expr | ast.stmt | ast.arg, fault: str) -> str:
        return f"{self.path}:{node.lineno}: {fault}"


def module(path: str, text: str) -> Module:
    return Module(PurePosixPath(path), text, ast.parse(text))


@cache
def modules() -> tuple[Module, ...]:
    files = [file for folder in FOLDERS for file in sorted((PROJECT / folder).rglob("*.py"))]
    return tuple(module(file.relative_to(PROJECT).as_posix(), file.read_text(encoding="utf-8")) for file in files)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def called(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Yield each call with the last part of the name that is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func).rpartition(".")[2]


def a_room_imports_only_its_packages(file: Module) -> Iterator[str]:
    for node in ast.walk(file.tree) if file.room in PACKAGES else ():
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""] if not node.level else []
        else:
            continue
        for name in names:
            package = name.partition(".")[0]
            if package not in sys.stdlib_module_names | PACKAGES.keys() | PACKAGES[file.room]:
                yield file.at(node, f"{package} in {file.room}/")


def nothing_happens_at_import(file: Module) -> Iterator[str]:
    """Report calls outside functions; decorators and defaults run at import, bodies and lambdas do not."""
    if file.room not in PACKAGES or str(file.path) == MLFLOW_RUNS:
        return
    todo: list[ast.AST] = [*file.tree.body]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            todo += [*node.decorator_list, *node.args.defaults, *(default for default in node.args.kw_defaults if default)]
        elif not isinstance(node, ast.Lambda):
            if isinstance(node, ast.Call) and ast.unparse(node.func) not in DECLARATIONS | PURE:
                yield file.at(node, f"{ast.unparse(node.func)} is called at import")
            if isinstance(node, ast.For | ast.While | ast.With | ast.Try | ast.Delete):
                yield file.at(node, f"{type(node).__name__.lower()} at import")
            todo += ast.iter_child_nodes(node)


def features_execute_nothing(file: Module) -> Iterator[str]:
    for node, name in called(file.tree) if file.room == "features" else ():
        if name in EXECUTING:
            yield file.at(node, f"{name} executes an expression")


def models_touch_files_only_to_save_and_load(file: Module) -> Iterator[str]:
    if file.room == "models":
        allowed = {id(node) for function in functions(file.tree) if function.name in {"save", "load"} for node in ast.walk(function)}
        for node, name in called(file.tree):
            if name in FILE_ACCESS and id(node) not in allowed:
                yield file.at(node, f"{name} outside save and load")


def files_and_functions_are_short(file: Module) -> Iterator[str]:
    n_lines = len(file.text.splitlines())
    if n_lines > MOST_LINES:
        yield f"{file.path}: {n_lines} lines, at most {MOST_LINES}"
    for function in functions(file.tree):
        body = function.body[1:] if ast.get_docstring(function) else function.body
        n_lines = (function.end_lineno or 0) - body[0].lineno + 1 if body else 0
        if n_lines > MOST_FUNCTION_LINES:
            yield file.at(function, f"{function.name} has {n_lines} lines, at most {MOST_FUNCTION_LINES}")


def names_say_what_is_meant(file: Module) -> Iterator[str]:
    for part in (*file.path.parts[:-1], file.path.stem):
        if DRAWERS & set(part.split("_")):
            yield f"{file.path}: {part} is a drawer"
    for node in ast.walk(file.tree):
        if isinstance(node, ast.arg) and node.arg in NAMELESS:
            yield file.at(node, f"an argument {node.arg}")
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in NAMELESS:
            yield file.at(node, f"a name {node.id}")


def every_test_can_fail(file: Module) -> Iterator[str]:
    """Report tests that neither assert nor call a function of their file that does."""
    checking = {function.name for function in functions(file.tree) if any(_checks(node) for node in ast.walk(function))}
    for function in functions(file.tree) if file.room == "tests" else ():
        if function.name.startswith("test_") and not checking & {function.name, *(name for _, name in called(function))}:
            yield file.at(function, f"{function.name} asserts nothing")


def _checks(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        return name in {"fail", "raises", "warns"} or name.startswith("assert_")
    return isinstance(node, ast.Assert)


RULES: tuple[Callable[[Module], Iterable[str]], ...] = (
    a_room_imports_only_its_packages,
    nothing_happens_at_import,
    features_execute_nothing,
    models_touch_files_only_to_save_and_load,
    files_and_functions_are_short,
    names_say_what_is_meant,
    every_test_can_fail,
)

# rule, file, what is wrong in it, the fault
BROKEN = [
    (a_room_imports_only_its_packages, "models/x.py", "def f():\n    import ibis.selectors", "models/x.py:2: ibis in models/"),
    (a_room_imports_only_its_packages, "contracts/x.py", "from numpy import log", "contracts/x.py:1: numpy in contracts/"),
    (nothing_happens_at_import, "flows/x.py", "settings = read_settings()", "flows/x.py:1: read_settings is called at import"),
    (nothing_happens_at_import, "demo/x.py", "def f(day=date.today()): ...", "demo/x.py:1: date.today is called at import"),
    (nothing_happens_at_import, "demo/x.py", "class A:\n    seeds = draw()", "demo/x.py:2: draw is called at import"),
    (nothing_happens_at_import, "demo/x.py", "for n in 1, 2: pass", "demo/x.py:1: for at import"),
    (features_execute_nothing, "features/x.py", "n = cells.count().execute()", "features/x.py:1: execute executes an expression"),
    (models_touch_files_only_to_save_and_load, "models/x.py", "def fit(): open('x')", "models/x.py:1: open outside save and load"),
    (files_and_functions_are_short, "demo/x.py", "\n" * 351, "demo/x.py: 351 lines, at most 350"),
    (files_and_functions_are_short, "demo/x.py", "def f():\n    '''It.'''\n" + "    g()\n" * 46, "demo/x.py:1: f has 46 lines, at most 45"),
    (names_say_what_is_meant, "flows/date_utils.py", "", "flows/date_utils.py: date_utils is a drawer"),
    (names_say_what_is_meant, "demo/x.py", "df = 1", "demo/x.py:1: a name df"),
    (names_say_what_is_meant, "demo/x.py", "def f(data): ...", "demo/x.py:1: an argument data"),
    (every_test_can_fail, "tests/x.py", "def test_it_runs(): run()", "tests/x.py:1: test_it_runs asserts nothing"),
]
KEPT = """
import re
import pandas as pd
import pyarrow

@dataclass(frozen=True)
class Fit:
    mean: float = field(default=0.0)

    def save(self, folder):
        folder.mkdir()

PATTERN = re.compile("x")
key = lambda row: row.today()

def fit(rows, seed=0):
    return solve(rows)
"""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_file_keeps_the_rule(rule: Callable[[Module], Iterable[str]]) -> None:
    assert [fault for file in modules() for fault in rule(file)] == []


@pytest.mark.parametrize(("rule", "path", "text", "fault"), BROKEN, ids=[fault for *_, fault in BROKEN])
def test_a_file_that_breaks_a_rule_is_found(rule: Callable[[Module], Iterable[str]], path: str, text: str, fault: str) -> None:
    assert list(rule(module(path, text))) == [fault]


def test_every_rule_has_a_file_that_breaks_it_and_one_that_keeps_it() -> None:
    assert {rule for rule, *_ in BROKEN} == set(RULES)
    assert [fault for rule in RULES for fault in rule(module("models/fit.py", KEPT))] == []


def test_every_import_contract_can_be_broken(tmp_path: Path) -> None:
    texts = {
        "contracts/weeks.py": "import mlflow, prefect, matplotlib.figure, warehouse.tables",
        "warehouse/tables.py": "",
        "features/cells.py": "import features.pairs, prefect, duckdb",
        "features/pairs.py": "import features.cells",
        "models/demand.py": "import features.cells, matplotlib",
        "demo/county.py": "",
        "flows/cli.py": "",
        "flows/plots.py": "import matplotlib",
        "flows/served_model.py": "import mlflow",
        "flows/train.py": "import mlflow, matplotlib, contracts.weeks",
        "flows/tracking.py": "import mlflow",
    }
    for path, text in texts.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).parent.joinpath("__init__.py").touch()
        (tmp_path / path).write_text(text, encoding="utf-8")
    lint = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--config", str(PROJECT / "pyproject.toml")]
    told = subprocess.run(lint, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600)
    assert "Contracts: 0 kept, " in told.stdout, told.stdout + told.stderr
