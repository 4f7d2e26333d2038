"""The lines of a reader's own links, which differ from those of other readers by the seals at their ends alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from newsletter.core.seals import IN_BASE64
from newsletter.render.mime.quoted import soft

_PLACEHOLDER = re.compile(rb"\0+")


class _Form(NamedTuple):
    """A line with a place for a seal, or for two parts of it where a soft line break cuts it."""

    line: bytes  # as `%` takes it
    first: slice  # of all seals of a reader
    rest: slice


class LinkLines:
    """Puts the seals of each reader into lines that were encoded once.

    Args:
        links: those of any reader, of plain characters (`pieces.is_plain`). Each ends in a seal.
    """

    def __init__(self, links: Iterable[str]) -> None:
        self._forms = [_form(link, place * IN_BASE64) for place, link in enumerate(links)]

    def of(self, seals: bytes) -> list[bytes]:
        """Return what `pieces.line_of` returns of each link with these seals, one after the other.

        Args:
            seals: of the links, in their order, one behind the other.
        """
        lines: list[bytes] = []
        for form, first, rest in self._forms:
            line = form % (seals[first], seals[rest])
            lines += (line, line)
        return lines


def _form(link: str, start: int) -> _Form:
    """Return the line of a link; its seal begins at `start` among those of a reader."""
    encoded = soft(link[:-IN_BASE64] + "\0" * IN_BASE64)
    before, *between, after = _PLACEHOLDER.split(encoded)
    texts = (before, between[0] if between else b"", after)
    cut, end = start + len(_PLACEHOLDER.findall(encoded)[0]), start + IN_BASE64
    return _Form(b"%b".join([text.replace(b"%", b"%%") for text in texts]), slice(start, cut), slice(cut, end))
