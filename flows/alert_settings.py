"""Who is told of alerts: the section of the settings, and the address that comes from the environment alone?"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from flows.setting_types import Section

WEBHOOK = "UNCAP_ALERT_WEBHOOK"
"""Environment variable with the address to post to. Who knows such an address can post there, so it is in no file and no log."""


class Alerts(Section):
    """What is posted to the webhook, if one is set."""

    least_status: Literal["watch", "alert"]
    timeout_seconds: Annotated[float, Field(gt=0)]


def webhook_url(environment: Mapping[str, str] | None = None) -> str | None:
    """Return the address to post to, None where none is set; those of the process if no environment is given.

    >>> webhook_url({"UNCAP_ALERT_WEBHOOK": " "}) is None
    True
    """
    found = (os.environ if environment is None else environment).get(WEBHOOK, "").strip()
    return found or None
