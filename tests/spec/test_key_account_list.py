"""The rule: when a key account enters the list of early warnings, and when it leaves it.

Each row is a week of one key account, newest last: the two probabilities, and whether it stands on the list. It enters from 15 % (no order)
or 50 % (decline) on and leaves below 8 % and 35 %; ``.`` is a probability nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from models.early_warnings import early_warnings
from tests.statements import Rows

THRESHOLDS = [(0.08, 0.15), (0.35, 0.50)]

WEEKS = {
    "between the thresholds it stays as it is": """
        no_order  decline | listed
        0.10      0.10    | no
        0.14      0.10    | no
        0.15      0.10    | yes
        0.10      0.10    | yes
        0.08      0.10    | yes
        0.07      0.10    | no
        0.10      0.10    | no
    """,
    "a decline alone is enough to enter and to stay": """
        no_order  decline | listed
        0.01      0.49    | no
        0.01      0.50    | yes
        0.01      0.35    | yes
        0.01      0.34    | no
    """,
    "it leaves only below both": """
        no_order  decline | listed
        0.20      0.10    | yes
        0.01      0.40    | yes
        0.09      0.10    | yes
        0.01      0.10    | no
    """,
    "what nobody knows warns of nothing and keeps nobody": """
        no_order  decline | listed
        0.20      .       | yes
        0.10      .       | yes
        0.01      .       | no
    """,
}


@pytest.mark.parametrize("table", WEEKS.values(), ids=WEEKS)
def test_a_key_account_enters_at_the_upper_threshold_and_leaves_below_the_lower(table: str, rows_of: Callable[[str], Rows]) -> None:
    was_listed = False
    for row in rows_of(table):
        probabilities = [[float("nan") if row[name] is None else row[name]] for name in ("no_order", "decline")]
        was_listed = bool(early_warnings(probabilities, THRESHOLDS, [was_listed])[0])
        assert was_listed is (row["listed"] == "yes"), row
