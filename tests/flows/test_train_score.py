"""Whether load, train and score leave the scored tables of the contract, and whether what is in them is near the county's truth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from contracts.scored import CHURN_SCORE, DEMAND_FORECAST, QUANTILES, RISK_BANDS, SCORED_TABLES, TRUE_DEMAND, quantile_column
from contracts.tables import Table
from tests.small_county import AS_OF, EARLIER, ScoredCounty

KEY = ["retailer_id", "sku_id", "week_start"]
PAIR = KEY[:2]


@pytest.fixture(scope="module")
def forecasts(county: ScoredCounty) -> pd.DataFrame:
    return county.place.rows(f"SELECT * FROM scored.demand_forecast WHERE as_of = DATE '{AS_OF}'")


@pytest.fixture(scope="module")
def scores(county: ScoredCounty) -> pd.DataFrame:
    return county.place.rows(f"SELECT * FROM scored.churn_score WHERE as_of = DATE '{AS_OF}'")


@pytest.fixture(scope="module")
def recovered(county: ScoredCounty) -> pd.DataFrame:
    return county.place.rows("SELECT * FROM scored.true_demand")


@pytest.mark.parametrize("table", SCORED_TABLES, ids=lambda table: table.name)
def test_a_scored_table_has_rows_and_exactly_the_columns_of_the_contract(county: ScoredCounty, table: Table) -> None:
    stored = county.place.rows(f"SELECT * FROM {table.full_name}")
    assert tuple(stored.columns) == table.column_names
    assert len(stored) > 0
    assert not stored.duplicated(list(table.key)).any()


def test_every_pair_ordered_in_the_last_year_by_an_open_retailer_is_forecast(county: ScoredCounty, forecasts: pd.DataFrame) -> None:
    ordered = county.place.rows(f"""
        SELECT DISTINCT retailer_id, sku_id FROM raw.order_lines ANTI JOIN
            (SELECT retailer_id FROM raw.retailers WHERE closed_on <= DATE '{AS_OF}') USING (retailer_id)
        WHERE ordered_on > DATE '{AS_OF}' - INTERVAL 364 DAYS AND ordered_on <= DATE '{AS_OF}'""")
    with_history = forecasts[forecasts.method == "history"]
    assert _pairs(with_history) == _pairs(ordered)
    assert _pairs(forecasts[forecasts.method == "cold_start"]).isdisjoint(_pairs(ordered))


def test_each_pair_is_forecast_for_each_of_the_eight_weeks_after(forecasts: pd.DataFrame) -> None:
    weeks = forecasts.groupby(PAIR).horizon_weeks.agg(["nunique", "size", "min", "max"]).drop_duplicates()
    assert weeks.to_numpy().tolist() == [[8, 8, 1, 8]]
    first = pd.Timestamp(AS_OF + timedelta(days=1))
    assert (forecasts.week_start == first + pd.to_timedelta(7 * (forecasts.horizon_weeks - 1), unit="D")).all()


def test_new_shops_and_new_skus_get_a_forecast_marked_as_a_cold_start(county: ScoredCounty, forecasts: pd.DataFrame) -> None:
    cold = forecasts[forecasts.method == "cold_start"]
    month = AS_OF - timedelta(weeks=4)
    shops = county.place.rows(f"SELECT retailer_id FROM raw.retailers WHERE opened_on > DATE '{month}' AND closed_on IS NULL")
    skus = county.place.rows(f"SELECT sku_id FROM raw.skus WHERE launched_on > DATE '{month}' AND launched_on <= DATE '{AS_OF}'")
    assert len(shops)
    assert len(skus)
    assert set(shops.retailer_id) <= set(cold.retailer_id)
    assert set(skus.sku_id) <= set(cold.sku_id)
    assert (cold.mean_units >= 0).all()
    assert (cold[cold.horizon_weeks == 8].mean_units > 0).any()


def test_quantiles_rise_and_probabilities_are_probabilities(forecasts: pd.DataFrame) -> None:
    quantiles = forecasts[[quantile_column(level) for level in QUANTILES]].to_numpy()
    assert (quantiles >= 0).all()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert forecasts.p_order.between(0, 1).all()
    assert (forecasts.mean_units >= 0).all()


def test_about_as_many_weeks_of_truth_lie_below_a_quantile_as_it_says(county: ScoredCounty, forecasts: pd.DataFrame) -> None:
    weeks = _with_truth(forecasts[forecasts.method == "history"], county)
    for level in QUANTILES:
        # most weeks have no demand: those that equal a quantile of 0 may count on either side of it
        quantile = weeks[quantile_column(level)]
        assert (weeks.demand_units < quantile).mean() < level + 0.03
        assert (weeks.demand_units <= quantile).mean() > level - 0.03


def test_totals_have_the_means_of_their_weeks_and_quantiles_of_their_own(county: ScoredCounty, forecasts: pd.DataFrame) -> None:
    totals = county.place.rows(f"SELECT * FROM scored.demand_forecast_total WHERE as_of = DATE '{AS_OF}'").set_index(PAIR)
    columns = [quantile_column(level) for level in QUANTILES]
    weeks = forecasts.groupby(PAIR)[["mean_units", *columns]].sum()
    assert len(totals) == len(weeks)
    sums = weeks.loc[totals.index]
    np.testing.assert_allclose(totals.mean_units, sums.mean_units)
    quantiles = totals[columns].to_numpy()
    assert (quantiles >= 0).all()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert (totals.low80_units <= totals.high80_units).all()
    often = totals.mean_units.nlargest(100).index
    assert totals.q95[often].sum() < 0.9 * sums.q95[often].sum()


def test_about_four_in_five_totals_lie_within_their_interval(county: ScoredCounty, forecasts: pd.DataFrame) -> None:
    history = forecasts[forecasts.method == "history"]
    came = _with_truth(history, county).groupby(PAIR).demand_units.sum()
    totals = county.place.rows(f"SELECT * FROM scored.demand_forecast_total WHERE as_of = DATE '{AS_OF}'").set_index(PAIR).loc[came.index]
    assert 0.74 < came.between(totals.low80_units, totals.high80_units).mean() < 0.86


def test_the_scored_retailers_are_those_that_ordered_in_eight_weeks_and_are_open(county: ScoredCounty, scores: pd.DataFrame) -> None:
    active = county.place.rows(f"""
        SELECT DISTINCT retailer_id FROM raw.order_lines JOIN raw.retailers AS shop USING (retailer_id)
        WHERE ordered_on > DATE '{AS_OF}' - INTERVAL 56 DAYS AND delivered_units > 0 AND coalesce(shop.closed_on > DATE '{AS_OF}', true)
        AND NOT EXISTS (SELECT 1 FROM raw.order_lines AS later WHERE later.retailer_id = shop.successor_id)""")
    assert set(scores.retailer_id) == set(active.retailer_id)


def test_the_chance_of_silence_never_rises_with_its_length_and_gives_the_band(county: ScoredCounty, scores: pd.DataFrame) -> None:
    curve = scores[["p_churn_4w", "p_churn_8w", "p_churn_13w", "p_churn_26w"]].to_numpy()
    assert (np.diff(curve, axis=1) <= 0).all()
    assert (curve >= 0).all()
    assert (curve <= 1).all()
    thresholds = county.place.settings.churn.risk_thresholds
    expected = np.array(RISK_BANDS)[np.searchsorted(thresholds, scores.p_churn_13w, side="right")]
    assert scores.risk_band.tolist() == expected.tolist()
    assert len(set(scores.risk_band)) > 1


def test_every_retailer_has_a_reason_and_reasons_come_in_order(scores: pd.DataFrame) -> None:
    assert scores.reason_1.str.len().min() > 10
    assert not (scores.reason_2.isna() & scores.reason_3.notna()).any()
    assert set(scores.scored_by) <= {"model", "btyd", "rule"}
    # the model, or the baseline that was promoted in its place
    assert scores.scored_by.value_counts(normalize=True).max() > 0.8
    assert (scores.margin_at_risk >= 0).all()


def test_the_band_before_is_that_of_the_sunday_scored_before(county: ScoredCounty, scores: pd.DataFrame) -> None:
    before = county.place.rows(f"SELECT retailer_id, risk_band AS expected FROM scored.churn_score WHERE as_of = DATE '{EARLIER}'")
    bands = scores.merge(before, how="left", on="retailer_id")
    assert bands.expected.notna().mean() > 0.8
    assert bands.risk_band_prev.fillna("").tolist() == bands.expected.fillna("").tolist()


def test_every_row_tells_which_run_and_which_model_gave_it(county: ScoredCounty) -> None:
    runs = county.place.rows("SELECT * FROM scored.runs WHERE flow = 'score'").set_index("run_id")
    assert set(runs.status) == {"succeeded"}
    assert sorted(runs.as_of) == [pd.Timestamp(EARLIER), pd.Timestamp(AS_OF)]
    for table, model in ((DEMAND_FORECAST, "demand_model_version"), (CHURN_SCORE, "churn_model_version"), (TRUE_DEMAND, None)):
        written = county.place.rows(f"SELECT DISTINCT run_id, as_of, model_version FROM {table.full_name}").set_index("run_id")
        assert set(written.index) <= set(runs.index)
        assert (written.as_of == runs.as_of[written.index]).all()
        assert model is None or (written.model_version == runs[model][written.index]).all()


def test_true_demand_is_at_least_the_order_at_a_cap_and_at_most_the_order_at_a_floor(recovered: pd.DataFrame) -> None:
    assert set(recovered.censoring) == {"cap", "band", "floor"}
    at_least, at_most = recovered[recovered.censoring != "floor"], recovered[recovered.censoring == "floor"]
    for estimate in ("true_units", "true_units_p10", "true_units_p90"):
        assert (at_least[estimate] >= at_least.delivered_units).all()
        assert (at_most[estimate] <= at_most.delivered_units).all()
    assert (recovered.true_units_p10 <= recovered.true_units_p90).all()


def test_the_weekly_view_has_every_ordered_week_once_with_its_best_estimate(county: ScoredCounty, recovered: pd.DataFrame) -> None:
    weekly = county.place.rows("SELECT * FROM scored.true_demand_weekly")
    ordered = county.place.rows("""
        SELECT retailer_id, sku_id, CAST(date_trunc('week', ordered_on) AS DATE) AS week_start, sum(delivered_units) AS units
        FROM raw.order_lines GROUP BY ALL""")
    assert not weekly.duplicated(KEY).any()
    open_weeks = weekly[weekly.censoring != "stockout"].merge(ordered, how="left", on=KEY)
    assert open_weeks.delivered_units.to_numpy() == pytest.approx(open_weeks.units.fillna(0.0).to_numpy())
    exact = weekly[weekly.censoring == "none"]
    assert exact.true_units.tolist() == exact.delivered_units.tolist()
    estimated = weekly.merge(recovered[[*KEY, "true_units"]], on=KEY)
    assert len(estimated) == len(recovered)
    assert estimated.true_units_x.tolist() == estimated.true_units_y.tolist()


def test_recovered_demand_is_nearer_the_truth_than_orders_are(county: ScoredCounty, recovered: pd.DataFrame) -> None:
    weeks = _with_truth(recovered, county)
    for part in (weeks[weeks.censoring == "cap"], weeks[weeks.censoring == "band"], weeks[weeks.censoring == "floor"]):
        assert abs(_bias(part, "true_units")) < abs(_bias(part, "delivered_units")) / 2
    for part in (weeks[weeks.censoring == "cap"], weeks):
        assert _wape(part, "true_units", KEY) < _wape(part, "delivered_units", KEY)


def test_forecasts_are_nearer_the_truth_than_the_naive_ones_of_orders(county: ScoredCounty, forecasts: pd.DataFrame) -> None:
    orders = county.place.rows("""
        SELECT retailer_id, sku_id, CAST(date_trunc('week', ordered_on) AS DATE) AS week_start, sum(delivered_units) AS units
        FROM raw.order_lines GROUP BY ALL""")
    year_before = orders.assign(week_start=orders.week_start + pd.Timedelta(weeks=52)).rename(columns={"units": "naive"})
    recent = orders[orders.week_start > pd.Timestamp(AS_OF - timedelta(weeks=13))].groupby(PAIR).units.sum().div(13).rename("recent")
    weeks = _with_truth(forecasts[forecasts.method == "history"], county).merge(year_before, how="left", on=KEY).join(recent, on=PAIR)
    weeks = weeks.fillna({"naive": 0.0, "recent": 0.0})
    for grain in (["sku_id", "week_start"], PAIR):
        ours = _wape(weeks, "mean_units", grain)
        assert ours < _wape(weeks, "naive", grain)
        assert ours < _wape(weeks, "recent", grain)


def _pairs(rows: pd.DataFrame) -> set[tuple[str, str]]:
    return set(rows[PAIR].itertuples(index=False, name=None))


def _with_truth(rows: pd.DataFrame, county: ScoredCounty) -> pd.DataFrame:
    return rows.merge(county.true_weeks(), how="left", on=KEY).fillna({"demand_units": 0.0})


def _bias(weeks: pd.DataFrame, column: str) -> float:
    return float((weeks[column] - weeks.demand_units).sum() / weeks.demand_units.sum())


def _wape(weeks: pd.DataFrame, column: str, grain: Sequence[str]) -> float:
    sums = weeks.groupby(list(grain))[[column, "demand_units"]].sum()
    return float((sums[column] - sums.demand_units).abs().sum() / sums.demand_units.sum())
