"""Writes docs/features.md, the list of all features, from their catalogues: `python docs/generate_features.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from features.catalogue import Feature
from features.churn import ATTRIBUTE_FEATURES, CHURN_FEATURES, churn_features
from features.demand import DEMAND_FEATURES, SEASON_FEATURES

PAGE = Path(__file__).with_name("features.md")

HEAD = """\
# Features

Made from the catalogues in `features/` by `docs/generate_features.py`; change it there. `uncap features` prints them too.

Each is computed as of a cut-off, the Sunday `as_of`: no later week is read. True demand is recovered demand where a limit hid it, and
delivered units elsewhere. *Open* weeks are those in which the retailer could order the SKU. "Last week" is the last whole week known as of
the cut-off.

Attributes of retailers and SKUs are used only where nearly every retailer or SKU that ever ordered has them. A register that is younger
than the orders lacks those who have left, so that a missing attribute would tell the future.
"""


def page() -> str:
    """Return the whole page as Markdown."""
    churn = churn_features([feature.name for feature in ATTRIBUTE_FEATURES])
    demand_notes = (
        f"One row per retailer, SKU and target week; {len(DEMAND_FEATURES)} features. Those of the factor *season* have a value per"
        f" horizon ({_names(SEASON_FEATURES)}); those of the factor *calendar* describe the target week."
    )
    churn_notes = (
        f"One row per active retailer; {len(CHURN_FEATURES)} features, and {len(churn) - len(CHURN_FEATURES)} more where the attributes"
        " are complete (factors *district* and *shop*; those of the district need the attribute `district`). The horizon is one more"
        " column, which may only lower the probability. A reason names a factor."
    )
    return "\n".join([HEAD, _section("Demand model", demand_notes, DEMAND_FEATURES), _section("Churn model", churn_notes, churn)])


def _section(title: str, notes: str, described: Sequence[Feature]) -> str:
    rows = [f"| `{feature.name}` | {feature.group} | {feature.description} |" for feature in described]
    return "\n".join([f"## {title}", "", notes, "", "| feature | factor | what it measures |", "|---|---|---|", *rows, ""])


def _names(described: Sequence[Feature]) -> str:
    return ", ".join(f"`{feature.name}`" for feature in described)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
