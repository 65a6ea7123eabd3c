"""Does the notebook that the README shows run after a score?"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import mlflow
import pytest

from tests.small_county import ScoredCounty

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_notebook_of_the_readme_prints_what_the_champion_says(
    county: ScoredCounty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (notebook,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    for name, place in (("warehouse.duckdb", "data"), ("mlruns/mlflow.db", "mlruns")):
        (tmp_path / place).mkdir()
        shutil.copy(county.place.folder / name, tmp_path / place)
    monkeypatch.chdir(tmp_path)
    before = mlflow.get_tracking_uri()
    try:
        exec(compile(notebook, str(README), "exec"), {})  # noqa: S102 - it is ours
    finally:
        mlflow.set_tracking_uri(before)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[0] == "retailer_id"
    assert [line.split()[0] for line in lines[1:4]] == ["0", "1", "2"]
