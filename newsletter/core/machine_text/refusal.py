"""Why a model's answer is not used."""

from __future__ import annotations

from newsletter.core.text import one_line

_LONGEST = 40  # characters of an answer that are named


class RefusedTextError(ValueError):
    """A model's answer is not used; the text says why, in a few plain words."""


def named(part: str) -> str:
    """Return a part of an answer, short and safe, to name it in a reason."""
    return one_line(part, _LONGEST)
