"""Whether the page of a backtest says what there is to say, and that there is nothing where nothing was rationed."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from contracts.scored import QUANTILES
from flows.backtest_findings import ChurnFindings, Findings, by_origin, judge_demand
from flows.backtest_page import backtest_page
from flows.backtest_summary import print_backtest
from flows.locations import PROJECT_FOLDER
from models.evaluation import FORECASTS
from models.observable import staircase

NAMES = {name: name for name in FORECASTS}


def judged(*, capped_share: float, tiers: int, n: int = 1200) -> pd.DataFrame:
    """Weeks as a backtest judges them, half of them with an order of 6 units, which the model knows."""
    rng = np.random.default_rng(1)
    pair = np.arange(n) // 8
    actual = np.where(rng.random(n) < 0.5, 6.0, 0.0)
    capped = rng.random(n) < capped_share
    quantiles = np.tile(np.where(np.asarray(QUANTILES) > 0.5, 6.0, 0.0), (n, 1))
    steps = staircase(np.full(n, 3.0), np.full(n, 0.5), quantiles, QUANTILES)
    weeks = pd.DataFrame(
        {
            "origin": "2025-08-03",
            "retailer_id": [f"R{p}" for p in pair],
            "sku_id": "S",
            "tier": [f"T{p % tiers}" if tiers else "" for p in pair],
            "horizon_weeks": np.arange(n) % 8 + 1,
            "actual": actual,
            "delivered_units": np.where(capped, np.minimum(actual, 4.0), actual),
            "cap_units": np.where(capped, 4.0, np.nan),
            "band_cap_units": np.nan,
            "floored": False,
            "model": 3.0,
            "seasonal_naive": 6.0,
            "recent_mean": 2.0,
            "p_order": 0.5,
            "orders_52w": np.where(pair % 2, 26.0, 4.0),
            "open_weeks_52w": 52.0,
            "orders_26w": np.where(pair % 2, 13.0, 2.0),
            "capped_orders_26w": np.where(capped_share, pair % 5, 0) / 10,
            "capped_weeks_26w": 4.0 if capped_share else 0.0,
            "expected_units": np.where(capped, 2.0, np.nan),
            "p_at_cap": np.where(capped, 0.5, np.nan),
            "p_less": 1 - steps.p_at_least(actual),
            "p_at_most": steps.p_at_most(actual),
        }
    )
    return weeks.assign(**{f"q{level}": quantiles[:, position] for position, level in enumerate(QUANTILES)})


def findings(weeks: pd.DataFrame) -> Findings:
    demand = judge_demand(weeks, totals_of(weeks), NAMES)
    return Findings(date(2025, 9, 28), [date(2025, 8, 3)], list(NAMES), {}, demand, ChurnFindings({}, None))


def totals_of(weeks: pd.DataFrame) -> pd.DataFrame:
    """The same weeks, eight of a pair together: of 24 units that are expected, 12 to 36 are within."""
    constant = ["origin", "orders_52w", "open_weeks_52w"]
    totals = weeks.groupby(["retailer_id", "sku_id", *constant]).agg(actual=("actual", "sum"), limited=("cap_units", "count")).reset_index()
    quantiles = {f"q{level}": 48 * level for level in QUANTILES}
    return totals.assign(limited=totals.limited > 0, model=24.0, low80=12.0, high80=36.0, **quantiles)


@pytest.fixture(scope="module")
def rationed() -> Findings:
    return findings(judged(capped_share=0.4, tiers=3))


def test_a_rationed_market_is_checked_by_its_orders(rationed: Findings) -> None:
    page = backtest_page(rationed)
    metrics = rationed.demand.metrics()
    assert metrics["under_caps.gap"] == pytest.approx(0, abs=0.1)
    assert metrics["under_caps.p_at_cap"] == pytest.approx(metrics["under_caps.at_cap"], abs=0.06)
    assert metrics["unlimited.pit_distance_loss"] < 0.06
    assert metrics["cap_lifted.bias"] == pytest.approx(0, abs=0.1)
    assert metrics["totals.coverage_80"] == pytest.approx(0.93, abs=0.05)
    assert metrics["totals.bias"] == pytest.approx(0, abs=0.1)
    assert "Totals within their interval" in page
    for part in ("By how often a pair orders", "By supply tier", "By share of orders at a cap", "By cap in the week", "PIT histogram"):
        assert part in page
    assert "The history is too short to judge the churn model." in page


def test_nothing_is_said_of_tiers_and_caps_where_there_are_none(capsys: pytest.CaptureFixture[str]) -> None:
    free = findings(judged(capped_share=0.0, tiers=0))
    page = backtest_page(free)
    assert "By supply tier" not in page
    assert "By cap in the week" not in page
    assert "No judged week had a cap of the SKU alone" in page
    assert free.demand.lifted() is None
    assert not [name for name in free.demand.metrics() if name.startswith("under_caps")]
    print_backtest(free, PROJECT_FOLDER / "data" / "backtest.html")
    printed = capsys.readouterr().out
    assert "orders under caps" not in printed
    assert "share at or below q90, no limit" in printed
    assert "share of 8-week totals within 80 %" in printed


def test_an_origin_that_nothing_calibrates_has_no_totals(capsys: pytest.CaptureFixture[str]) -> None:
    weeks = judged(capped_share=0.4, tiers=3)
    demand = judge_demand(weeks, pd.DataFrame(), NAMES)
    first = Findings(date(2025, 9, 28), [date(2025, 8, 3)], list(NAMES), {}, demand, ChurnFindings({}, None))
    assert "no totals to judge" in backtest_page(first)
    assert not [name for name in demand.metrics() if name.startswith("totals.")]
    print_backtest(first, PROJECT_FOLDER / "data" / "backtest.html")
    assert "8-week totals" not in capsys.readouterr().out


def test_where_every_week_has_a_cap_there_is_no_week_without_a_limit(capsys: pytest.CaptureFixture[str]) -> None:
    always = findings(judged(capped_share=1.0, tiers=3))
    assert "Every judged week had a cap or a floor" in backtest_page(always)
    print_backtest(always, PROJECT_FOLDER / "data" / "backtest.html")
    assert "orders under caps, units" in capsys.readouterr().out


def test_every_table_can_be_written_as_json_without_a_number_that_is_none(rationed: Findings) -> None:
    documents = rationed.demand.documents()
    assert set(documents) == {f"{name}.json" for name in ("breakdown", "value_added", "under_caps", "at_cap", "coverage", "totals", "pit")}
    rows = documents["breakdown.json"]
    assert isinstance(rows, list)
    assert {row["coverage_80"] for row in rows if row["forecast"] == "recent_mean"} == {None}


def test_the_figures_by_origin_name_it_as_a_day(rationed: Findings) -> None:
    rows = by_origin(rationed.demand)
    assert rows.origin.tolist() == [date(2025, 8, 3)] * 3
    assert rows.forecast.tolist() == list(FORECASTS)
