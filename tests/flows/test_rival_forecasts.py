"""Whether forecasts of others are checked like any other input, and stand beside ours for the same pairs and weeks."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from contracts.errors import InputDataError
from contracts.weeks import HORIZONS, target_week
from flows.rival_forecasts import beside, column_of, read_rivals

ORIGIN = date(2025, 8, 3)


def forecasts(name: str = "mlforecast", origin: date = ORIGIN, units: float = 2.0) -> pd.DataFrame:
    weeks = [target_week(origin, h) for h in HORIZONS]
    return pd.DataFrame({"retailer_id": "R", "sku_id": "S", "week_start": weeks, "as_of": origin, "mean_units": units, "name": name})


def written(folder: Path, *parts: pd.DataFrame) -> list[Path]:
    files = [folder / f"rival{position}.parquet" for position in range(len(parts))]
    for part, file in zip(parts, files, strict=True):
        part.to_parquet(file, index=False)
    return files


def test_forecasts_of_several_files_and_names_are_read_for_the_origins_asked_for(tmp_path: Path) -> None:
    other = ORIGIN - timedelta(weeks=8)
    files = written(tmp_path, forecasts(), forecasts("other"), forecasts(origin=other))
    found = read_rivals(files, [ORIGIN])
    assert found.groupby("name").horizon_weeks.apply(list).to_dict() == {"mlforecast": list(HORIZONS), "other": list(HORIZONS)}
    assert set(found.origin) == {"2025-08-03"}


def test_days_may_be_timestamps_and_other_columns_are_left_out(tmp_path: Path) -> None:
    stamped = forecasts().assign(week_start=lambda rows: pd.to_datetime(rows.week_start), q90=5.0)
    found = read_rivals(written(tmp_path, stamped), [ORIGIN])
    assert found.columns.tolist() == ["name", "origin", "retailer_id", "sku_id", "horizon_weeks", "mean_units"]
    assert len(found) == 8


def test_no_file_is_no_rival() -> None:
    assert read_rivals([], [ORIGIN]).empty


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"mean_units": -1.0}, "rival0.parquet.mean_units: below 0 or without end, 8 rows, first name=mlforecast, as_of=2025-08-03"),
        ({"mean_units": float("inf")}, "mean_units: below 0 or without end"),
        ({"mean_units": "much"}, "mean_units: blank or of another type"),
        ({"retailer_id": None}, "retailer_id: blank or of another type"),
        ({"name": "ours/theirs"}, "name: a name with other characters"),
        ({"name": "recent_mean"}, "name: a name that the backtest uses itself"),
        ({"as_of": date(2025, 8, 1)}, "as_of: not a Sunday"),
        ({"week_start": date(2025, 8, 5)}, "week_start: not a Monday"),
        ({"week_start": date(2025, 11, 3)}, "week_start: not one of the eight weeks after as_of"),
        ({"week_start": "soon"}, "week_start: blank or of another type"),
    ],
)
def test_a_faulty_value_is_named_with_its_first_key(changed: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(InputDataError) as refused:
        read_rivals(written(tmp_path, forecasts().assign(**changed)), [ORIGIN])
    assert told in refused.value.message
    assert "expected" in refused.value.message
    assert refused.value.exit_code == 3


def test_all_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    lacking = forecasts().drop(columns=["name"])
    files = [*written(tmp_path, forecasts(units=-1.0), lacking), tmp_path / "none.parquet"]
    with pytest.raises(InputDataError) as refused:
        read_rivals(files, [ORIGIN])
    below, missing, unread = refused.value.faults
    assert below.startswith("rival0.parquet.mean_units: below 0")
    assert missing.startswith("rival1.parquet: columns name are missing; expected name, as_of")
    assert unread.startswith("none.parquet: cannot be read as Parquet")


def test_a_key_may_not_come_twice_nor_an_origin_be_left_out(tmp_path: Path) -> None:
    files = written(tmp_path, forecasts(), forecasts(units=3.0))
    with pytest.raises(InputDataError) as refused:
        read_rivals(files, [ORIGIN, ORIGIN - timedelta(weeks=8)])
    twice, lacking = refused.value.faults
    assert twice.startswith("rival forecasts: a key that is there twice, 8 rows, first name=mlforecast")
    assert lacking.startswith("rival forecasts.as_of: no forecast of mlforecast from 2025-06-08, only from 2025-08-03")


def test_a_rival_stands_beside_our_weeks_and_is_blank_where_it_says_nothing(tmp_path: Path) -> None:
    weeks = pd.DataFrame({"origin": "2025-08-03", "retailer_id": ["R", "Q", "R"], "sku_id": "S", "horizon_weeks": [8, 8, 1], "model": 1.0})
    rivals = read_rivals(written(tmp_path, forecasts().assign(mean_units=[float(h) for h in HORIZONS])), [ORIGIN])
    joined = beside(weeks, rivals)
    assert joined[column_of("mlforecast")].fillna(-1).tolist() == [8, -1, 1]
    assert joined.model.tolist() == [1, 1, 1]
