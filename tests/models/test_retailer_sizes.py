"""What retailers order of their other SKUs, against loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.orders import Orders, orders_of
from models.retailer_sizes import STATISTICS, retailer_sizes
from models.stacking import Flags, Floats
from tests.rationed_market import rationed_market


@pytest.fixture(scope="module")
def orders() -> Orders:
    return orders_of(rationed_market(2, rationed=3, free=3, retailers=6, weeks=15).sort_values("week_start", ignore_index=True))


@pytest.fixture(scope="module")
def typical(orders: Orders) -> Floats:
    return np.asarray(np.random.default_rng(1).uniform(1.0, 9.0, orders.pair.max() + 1)[orders.pair])


def described(orders: Orders, typical: Floats) -> dict[str, Floats]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return retailer_sizes(orders, typical).describe(orders.retailer, orders.sku, orders.week, orders.category)


def statistics(times: Floats) -> list[float]:
    if times.size == 0:
        return [np.nan] * (len(STATISTICS) - 1)
    values = [times, np.minimum(times, 20.0) ** 2, times > 2, times > 5, times > 10, np.log(times)]
    return [float(np.mean(value)) for value in values]


def test_statistics_are_those_of_other_skus_whose_sizes_are_known(orders: Orders, typical: Floats) -> None:
    columns = described(orders, typical)
    seen, times = ~orders.at_cap, np.minimum(orders.size / typical, 50.0)
    for n in range(orders.count):
        other = seen & (orders.sku != orders.sku[n])
        shop, visit = orders.retailer == orders.retailer[n], orders.week == orders.week[n]
        places: dict[str, Flags] = {"retailer": shop, "visit": shop & visit, "category": orders.category == orders.category[n]}
        for name, place in places.items():
            found = [columns[f"{name}_sizes_{what}"][n] for what in STATISTICS[1:]]
            assert found == pytest.approx(statistics(times[other & place]), rel=1e-9, abs=1e-9, nan_ok=True)
        visits, ever = (other & shop & visit).sum(), (other & shop).sum()
        assert columns["visit_orders"][n] == pytest.approx(np.log1p(visits))
        assert columns["visit_share"][n] == pytest.approx(visits / max(ever, 1))


def test_orders_of_the_sku_itself_tell_nothing_of_it(orders: Orders, typical: Floats) -> None:
    of_sku = orders.sku == orders.sku.max()
    before, after = (described(replace(orders, size=orders.size * times), typical) for times in (1.0, np.where(of_sku, 7.0, 1.0)))
    for name, values in before.items():
        np.testing.assert_allclose(after[name][of_sku], values[of_sku], rtol=1e-9, atol=1e-9, err_msg=name)
    assert not np.allclose(before["retailer_sizes_mean"], after["retailer_sizes_mean"], equal_nan=True)


def test_a_retailer_that_is_not_known_is_not_described(orders: Orders, typical: Floats) -> None:
    stranger, zero = np.array([orders.retailer.max() + 1]), np.array([0])
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = retailer_sizes(orders, typical).describe(stranger, zero, orders.week[:1], orders.category[:1])
    assert np.isnan(columns["retailer_sizes_mean"]).all()
    assert np.isfinite(columns["category_sizes_mean"]).all()
    assert columns["visit_share"].tolist() == [0.0]
