"""Whether the demo runs the whole of uncap and ends with what a person wants to read."""

from __future__ import annotations

from pathlib import Path

import pytest

import flows.demo
from tests.flows.commands import Command
from tests.small_county import Place


@pytest.fixture(autouse=True)
def _county_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulated county goes to the test's folder rather than the project's."""
    monkeypatch.setattr(flows.demo, "COUNTY_FOLDER", tmp_path / "demo")


def test_the_demo_tells_how_near_the_truth_it_came_who_is_at_risk_and_where_to_look(
    place: Place, uncap: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    place.config.write_text(place.config.read_text().replace("origins = 8", "origins = 2"))
    assert uncap(place, "demo", "--small", "--seed", "3") == 0
    printed = capsys.readouterr().out
    assert "A county of 120 retailers and 40 SKUs" in printed
    parts = printed.split("\n\n")
    headings = [
        "Demand in the weeks that a cap, a band cap or a floor hid, against the truth",
        "Forecast of the true demand of the 8 weeks after 2025-09-28",
        "Retailers most at risk",
        "Where to look",
    ]
    assert [heading for heading in headings if not any(part.strip().startswith(heading) for part in parts)] == []
    assert str(place.folder / "warehouse.duckdb") in printed
    assert f"mlflow ui --backend-store-uri sqlite:///{place.folder}/mlruns/mlflow.db" in printed
    flows_run = place.rows("SELECT flow, status FROM scored.runs ORDER BY started_at")
    assert flows_run.flow.tolist() == ["load", "train", "score", "monitor"]
    assert set(flows_run.status) == {"succeeded"}


def test_the_demo_refuses_a_warehouse_with_orders_of_somebody_else(
    county_copy: Place, uncap: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    before = county_copy.rows("SELECT count(*) AS n FROM raw.order_lines").n[0]
    assert uncap(county_copy, "demo", "--small") == 2
    told = capsys.readouterr().err
    assert "that are not of this county" in told
    assert "hint: give the demo a warehouse of its own" in told
    assert county_copy.rows("SELECT count(*) AS n FROM raw.order_lines").n[0] == before
