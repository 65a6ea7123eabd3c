"""Whose public holidays count? The settings' country, or the one whose holidays show in the orders; a model keeps what it was taught."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from contracts.raw import ORDER_LINES
from features.holiday_country import FALLBACK_COUNTRY, holidays_kept, retailers_by_week
from flows.console import Say
from flows.settings import Calendar, Settings
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

CALENDAR_FILE = "calendar.json"
"""In the folder of a demand model: the calendar that its features were made with."""


def calendar_of(con: Warehouse, settings: Settings, as_of: date, say: Say = lambda _: None) -> Calendar:
    """Return the calendar of the settings, with the country that the orders up to a Sunday tell where none is set."""
    if settings.calendar.country:
        return settings.calendar
    kept = holidays_kept(fetch(con, retailers_by_week(contract_table(ORDER_LINES), as_of)).to_pandas())
    if kept is not None:
        say(f"public holidays of {kept.country}: on each of them {kept.dip:.0%} fewer retailers order in the week (calendar.country)")
    return settings.calendar.model_copy(update={"country": FALLBACK_COUNTRY if kept is None else kept.country})


def with_calendar(settings: Settings, calendar: Calendar) -> Settings:
    """Return the settings with a calendar."""
    return settings.model_copy(update={"calendar": calendar})


def save_calendar(calendar: Calendar, folder: Path) -> None:
    """Keep the calendar of a demand model in its folder."""
    (folder / CALENDAR_FILE).write_text(json.dumps(calendar.model_dump()))


def as_trained(settings: Settings, folder: Path) -> Settings:
    """Return the settings with the calendar of a demand model; a model of an earlier version has kept none, and its country was set."""
    file = folder / CALENDAR_FILE
    if file.exists():
        return with_calendar(settings, Calendar(**json.loads(file.read_text())))
    country = settings.calendar.country or FALLBACK_COUNTRY
    return with_calendar(settings, settings.calendar.model_copy(update={"country": country}))
