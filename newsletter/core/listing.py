"""Listings, what sources said of them, and what of both competes for an issue."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime

from newsletter.core.identity import IdKind, ListingId, bounded, guid_id, identities


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One paper as sources show it.

    Texts are plain (no HTML); links are absolute http(s) URLs or empty; unknown counts are None.
    """

    title: str
    abstract: str = ""
    summary: str = ""  # the source's own short summary
    ai_summary: str = ""  # one that the source had a model write; never shown without saying so
    authors: tuple[str, ...] = ()
    author_count: int | None = None  # where a source counts the authors without naming them
    published_on: date | None = None
    organization: str = ""
    categories: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    arxiv_id: str = ""
    doi: str = ""
    url: str = ""  # where the title leads
    pdf_url: str = ""
    code_url: str = ""
    project_url: str = ""
    thumbnail_url: str = ""
    media_urls: tuple[str, ...] = ()
    submitted_by: str = ""
    discussion_url: str = ""

    @property
    def identities(self) -> tuple[ListingId, ...]:
        """Return everything this record is known by, strongest first; at least the title."""
        return identities(arxiv=self.arxiv_id, doi_=self.doi, urls=(self.url,), title=self.title) or (
            bounded(ListingId(IdKind.TITLE, self.title)),
        )

    @property
    def id(self) -> ListingId:
        """Return the canonical identity."""
        return self.identities[0]

    @property
    def n_authors(self) -> int:
        """Return how many authors the paper has, as far as any source says."""
        return max(len(self.authors), self.author_count or 0)


def merged(old: Listing, new: Listing) -> Listing:
    """Return one record of two of the same paper: what the newer one knows wins, what it lacks is kept.

    A record without an abstract, such as a link with a headline of its own, only adds what is not known yet.
    """
    if old.abstract and not new.abstract:
        return merged(new, old)
    known = {item.name: value for item in fields(new) if (value := getattr(new, item.name)) not in ("", (), None)}
    # A page that cut an author list or an abstract must not shorten what is known.
    if len(old.authors) > len(new.authors):
        known.pop("authors", None)
    if len(old.abstract) > len(new.abstract) and old.abstract.startswith(new.abstract.rstrip(".… ")):
        known.pop("abstract", None)
    return replace(old, **known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What one source said of one listing at one moment."""

    source: str  # the source's name, such as "huggingface"
    listed_on: date  # the day whose page showed it, as the source counts days
    seen_at: datetime  # aware, UTC
    position: int = 0  # from 0, as the page orders
    upvotes: int | None = None
    comments: int | None = None
    stars: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a page: the listing, what the source said of it, and what the source calls it (or nothing)."""

    listing: Listing
    sighting: Sighting
    guid: str = ""

    @property
    def identities(self) -> tuple[ListingId, ...]:
        """Return everything that this entry is known by, strongest first."""
        known = self.listing.identities
        if self.guid:
            known = (*known, guid_id(self.sighting.source, self.guid))
        return tuple(sorted(known, key=lambda identity: identity.kind.strength))


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A record that a source showed and that could not be read, with the reason."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinksLeftOut:
    """How many links of a paper are not shown, and why. `what` is its title."""

    what: str
    reason: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a source showed for one day: entries in its order, and what was skipped or stood there again.

    `links_left_out` are those of its papers that nobody could follow, or that hide where they lead. `instead` is
    the day that it shows where that is an earlier one than it was asked for.
    """

    entries: tuple[Entry, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    repeats: tuple[Skipped, ...] = ()
    links_left_out: tuple[LinksLeftOut, ...] = ()
    instead: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A listing that competes for an issue, with its sightings, oldest first.

    `key` is the store's own number of the listing; it stays when the listing's id becomes known later.
    """

    key: int
    listing: Listing
    sightings: tuple[Sighting, ...] = field(default=())

    @property
    def first_listed_on(self) -> date:
        """Return the first day on which a source showed it."""
        return min(sighting.listed_on for sighting in self.sightings)
