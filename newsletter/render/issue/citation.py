"""How a paper is cited, for pages: its references, with markup turned into readable text."""

from __future__ import annotations

from dataclasses import dataclass, replace

from newsletter.core import citing
from newsletter.core.listing import Listing
from newsletter.core.text import one_line
from newsletter.render.issue.mathtext import readable


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A paper with its references. `key` is that of the entry in BibTeX; it can stand in a file's name."""

    key: str
    title: str
    authors: tuple[str, ...]
    bibtex: str
    ris: str


def citation(listing: Listing) -> Citation:
    """Return how a paper is cited."""
    authors = tuple(name for author in listing.authors if (name := _plain(author)))
    shown = replace(listing, title=readable_title(listing), authors=authors)
    return Citation(
        key=citing.citation_key(shown),
        title=shown.title,
        authors=authors,
        bibtex=citing.bibtex(shown),
        ris=citing.ris(shown),
    )


def readable_title(listing: Listing) -> str:
    """Return the title of a paper as one readable line."""
    return _plain(listing.title) or "Untitled"


def _plain(text: str) -> str:
    return one_line(readable(one_line(text)))
