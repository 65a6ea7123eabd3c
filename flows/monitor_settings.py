"""When does monitoring speak up: the section of the settings that says how much is harmless?"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from flows.setting_types import Count, Ends, Section
from models.monitoring_bounds import Tolerances

WatchThenAlert = Annotated[list[Annotated[float, Field(ge=0)]], Ends]


class Tolerance(Section):
    """From what distance each kind of measure is watched, and from what an alert is raised at once."""

    bias: WatchThenAlert
    relative_bias: WatchThenAlert
    persistent_bias: WatchThenAlert
    loss: WatchThenAlert
    coverage: WatchThenAlert
    value_added: WatchThenAlert
    churn: WatchThenAlert
    psi: WatchThenAlert
    total: WatchThenAlert
    share: WatchThenAlert
    volume: WatchThenAlert
    count: WatchThenAlert


class Monitoring(Section):
    """What is out of bounds, and how many findings are shown."""

    patience_weeks: Count
    history_weeks: Count
    least_history_weeks: Count
    chance_sigmas: Annotated[float, Field(ge=0)]
    exceptions: Count
    tolerance: Tolerance

    def tolerances(self) -> Tolerances:
        """Return the tolerances in the model's own words."""
        by_key = {name: (ends[0], ends[1]) for name, ends in self.tolerance.model_dump().items()}
        return Tolerances(by_key, self.chance_sigmas, self.least_history_weeks)
