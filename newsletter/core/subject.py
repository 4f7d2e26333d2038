"""The pattern of a subject that a list may choose, such as `{title} {number}: {lead}`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

# What a pattern may hold: the first paper's title, the list's title, the day and number, how many papers.
FIELDS = ("lead", "title", "date", "number", "count")

_FIELD = re.compile(r"\{([^{}]*)\}")


def read_pattern(text: str) -> str:
    """Return a pattern.

    Raises:
        ValueError: it has a brace that belongs to no field.
    """
    known = ", ".join(f"{{{name}}}" for name in FIELDS)
    for name in _FIELD.findall(text):
        if name not in FIELDS:
            raise ValueError(f"{{{name}}} is no value of a subject: choose from {known}")
    if set("{}") & set(_FIELD.sub("", text)):
        raise ValueError(f"a brace stands alone: values are written {known}")
    return text


def fill(pattern: str, values: Mapping[str, object]) -> str:
    """Return a pattern with the values of its fields; braces in values stay as they are."""
    return _FIELD.sub(lambda field: str(values[field[1]]), pattern)
