"""Which model scores and when a new one is trained: the section of the settings that the keepers of models decide."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from contracts.weeks import HORIZONS
from flows.setting_types import Count, Section

Allowance = Annotated[float, Field(ge=0)]


class Lifecycle(Section):
    """How challengers are compared with champions, and when a champion is too old."""

    judged_origins: Count
    origin_spacing_weeks: Count
    judged_pairs: Count
    worse_at_origin: Allowance
    worse_when_forced: Allowance
    largest_bias: Allowance
    wape_allowance: Allowance
    largest_calibration_loss: Allowance
    most_weeks: Count
    weeks_out_of_bounds: Count
    settling_weeks: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _within_held_out_weeks(self) -> Self:
        if (self.judged_origins - 1) * self.origin_spacing_weeks >= len(HORIZONS):
            raise ValueError(
                f"judged_origins and origin_spacing_weeks: the last origin should leave at least one of the {len(HORIZONS)} held-out weeks"
            )
        return self
