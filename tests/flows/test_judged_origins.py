"""Whether a demand model can be judged on what is known of pairs today, whatever was known when it was trained."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from contracts.weeks import HORIZONS
from features.attributes import NO_ATTRIBUTE
from flows.judged_origins import JudgedOrigin, judge_demand
from models.demand import DemandModel
from tests.flows.tiny_demand import tiny_model

PAIRS = 40


@pytest.fixture(scope="module")
def sees_the_tier() -> DemandModel:
    """A champion trained while every retailer had a tier."""
    return tiny_model(("mean_13w",), {"tier": ("A", "B")})[0]


def origin(**columns: list[str]) -> JudgedOrigin:
    """Pairs as of a Sunday, of which one week after it is known."""
    names = {name: [f"{name[0]}{n}" for n in range(PAIRS)] for name in ("retailer_id", "sku_id")}
    levels = dict.fromkeys(("mean_13w", "mean_26w", "mean_52w", "peer_units"), np.linspace(0.5, 3.0, PAIRS))
    came = dict.fromkeys(("target_1", "naive_1"), np.arange(PAIRS, dtype=float))
    return JudgedOrigin(date(2019, 9, 29), pa.table(names | levels | came | columns), [{}] * len(HORIZONS), horizons=(1,))


def test_a_champion_is_judged_without_an_attribute_that_is_no_longer_filled(sees_the_tier: DemandModel) -> None:
    judged = judge_demand(sees_the_tier, [origin(tier=[NO_ATTRIBUTE] * PAIRS)], threads=1)
    assert judged is not None
    assert judged[0].rows == PAIRS
    assert judged[0].figures["pinball_loss"] > 0


def test_a_champion_whose_features_are_no_longer_made_is_not(sees_the_tier: DemandModel) -> None:
    assert judge_demand(sees_the_tier, [origin()], threads=1) is None
