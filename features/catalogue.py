"""What a feature is called, what it measures, and to which plain-language factor it belongs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Feature:
    """One column that a model sees.

    Attributes
    ----------
    name
        Name of the column.
    description
        One plain phrase with unit and window.
    group
        The factor it belongs to, for reasons and for ``uncap features``.
    """

    name: str
    description: str
    group: str
