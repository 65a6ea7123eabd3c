"""Whose public holidays count? The settings' country, or the one whose holidays show in the orders; a model keeps what it was taught."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pandas as pd

from contracts.raw import ORDER_LINES
from features.holiday_country import CANDIDATES, days_off, retailers_by_week
from flows.console import Say
from flows.settings import Calendar, Settings
from models.holiday_country import holidays_kept, weekly_counts
from warehouse.session import Warehouse
from warehouse.tables import contract_table, fetch

FALLBACK_COUNTRY = "CN"
"""Whose holidays count where none show: of the county that the demo simulates, whose retailers order every week of the year."""

CALENDAR_FILE = "calendar.json"
"""In the folder of a demand model: the calendar that its features were made with."""


def calendar_of(con: Warehouse, settings: Settings, as_of: date, say: Say = lambda _: None) -> Calendar:
    """Return the calendar of the settings, with the country that the orders up to a Sunday tell where none is set."""
    if settings.calendar.country:
        return settings.calendar
    weeks = weekly_counts(fetch(con, retailers_by_week(contract_table(ORDER_LINES), as_of)).to_pandas())
    mondays = [day.date() for day in pd.DatetimeIndex(weeks.index)]
    kept = holidays_kept(weeks, {country: days_off(country, mondays) for country in CANDIDATES}) if mondays else None
    if kept is None:
        say(f"public holidays of {FALLBACK_COUNTRY}, as no country's evidently keep retailers from ordering; calendar.country sets others")
    else:
        say(f"public holidays of {kept.country}: for each of them {kept.dip:.0%} fewer retailers order in its week (calendar.country)")
    return settings.calendar.model_copy(update={"country": FALLBACK_COUNTRY if kept is None else kept.country})


def with_calendar(settings: Settings, calendar: Calendar) -> Settings:
    """Return the settings with a calendar."""
    return settings.model_copy(update={"calendar": calendar})


def save_calendar(calendar: Calendar, folder: Path) -> None:
    """Keep the calendar of a demand model in its folder."""
    (folder / CALENDAR_FILE).write_text(json.dumps(calendar.model_dump()))


def taught_calendar(settings: Settings, folder: Path) -> Calendar:
    """Return the calendar of a demand model; one of an earlier version has kept none, and was taught what is set or the fallback's."""
    file = folder / CALENDAR_FILE
    if file.exists():
        return Calendar(**json.loads(file.read_text()))
    return settings.calendar.model_copy(update={"country": settings.calendar.country or FALLBACK_COUNTRY})


def as_trained(settings: Settings, folder: Path, say: Say = lambda _: None) -> Settings:
    """Return the settings with the calendar of a demand model, and warn where another one is set."""
    taught = taught_calendar(settings, folder)
    if settings.calendar.country and settings.calendar != taught:
        say(
            f"warning: calendar: the model was trained with the holidays of {taught.country}, not as is set now; train again to change that"
        )
    return with_calendar(settings, taught)
