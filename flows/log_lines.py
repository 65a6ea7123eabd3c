"""How is a line of the log written: as text for people, or as a JSON document for a machine, and without what would deceive a terminal?"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from flows.passwords import masked

Level = Literal["info", "warning", "error"]

FORMAT_VARIABLE = "UNCAP_LOG_FORMAT"
"""The environment variable that says ``text`` or ``json``; wins over ``logging.format``, which sets it for the process."""

WARNING = "warning: "
"""What a line of text that warns begins with."""


def in_json() -> bool:
    """Return whether this process logs JSON documents."""
    return os.environ.get(FORMAT_VARIABLE) == "json"


def json_line(level: Level, facts: Mapping[str, object]) -> str:
    """Return a line of the structured log: the time in UTC, the level, and the facts that are known.

    >>> json_line("info", {"step": "5 rows", "rows": 5, "as_of": None})  # doctest: +ELLIPSIS
    '{"time": "...Z", "level": "info", "step": "5 rows", "rows": 5}'
    """
    moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    known = {name: fact for name, fact in facts.items() if fact is not None}
    return masked(json.dumps({"time": moment, "level": level} | known, ensure_ascii=False, default=str))


def printable(text: str) -> str:
    r"""Return a text as a terminal may show it: without passwords, and with characters that would steer the terminal spelled out.

    Those move the cursor, colour the screen or turn the direction of writing.

    Keys and values of input files are shown in messages, and who wrote the file does not get to write the screen.

    >>> print(printable("R1\x1b[2J\u202e"), printable("two\nlines"))
    R1\x1b[2J\u202e two
    lines
    """
    text = masked(text)
    if text.isprintable():
        return text
    return "".join(
        character if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp") else repr(character)[1:-1]
        for character in text
    )
