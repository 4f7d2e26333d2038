"""Unicode normalisation (Unicode Standard Annex #15) in time that is in proportion to the text.

Normalising sorts the marks on each letter, in the square of their number: a page of nothing but marks would take
hours. As in the annex's Stream-Safe Text Format (section 13), thirty marks are enough for any language; those
beyond are left out.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

_MOST_MARKS = 30
_PERHAPS_MARKS = re.compile("[\u0300-\U0010ffff]{31,}")  # nothing below is a mark


def normalised(form: Literal["NFC", "NFKD"], text: str) -> str:
    """Return a text in a normal form, with at most thirty marks on a letter."""
    return unicodedata.normalize(form, _PERHAPS_MARKS.sub(_bounded, text))


def _bounded(run: re.Match[str]) -> str:
    kept = []
    marks = 0
    for char in run[0]:
        for part in unicodedata.normalize("NFKD", char):
            marks = marks + 1 if unicodedata.combining(part) else 0
        if marks <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)
