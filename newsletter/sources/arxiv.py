"""What the two adapters of arXiv share: for its daily feeds, and for its search API.

The terms of use allow a request every three seconds, over one connection: https://info.arxiv.org/help/api/tou.html
"""

from __future__ import annotations

import re

from newsletter.core.identity import arxiv_id
from newsletter.core.listing import Listing
from newsletter.sources.http.pace import Pace
from newsletter.sources.reading.records import ABSTRACT, AUTHORS, BadRecordError, Record, Seen, text, texts
from newsletter.sources.reading.syndication import published_on, without_announcement

PACE = Pace("arxiv", 3.0)  # of the daily feeds, whose requests go before searches
SEARCH_PACE = Pace("arxiv", 3.0, rank=1, part="search")
_NAME_MARK = re.compile(r"([(),])")
_CODE = re.compile(r"https?://(?:www\.)?(?:github|gitlab)\.com/[\w.-]+/[\w.-]+")


def seen(entry: Record, authors: tuple[str, ...], *, published: bool) -> Seen:
    """Return the paper of an entry of a daily feed or of the search API.

    Args:
        entry: the entry, as `syndication` reads it.
        authors: its authors; feeds and search write them differently.
        published: whether the entry's date is the paper's own, and not that of a new version or a cross-list.

    Raises:
        BadRecordError: the entry has no arXiv id.
    """
    title = entry.title("title")
    identifier = arxiv_id(entry.text("id")) or arxiv_id(entry.text("link"))
    if not identifier:
        raise BadRecordError(f"no arXiv id: {title[:80]!r}")
    abstract = entry.raw("summary")
    abstract = text(without_announcement(abstract), ABSTRACT) if isinstance(abstract, str) else ""
    primary = entry.record("arxiv_primary_category").text("term")
    terms = (primary, *(tag.text("term") for tag in entry.records("tags")))
    code = _CODE.search(f"{entry.text('arxiv_comment', limit=ABSTRACT)} {abstract}")
    return Seen(
        listing=Listing(
            title=title,
            abstract=abstract,
            authors=authors,
            published_on=published_on(entry) if published else None,
            categories=tuple(dict.fromkeys(filter(None, terms))),
            arxiv_id=identifier,
            doi=entry.text("arxiv_doi"),
            url=f"https://arxiv.org/abs/{identifier}",
            pdf_url=f"https://arxiv.org/pdf/{identifier}",
            code_url=code[0].rstrip(".") if code else "",
        )
    )


def author_names(creators: str) -> tuple[str, ...]:
    """Return the names in a text with commas between them; affiliations in parentheses may hold commas too."""
    if creators.count("(") != creators.count(")"):
        creators = creators.replace("(", "").replace(")", "")
    names: list[str] = []
    pieces: list[str] = []  # of the current name
    depth = 0
    for piece in _NAME_MARK.split(creators):
        if piece in {"(", ")"}:
            depth = max(0, depth + (1 if piece == "(" else -1))
        elif depth:
            continue
        elif piece == ",":
            names.append("".join(pieces))
            pieces.clear()
        else:
            pieces.append(piece)
    return texts([*names, "".join(pieces)], AUTHORS)
