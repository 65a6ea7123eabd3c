"""How many retailers ordered in each week, and how many days off did it have in each of the countries whose holidays they may keep?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from contracts.weeks import last_week, require_sunday
from features.holiday_names import country_holidays
from features.windows import week_of

CANDIDATES = (
    *("AR", "AT", "AU", "BE", "BR", "CA", "CH", "CL", "CN", "CO", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "GR", "HU", "ID", "IE", "IL"),
    *("IN", "IT", "JP", "KR", "MX", "MY", "NL", "NO", "NZ", "PE", "PH", "PL", "PT", "RO", "RU", "SE", "SG", "TH", "TR", "TW", "UA", "US"),
    *("VN", "ZA"),
)
"""Countries that are looked for. Territories that keep their state's holidays would win by a day more or less."""

_WORKING_DAYS = 5


def retailers_by_week(lines: ir.Table, as_of: date) -> ir.Table:
    """Count the retailers that ordered in each week: ``week_start`` and ``retailers``.

    Parameters
    ----------
    lines
        Order lines.
    as_of
        The Sunday that ends the last week.

    Raises
    ------
    UsageError
        If ``as_of`` is not a Sunday.
    """
    require_sunday(as_of)
    known = lines.filter(lines.ordered_on < ibis.literal(last_week(as_of) + timedelta(days=7)))
    weeks = known.select("retailer_id", week_start=week_of(known.ordered_on))
    return weeks.group_by("week_start").aggregate(retailers=weeks.retailer_id.nunique()).order_by("week_start")


def days_off(country: str, mondays: Sequence[date]) -> list[int]:
    """Return how many public holidays of a country fall on Monday to Friday of each week.

    >>> days_off("US", [date(2019, 11, 18), date(2019, 11, 25)])
    [0, 1]
    """
    public = country_holidays(country, range(mondays[0].year, mondays[-1].year + 1))
    return [sum(monday + timedelta(days=k) in public for k in range(_WORKING_DAYS)) for monday in mondays]
