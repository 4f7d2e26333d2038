"""The marks that templates leave where a reader's own text goes, and where blocks begin and end.

A rendered page is cut at these marks into segments. They carry a nonce, so that text of a listing can never
pass for one, and they survive premailer: in HTML a block's marks are comments, which may stand between table rows.

======================  =====================================================================
`slot(name)`            a value of the reader's, such as `email`
`begin("toc", 3)`       a block that belongs to the listing at position 3, up to `end()`
`when("name")`          a block that is only there if the reader's value `name` is not empty
======================  =====================================================================

Blocks of one kind that stand one behind the other are put into the reader's order. `when` blocks and slots
may stand within a block; blocks of listings don't nest.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field


def _nonce() -> str:
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Markers:
    """The marks of one rendering; `html` says whether block marks are comments."""

    html: bool
    nonce: str = field(default_factory=_nonce)

    def _mark(self, text: str) -> str:
        mark = f"%%{self.nonce}.{text}%%"
        return f"<!--{mark}-->" if self.html else mark

    def slot(self, name: str) -> str:
        """Return the mark of a reader's value; safe in HTML text and in attributes."""
        return f"%%{self.nonce}.slot.{name}%%"

    def begin(self, kind: str, position: int) -> str:
        """Return the mark that begins the block of a listing (position from 0)."""
        return self._mark(f"begin.{kind}.{position}")

    def when(self, name: str) -> str:
        """Return the mark that begins a block which needs a value."""
        return self._mark(f"when.{name}")

    def end(self) -> str:
        """Return the mark that ends the innermost block."""
        return self._mark("end")

    @property
    def pattern(self) -> re.Pattern[str]:
        """Return what finds the marks; group 1 is what stands behind the nonce, such as `begin.toc.3`."""
        return re.compile(rf"(?:<!--)?%%{self.nonce}\.([a-z0-9_.]+)%%(?:-->)?")
