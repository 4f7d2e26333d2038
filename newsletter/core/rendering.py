"""A rendered issue as it is stored: rendered once when the issue is closed, the same for all its readers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a mail, with marks where a reader's values go and where blocks begin and end.

    `nonce` stands in all its marks: see `newsletter.render.mime.markers`.
    """

    page: str
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """What the line that an inbox shows after the subject takes from a listing."""

    title: str
    brief: str  # one short paragraph


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """Both parts of an issue's mail, with nothing of any reader; all that a template or the program made of it.

    `headlines` are in the issue's order. `left_out` are the positions that only the text part and the web version
    show. `html_bytes` is the size of the HTML part before transfer encoding, without marks and readers' values.
    """

    html: Part
    text: Part
    headlines: tuple[Headline, ...]
    left_out: frozenset[int] = frozenset()
    html_bytes: int
