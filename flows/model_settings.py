"""How models are trained: the sections of the settings that data scientists change."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from flows.setting_types import Count, Ends, Section, Share, Threads


class Features(Section):
    """What models may see."""

    attribute_share: Share


class RecensoringTrees(Section):
    """How what caps cut off is learned by capping what was never capped; the trees under LightGBM's own names."""

    free_skus: Count
    donors: Count
    max_orders: Count
    folds: Annotated[int, Field(ge=2)]
    seed: int
    num_iterations: Count
    num_leaves: Annotated[int, Field(ge=2)]
    min_data_in_leaf: Count
    learning_rate: Annotated[float, Field(gt=0)]
    feature_fraction: Share
    tweedie_variance_power: Annotated[float, Field(gt=1, lt=2)]
    num_threads: Threads


class NegativeBinomialTrees(Section):
    """How the mean of a censored negative binomial law of order sizes is learned, and when it is not tried."""

    max_orders: Count
    largest_history: Count
    spread_classes: Count
    size_classes: Count
    seed: int
    num_iterations: Count
    num_leaves: Annotated[int, Field(ge=2)]
    min_data_in_leaf: Count
    learning_rate: Annotated[float, Field(gt=0)]
    feature_fraction: Share
    hessian_floor: Share
    num_threads: Threads


class Recovery(Section):
    """How true demand is recovered from capped orders."""

    power: Annotated[float, Field(gt=0, le=1)]
    pooling_orders: Annotated[float, Field(gt=0)]
    spread_pooling_orders: Annotated[float, Field(gt=0)]
    iterations: Count
    recensoring: RecensoringTrees
    negative_binomial: NegativeBinomialTrees


class DemandTrees(Section):
    """LightGBM's parameters of the demand model, under its own names; those that begin with ``order_`` are of P(any demand)."""

    num_iterations: Count
    order_num_iterations: Count
    learning_rate: Annotated[float, Field(gt=0)]
    num_leaves: Annotated[int, Field(ge=2)]
    min_data_in_leaf: Count
    feature_fraction: Share
    max_bin: Annotated[int, Field(ge=15)]
    poisson_max_delta_step: Annotated[float, Field(gt=0)]
    num_threads: Threads


class Demand(Section):
    """How the demand model is trained."""

    seed: int
    min_history_weeks: Annotated[int, Field(ge=20)]
    cut_offs: Count
    cut_off_spacing_weeks: Count
    max_training_rows: Count
    members: Count
    max_judged_pairs: Count
    lightgbm: DemandTrees


class DemandRanges(Section):
    """Lowest and highest value that a tuning tries of each of ``DemandTrees``, under the same names."""

    num_iterations: Annotated[list[Count], Ends]
    order_num_iterations: Annotated[list[Count], Ends]
    learning_rate: Annotated[list[Annotated[float, Field(gt=0)]], Ends]
    num_leaves: Annotated[list[Annotated[int, Field(ge=2)]], Ends]
    min_data_in_leaf: Annotated[list[Count], Ends]
    feature_fraction: Annotated[list[Share], Ends]
    max_bin: Annotated[list[Annotated[int, Field(ge=15)]], Ends]
    poisson_max_delta_step: Annotated[list[Annotated[float, Field(gt=0)]], Ends]


class Tune(Section):
    """How better settings of the demand model are searched."""

    study_file: str
    origins: Count
    max_training_rows: Count
    max_judged_pairs: Count
    ranges: DemandRanges


class ChurnTrees(Section):
    """LightGBM's parameters of the churn model, under its own names."""

    num_iterations: Count
    learning_rate: Annotated[float, Field(gt=0)]
    num_leaves: Annotated[int, Field(ge=2)]
    min_data_in_leaf: Count
    feature_fraction: Share
    lambda_l2: Annotated[float, Field(ge=0)]
    num_threads: Threads


def _three_rising_shares(thresholds: list[float]) -> list[float]:
    if len(thresholds) != 3 or sorted({*thresholds, 0.0, 1.0}) != [0.0, *thresholds, 1.0]:
        raise ValueError("should be three rising numbers between 0 and 1")
    return thresholds


class Churn(Section):
    """How the churn model is trained."""

    seed: int
    origins: Count
    origin_spacing_weeks: Count
    first_origin_weeks: Count
    calibration_origins: Count
    test_origins: Count
    risk_thresholds: Annotated[list[float], AfterValidator(_three_rising_shares)]
    lightgbm: ChurnTrees


class ColdStart(Section):
    """Which pairs without history are forecast."""

    new_weeks: Count
    skus_per_retailer: Count
    retailers_per_sku: Count
