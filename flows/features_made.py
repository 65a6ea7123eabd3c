"""Which features does a registered model take, and does this version of uncap make them all?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from features.attributes import ATTRIBUTES
from features.calendar import CALENDAR_FEATURES
from features.churn import ATTRIBUTE_FEATURES, churn_features
from features.demand import GROUP_FEATURES, PAIR_FEATURES, SEASON_FEATURES
from flows.registering import FINAL
from flows.tracking import DEMAND_MODEL
from models import churn_storage
from models.demand import DemandModel
from models.stacking import FeatureSpace

HORIZON = "horizon_weeks"
"""Made by the model itself."""


def features_version(names: Iterable[str]) -> str:
    """Return eight hexadecimal digits that stand for a set of features.

    >>> features_version(["recency_weeks", "tier"]) == features_version(["tier", "recency_weeks"])
    True
    """
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:8]


def demand_features(space: FeatureSpace) -> list[str]:
    """Return the features a demand model takes.

    >>> demand_features(FeatureSpace(("mean_13w",), (), (), {"tier": ("A", "B")}))
    ['mean_13w', 'tier']
    """
    return [name for name in space.names if name != HORIZON]


def features_of(name: str, folder: Path) -> list[str]:
    """Load a registered model from its folder, and return the features it takes.

    Raises
    ------
    UncapError
        If the folder does not hold such a model.
    """
    if name == DEMAND_MODEL:
        return demand_features(DemandModel.load(folder / FINAL).space)
    return list(churn_storage.load(folder / FINAL).features)


def unmade(name: str, features: Iterable[str]) -> list[str]:
    """Return the features that this version of uncap does not make.

    >>> unmade(DEMAND_MODEL, ["mean_13w", "phase_of_the_moon"])
    ['phase_of_the_moon']
    """
    if name == DEMAND_MODEL:
        made = {feature.name for feature in (*PAIR_FEATURES, *GROUP_FEATURES, *SEASON_FEATURES, *CALENDAR_FEATURES, *ATTRIBUTES)}
    else:
        made = {feature.name for feature in churn_features([feature.name for feature in ATTRIBUTE_FEATURES])}
    return [feature for feature in features if feature not in made]
