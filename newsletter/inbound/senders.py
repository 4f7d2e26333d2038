"""Whose it is that comes back: by the marks that each mail of ours bears, which nobody else can make."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from newsletter.core.bounces import FoundBy
from newsletter.core.tokens import Links

_MARK = r"\d{1,18}-[0-9a-f]{16}"
_IN_ADDRESS = re.compile(rf"\+({_MARK})@", re.ASCII | re.IGNORECASE)
_IN_HEADER = re.compile(rf"(?<![\w.-])({_MARK})(?![\w.-])", re.ASCII | re.IGNORECASE)
_IN_MESSAGE_ID = re.compile(rf"(?<!\d)\d{{8}}\.({_MARK})@", re.ASCII | re.IGNORECASE)
_MOST_TRIED = 20  # of what looks like a mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Where marks may stand in a report, as it gives them.

    Attributes:
        addresses: to which the report went, and envelope senders that it names.
        marks: what it has of our own header.
        message_ids: of the mail that it is about.
    """

    addresses: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()

    def found(self) -> Iterator[tuple[FoundBy, str]]:
        """Yield what looks like a mark, and where it stands; what is the hardest to lose comes first."""
        for by, pattern, texts in (
            (FoundBy.ENVELOPE, _IN_ADDRESS, self.addresses),
            (FoundBy.HEADER, _IN_HEADER, self.marks),
            (FoundBy.MESSAGE_ID, _IN_MESSAGE_ID, self.message_ids),
        ):
            for text in texts:
                for match in pattern.finditer(text):
                    yield by, match[1].lower()


class Whose(NamedTuple):
    """The delivery that a report is about, or None; `is_forged`: it bears marks, and we made none of them."""

    delivery_key: int | None = None
    found_by: FoundBy = FoundBy.NOTHING
    is_forged: bool = False


def whose(links: Links, traces: Traces) -> Whose:
    """Return whose a report is."""
    found = list(islice(traces.found(), _MOST_TRIED))
    for by, mark in found:
        key = links.read_delivery_mark(mark)
        if key is not None:
            return Whose(key, by)
    return Whose(is_forged=bool(found))


def leaver(links: Links, texts: Iterable[str]) -> int | None:
    """Return the reader whom a mail takes off a list, by its subject or an address to which it went, or None."""
    keys = (links.read_unsubscribe_mail(text) for text in texts)
    return next((key for key in keys if key is not None), None)
