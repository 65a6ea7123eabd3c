"""What each command prints and with which exit code it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.cli import main
from flows.opening import open_warehouse
from flows.settings import Settings
from warehouse.runs import last_runs, start_run

ORDER_LINES = """\
line_id,retailer_id,sku_id,ordered_on,delivered_units
L1,R1,S1,2024-01-02,3
L2,R1,S2,2024-01-09,1
"""


COMMANDS = ("demo", "load", "train", "score", "backtest", "tune", "run", "explain", "worklist", "reclassify", "status", "features")


@pytest.fixture
def stores(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Commands that run in this process work on temporary stores, and find a locked warehouse locked at once."""
    monkeypatch.setenv("UNCAP_WAREHOUSE_URL", settings.warehouse.url)
    monkeypatch.setenv("UNCAP_TRACKING_URI", settings.tracking.uri)
    return settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Hold two order lines of one retailer."""
    inputs = tmp_path / "input"
    inputs.mkdir()
    (inputs / "order_lines.csv").write_text(ORDER_LINES, encoding="utf-8")
    return inputs


def impatient(folder: Path) -> str:
    """Return the path of a configuration that tries a held warehouse once more, at once."""
    config = folder / "impatient.toml"
    config.write_text("[retries]\nattempts = 1\ndelay_seconds = 0.0\n[concurrency]\nwait_minutes = 0.0\n", encoding="utf-8")
    return str(config)


def test_help_and_version_succeed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert [command for command in COMMANDS if command not in printed] == []
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("uncap 0.")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_a_configuration(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [command, *{"load": ["somewhere"], "explain": ["R1", "S1"]}.get(command, [])]
    assert main([*arguments, "--config", "nowhere.toml"]) == 2
    printed = capsys.readouterr().err
    assert "error: nowhere.toml: cannot be read: No such file or directory" in printed
    assert "hint: give --config the path of a TOML file" in printed


@pytest.mark.usefixtures("stores")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["fly"], "No such command 'fly'"),
        (["load"], "Missing argument 'DIR'"),
        (["explain", "R1"], "Missing argument 'SKU'"),
        (["explain", "R1", "S1", "--week", "2019-10-01"], "hint: the Monday of that week is 2019-09-30"),
        (["train", "--as-of"], "requires an argument"),
        (["train", "--as-of", "soon"], "error: as_of soon: not a date"),
        (["score", "--as-of", "2019-10-02"], "error: as_of 2019-10-02 is a Wednesday; a week ends on Sunday"),
        (["score", "--as-of", "2019-10-02"], "hint: the last whole week before it ends on 2019-09-29"),
        (["backtest", "--origins", "0"], "Invalid value for '--origins'"),
        (["tune", "--minutes", "0"], "Invalid value for '--minutes'"),
        (["tune", "--trials", "0"], "Invalid value for '--trials'"),
    ],
)
def test_bad_usage_ends_with_2_and_says_what_is_wrong(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert told in printed.err
    assert printed.out == ""


@pytest.mark.usefixtures("stores")
def test_status_before_anything_is_loaded_makes_nothing_and_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 0
    assert "Next: load your tables with `uncap load DIR`" in capsys.readouterr().out
    assert not (tmp_path / "warehouse.duckdb").exists()
    assert not (tmp_path / "mlruns").exists()


@pytest.mark.usefixtures("prefect_server", "stores")
def test_a_load_prints_its_rows_and_is_told_by_status(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", str(folder)]) == 0
    printed = capsys.readouterr()
    assert printed.out.split("\n")[2].split() == ["order_lines", "2", "2", "0", "0"]
    assert "\x1b" not in printed.err
    assert all(line.startswith("load ") for line in printed.err.splitlines())
    assert main(["status", "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert [table for table in status["loaded"] if table["rows"]] == [
        {"table": "raw.order_lines", "rows": 2, "first_day": "2024-01-02", "last_day": "2024-01-09"}
    ]
    assert [(run["flow"], run["status"], run["error"]) for run in status["runs"]] == [("load", "succeeded", None)]
    assert status["next_step"] == "train the models with `uncap train`"


@pytest.mark.usefixtures("prefect_server")
def test_bad_data_ends_with_3_and_is_recorded_as_a_failed_run(stores: Settings, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "order_lines.csv").write_text(ORDER_LINES.replace(",3\n", ",-3\n"), encoding="utf-8")
    assert main(["load", str(folder)]) == 3
    told = capsys.readouterr().err
    assert "error: order_lines.delivered_units: " in told
    assert "hint: correct the files and load again; nothing was kept" in told
    assert "Traceback" not in told
    with open_warehouse(stores) as con:
        run = last_runs(con).to_pylist()[0]
    assert (run["flow"], run["status"], run["rows_written"]) == ("load", "failed", "{}")
    assert run["error"].startswith("order_lines.delivered_units: ")


@pytest.mark.usefixtures("prefect_server", "stores")
def test_a_held_warehouse_is_tried_again_and_then_ends_with_1(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    holding = "import duckdb, sys\ncon = duckdb.connect(sys.argv[1])\nprint('held', flush=True)\nsys.stdin.read()"
    arguments = [sys.executable, "-c", holding, str(tmp_path / "warehouse.duckdb")]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        code = main(["load", str(folder), "--config", impatient(tmp_path)])
        holder.communicate()
    told = capsys.readouterr().err
    assert code == 1
    assert told.count("record the start of the run: ") == 1
    assert f"is locked by process {holder.pid}" in told.split("error: ")[1]


@pytest.mark.usefixtures("prefect_server")
def test_a_run_whose_process_is_gone_is_marked_as_died_by_the_next_one(stores: Settings, folder: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with open_warehouse(stores) as con:
        killed = start_run(con, "load", as_of=None, started_at=datetime(2024, 1, 10, tzinfo=UTC), process_id=gone.pid, code_version="0")
    assert main(["load", str(folder)]) == 0
    with open_warehouse(stores) as con:
        statuses: dict[str, str] = dict(con.execute("SELECT run_id, status FROM scored.runs"))
    assert statuses.pop(killed) == "died"
    assert list(statuses.values()) == ["succeeded"]


@pytest.mark.usefixtures("stores")
def test_an_unexpected_failure_ends_with_1_and_says_where_its_traceback_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setitem(sys.modules, "flows.status", None)
    assert main(["status"]) == 1
    told = capsys.readouterr().err
    assert "error: unexpected ModuleNotFoundError: import of flows.status halted" in told
    assert "Traceback" not in told
    (kept,) = tmp_path.glob("uncap-*.traceback.txt")
    assert str(kept) in told
    assert "Traceback (most recent call last)" in kept.read_text()
    assert main(["--debug", "status"]) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_an_interrupted_command_ends_with_130() -> None:
    waiting = textwrap.dedent("""
        import signal, sys, time, types
        signal.signal(signal.SIGINT, signal.default_int_handler)  # tests run in the background are started with it ignored
        import flows.status  # imported first: the interruption is to meet the command at work
        stand_in = types.ModuleType("flows.status")
        def read_status(settings):
            print("at work", flush=True)
            time.sleep(60)
        stand_in.read_status, stand_in.print_status, stand_in.as_json = read_status, None, None
        sys.modules["flows.status"] = stand_in
        from flows.cli import main
        sys.exit(main(["status"]))
    """)
    with subprocess.Popen([sys.executable, "-c", waiting], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "Traceback" not in told


def test_help_imports_nothing_heavy() -> None:
    heavy = "{'prefect', 'mlflow', 'ibis', 'duckdb', 'lightgbm', 'pandas', 'numpy', 'matplotlib', 'optuna', 'pyarrow'}"
    script = f"import sys; from flows.cli import main; main(['--help']); print(sorted({heavy} & set(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines()[-1] == "[]"


def test_the_command_itself_returns_the_exit_code(tmp_path: Path) -> None:
    uncap = Path(sys.executable).with_name("uncap")
    environment = os.environ | {"UNCAP_TRACKING_URI": "ftp://nowhere", "UNCAP_WAREHOUSE_URL": str(tmp_path / "w.duckdb")}
    ended = subprocess.run([str(uncap), "status"], capture_output=True, text=True, check=False, env=environment)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: UNCAP_TRACKING_URI: tracking.uri: 'ftp://nowhere' is in no known form;")


@pytest.mark.usefixtures("stores")
def test_features_lists_every_feature_of_both_models(capsys: pytest.CaptureFixture[str]) -> None:
    from features.churn import CHURN_FEATURES
    from features.demand import DEMAND_FEATURES

    assert main(["features"]) == 0
    listed = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert {feature.name for feature in (*DEMAND_FEATURES, *CHURN_FEATURES)} <= listed
