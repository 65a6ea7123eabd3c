"""Which findings of the data checks a run goes on with: a section of the settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from contracts.data_check_names import CHECKS
from flows.setting_types import Section, Share


def known_checks(names: list[str]) -> list[str]:
    """Return the names of checks, if they are.

    Raises
    ------
    ValueError
        Naming those that are not.
    """
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        raise ValueError(f"no such check: {', '.join(unknown)}; there are {', '.join(CHECKS)}")
    return names


class DataChecks(Section):
    """When the data checks stop a run."""

    accept: Annotated[list[str], AfterValidator(known_checks)]
    quarantine_share: Share
    keep_weeks: Annotated[int, Field(ge=0)]
