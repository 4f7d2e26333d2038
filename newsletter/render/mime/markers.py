"""The marks that templates write where a reader's own text goes, and where blocks begin and end.

A rendered page is cut at these marks into segments. They contain a nonce, so that no text of a listing can look
like a mark. They survive premailer: in HTML a block's marks are comments, which may stand between table rows.

======================  =====================================================================
`slot(name)`            a value of the reader's, such as `email`
`begin("toc", 3)`       a block that belongs to the listing at position 3, up to `end()`
`when("name")`          a block that is only there if the reader's value `name` is not empty
======================  =====================================================================

Consecutive blocks of the same kind are put into the reader's order. A block may contain `when` blocks and slots;
blocks of listings are not nested.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field


def _nonce() -> str:
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Markers:
    """The marks of a rendering; `html`: the marks of blocks are comments."""

    html: bool
    nonce: str = field(default_factory=_nonce)

    def _mark(self, text: str) -> str:
        mark = f"%%{self.nonce}.{text}%%"
        return f"<!--{mark}-->" if self.html else mark

    def slot(self, name: str) -> str:
        """Return the mark of a reader's value, for HTML text and attributes."""
        return f"%%{self.nonce}.slot.{name}%%"

    def begin(self, kind: str, position: int) -> str:
        """Return the mark that begins the block of a listing (position from 0)."""
        return self._mark(f"begin.{kind}.{position}")

    def when(self, name: str) -> str:
        """Return the mark that begins a block that depends on a value."""
        return self._mark(f"when.{name}")

    def end(self) -> str:
        """Return the mark that ends the innermost block."""
        return self._mark("end")

    @property
    def pattern(self) -> re.Pattern[str]:
        """Return the pattern of the marks; group 1 is the part after the nonce, such as `begin.toc.3`."""
        return re.compile(rf"(?:<!--)?%%{self.nonce}\.([a-z0-9_.]+)%%(?:-->)?")
