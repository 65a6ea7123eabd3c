"""What a section of the settings and its values are made of: counts, shares, threads, two ends of a range."""

from __future__ import annotations

import os
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _all_cores_for_zero(threads: int) -> int:
    """Return the threads to use: what was set, or for 0 the cores this process may run on."""
    return threads or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


Threads = Annotated[int, Field(ge=0), AfterValidator(_all_cores_for_zero)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, le=1)]
Text = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    """A section of the configuration: frozen, its types taken literally, and nothing in it that is not declared.

    A field has no default here: conf/base.toml gives every value, so a new key is one line there and one line here.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


def _low_then_high(ends: list[int] | list[float]) -> list[int] | list[float]:
    if len(ends) != 2 or ends[0] > ends[1]:
        raise ValueError("should be two numbers, the lower one first")
    return ends


Ends = AfterValidator(_low_then_high)
