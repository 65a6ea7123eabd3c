"""The share of unmet demand that neighbours take, on simulated shelves where it is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.spill import Cells, estimate_spill

RETAILERS, WEEKS, SKUS, CAP = 120, 80, 5, 4
"""SKU 0 is capped in the first half of the weeks; in the other half the same cap is put on on purpose."""


def _shelves(share: float, busy: float, seed: int = 1) -> Cells:
    rng = np.random.default_rng(seed)
    pace = np.exp(rng.normal(0.0, busy, (RETAILERS, 1, WEEKS)))
    wanted = rng.poisson(3.0 * pace, (RETAILERS, SKUS, WEEKS))
    rationed = np.arange(WEEKS) < WEEKS // 2
    above = np.maximum(wanted[:, 0] - CAP, 0)
    moved = rng.binomial(above * rationed, share)
    units = wanted.copy()
    units[:, 0] = np.where(rationed, np.minimum(wanted[:, 0], CAP), wanted[:, 0])
    for retailer, week in np.argwhere(moved):
        units[retailer, 1:, week] += rng.multinomial(moved[retailer, week], np.full(SKUS - 1, 1 / (SKUS - 1)))
    retailer, sku, week = np.nonzero(units)
    capped = (sku == 0) & (wanted[retailer, sku, week] >= CAP)
    excess = np.where(capped, above[retailer, week], 0).astype(float)
    return Cells(
        retailer=retailer,
        shelf=retailer,
        pair=retailer * SKUS + sku,
        week=week,
        units=units[retailer, sku, week].astype(float),
        cut=capped,
        shared=np.zeros(week.size, dtype=bool),
        unmet=np.where(rationed[week], excess, 0.0),
        sham=np.where(rationed[week], 0.0, excess),
    )


@pytest.mark.parametrize("share", [0.2, 0.4])
def test_the_share_that_moved_is_found_and_used(share: float) -> None:
    estimate = estimate_spill(_shelves(share, busy=0.0))
    assert estimate is not None
    assert abs(estimate.rate - share) < max(3 * estimate.standard_error, 0.02)
    assert estimate.used


@pytest.mark.parametrize("busy", [0.0, 0.4])
def test_where_nothing_moved_busy_weeks_are_not_taken_for_spill(busy: float) -> None:
    estimate = estimate_spill(_shelves(0.0, busy))
    assert estimate is not None
    assert abs(estimate.rate) < 3 * estimate.standard_error
    assert not estimate.used


def test_busy_weeks_alone_would_look_like_spill() -> None:
    estimate = estimate_spill(_shelves(0.0, busy=0.4))
    assert estimate is not None
    assert estimate.raw > 0.1


def test_weeks_whose_shared_cap_is_used_up_teach_nothing() -> None:
    cells = _shelves(0.2, busy=0.0)
    shut = cells.week == 3
    with_noise = replace(cells, shared=shut, units=np.where(shut, 50.0, cells.units), cut=cells.cut | shut)
    without = replace(cells, shared=shut, cut=cells.cut | shut)
    assert estimate_spill(with_noise) == estimate_spill(without)


def test_without_anything_hidden_there_is_no_estimate() -> None:
    cells = _shelves(0.2, busy=0.0)
    assert estimate_spill(replace(cells, unmet=np.zeros(cells.week.size))) is None
