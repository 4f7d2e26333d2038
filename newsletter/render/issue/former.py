"""What pages of issues that former versions closed need: a mail is made of them again where it was not sent yet.

Their templates numbered the listings, which stood one under the other, and said in English how many there are.
"""

from __future__ import annotations

from collections.abc import Collection

from newsletter.core.choice import Choice
from newsletter.render.issue.catalogues import SOURCE
from newsletter.render.issue.language import language
from newsletter.render.issue.words import in_words, share
from newsletter.render.mime.frames import Chosen, Values

CHOICE_SLOTS = frozenset({"size", "shown", "left_out", "long"})
LISTING_SLOTS = frozenset({"number", "margin"})

_CONTENTS_FROM = 12  # listings from which there was a table of contents


def chosen(choice: Choice) -> Chosen:
    """Return all listings of a choice with their numbers."""
    english = language(SOURCE)
    listings = {
        position: Values(matched=in_words(english, reasons), number=str(number), margin=f"{number}. ".ljust(4))
        for number, (position, reasons) in enumerate(zip(choice.positions, choice.reasons, strict=True), start=1)
    }
    return Chosen(listings)


def values(choice: Choice, candidates: int, left_out: Collection[int]) -> dict[str, str]:
    """Return what a mail said of its listings: how many there are, and how many of them the HTML part lacked."""
    lacks = len(set(left_out).intersection(choice.positions))
    size = len(choice.positions)
    return {
        "size": _size(size, candidates),
        "shown": _size(size - lacks, candidates),
        "left_out": str(lacks or ""),
        "long": "yes" if size >= _CONTENTS_FROM else "",
    }


def _size(shown: int, candidates: int) -> str:
    return f"{'is' if shown == 1 else 'are'} {share(language(SOURCE), shown, candidates)}"
