"""The marks that templates write where a reader's own text goes, and where parts of a page begin and end.

A rendered page is cut at these marks into segments. They contain a nonce, so that no text of a listing can look
like a mark. They survive premailer: in HTML all but those of slots are comments, which may stand between rows.

======================  =====================================================================
`slot(name)`            a value of the reader's, such as `email`
`when("name")`          a part that is only there if the value `name` is not empty, up to `end()`
`section("for_you")`    a part that is only there if the section has listings, up to `end()`
`form("card", 3)`       the listing at position 3 as a card, up to `end()`; shows nothing where it is written
`run("card")`           shows the listings of the section as cards; up to `end()` goes what stands between two
`begin("listing", 3)`   in pages that former versions made: a listing, where it stands, up to `end()`
======================  =====================================================================

A form may contain `when` parts and slots; forms, runs and sections don't contain their like.
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

    def form(self, name: str, position: int) -> str:
        """Return the mark that begins a form of a listing (position from 0)."""
        return self._mark(f"form.{name}.{position}")

    def section(self, name: str) -> str:
        """Return the mark that begins a section."""
        return self._mark(f"section.{name}")

    def run(self, form: str) -> str:
        """Return the mark that begins what stands between two listings of a section, each in that form."""
        return self._mark(f"run.{form}")

    def when(self, name: str) -> str:
        """Return the mark that begins a block that depends on a value."""
        return self._mark(f"when.{name}")

    def end(self) -> str:
        """Return the mark that ends the innermost block."""
        return self._mark("end")

    @property
    def pattern(self) -> re.Pattern[str]:
        """Return the pattern of the marks; group 1 is the part after the nonce, such as `form.card.3`."""
        return re.compile(rf"(?:<!--)?%%{self.nonce}\.([a-z0-9_.]+)%%(?:-->)?")
