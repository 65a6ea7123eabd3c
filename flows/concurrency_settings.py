"""How long a run waits for another one: a section of the settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from flows.setting_types import Section


class Concurrency(Section):
    """What a run does while another one writes to the same warehouse, or another process has its file when the run begins or ends."""

    wait_minutes: Annotated[float, Field(ge=0)]
