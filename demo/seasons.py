"""How much more or less than usual is sold in a week: public holidays that move, and the time of year."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from contracts.errors import ConfigurationError
from demo.timeline import Timeline

FIRST_YEAR, LAST_YEAR = 2021, 2028

HOLIDAYS: dict[str, tuple[str, ...]] = {
    "Chinese New Year": (
        "2021-02-12", "2022-02-01", "2023-01-22", "2024-02-10", "2025-01-29", "2026-02-17", "2027-02-06", "2028-01-26",
    ),
    "Dragon Boat Festival": (
        "2021-06-14", "2022-06-03", "2023-06-22", "2024-06-10", "2025-05-31", "2026-06-19", "2027-06-09", "2028-05-28",
    ),
    "Mid-Autumn Festival": (
        "2021-09-21", "2022-09-10", "2023-09-29", "2024-09-17", "2025-10-06", "2026-09-25", "2027-09-15", "2028-10-03",
    ),
    "Labor Day": tuple(f"{year}-05-01" for year in range(FIRST_YEAR, LAST_YEAR + 1)),
    "National Day": tuple(f"{year}-10-01" for year in range(FIRST_YEAR, LAST_YEAR + 1)),
}  # fmt: skip
"""First days as the ``holidays`` package has them for CN, fixed here so that a seed means the same county everywhere."""

LIFTS: dict[str, dict[int, float]] = {
    "Chinese New Year": {-4: 1.08, -3: 1.22, -2: 1.45, -1: 1.60, 0: 0.75, 1: 0.65, 2: 0.85},
    "Dragon Boat Festival": {-1: 1.08, 0: 1.04},
    "Mid-Autumn Festival": {-2: 1.06, -1: 1.18, 0: 1.05},
    "Labor Day": {-1: 1.08, 0: 1.03},
    "National Day": {-1: 1.12, 0: 1.02, 1: 0.93},
}
"""Factor on demand by weeks from the holiday's week: shops stock up before it and live off their shelves after."""


def holiday_lift(weeks: Timeline) -> NDArray[np.float64]:
    """Return the log of the factor that holidays put on an ordinary SKU's demand.

    Parameters
    ----------
    weeks
        The weeks to cover.

    Returns
    -------
    NDArray[np.float64]
        Shape (n_all,); 0 is an ordinary week.

    Raises
    ------
    ConfigurationError
        If a week lies in a year whose holidays are not known here.

    Examples
    --------
    >>> lift = holiday_lift(Timeline(date(2025, 2, 2), 3))
    >>> np.exp(lift[:4]).round(2).tolist()
    [1.45, 1.6, 0.75, 0.65]
    """
    years = weeks.starts[[0, -1]].astype("datetime64[Y]").astype(int) + 1970
    if years[0] < FIRST_YEAR or years[1] > LAST_YEAR:
        raise ConfigurationError(
            f"county: its weeks span {years[0]} to {years[1]}; expected years {FIRST_YEAR} to {LAST_YEAR}",
            hint="choose an as_of and a number of weeks inside the years whose holidays the simulator knows",
        )
    lift = np.zeros(weeks.n_all)
    for name, days in HOLIDAYS.items():
        for day in days:
            for offset, factor in LIFTS[name].items():
                week = weeks.number(date.fromisoformat(day)) + offset
                if 0 <= week < weeks.n_all:
                    lift[week] += np.log(factor)
    return lift


def new_year_weeks(weeks: Timeline) -> NDArray[np.bool_]:
    """Return which weeks are among the four before a lunar new year, shape (n_all,): everything runs short then."""
    numbers = [weeks.number(date.fromisoformat(day)) for day in HOLIDAYS["Chinese New Year"]]
    return np.isin(np.arange(weeks.n_all), [number - before for number in numbers for before in (1, 2, 3, 4)])


def year_phase(weeks: Timeline) -> NDArray[np.float64]:
    """Return the position in the year as an angle, 0 at the start of January, shape (n_all,)."""
    starts = weeks.starts
    days = (starts - starts.astype("datetime64[Y]").astype("datetime64[D]")).astype(float)
    return np.asarray(2 * np.pi * days / 365.25)
