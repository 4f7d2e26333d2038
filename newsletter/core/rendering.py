"""A rendered issue as it is stored: rendered once when the issue is closed, the same for all its readers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from newsletter.core.choice import TextKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a mail, with marks where a reader's values go and where blocks begin and end.

    `nonce` stands in all its marks: see `newsletter.render.mime.markers`.
    """

    page: str
    nonce: str


class Writer(StrEnum):
    """Who wrote the text that a mail shows of a listing."""

    NOBODY = ""  # there is no text
    MODEL = "model"
    SOURCE = "source"
    AUTHORS = "authors"  # it is from the abstract


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """What of a listing a mail says outside of it.

    `title` and `brief` are for the line that an inbox shows after the subject; `from_abstract` is the brief for
    readers who want abstracts, or empty where that is the same, and so is `own_title`, the paper's own one where
    `title` is translated. `is_search` says whether its title leads to a search.
    """

    title: str
    brief: str  # one short paragraph
    writer: Writer = Writer.NOBODY
    from_abstract: str = ""
    is_search: bool = False
    own_title: str = ""

    def read_as(self, text: TextKind) -> Headline:
        """Return it for a reader who wants to read summaries or abstracts."""
        if text is TextKind.SUMMARY or not self.from_abstract:
            return self
        return replace(self, title=self.own_title or self.title, brief=self.from_abstract, writer=Writer.AUTHORS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """Both parts of an issue's mail, with nothing of any reader; all that a template or the program made of it.

    `headlines` are in the issue's order. `html_bytes` is the size of the HTML part of somebody without wishes,
    before transfer encoding and without readers' values. `left_out` are positions that the HTML part lacks in a
    rendering by a former version, which was fitted once for all readers.
    """

    html: Part
    text: Part
    headlines: tuple[Headline, ...]
    left_out: frozenset[int] = frozenset()
    html_bytes: int
