"""Which known listing each record of a page is. Pure; all stores decide by it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from newsletter.core.identity import IdKind, ListingId, same_paper
from newsletter.core.listing import Entry, Listing, Sighting, merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

# PostgreSQL indexes no text beyond 2,704 bytes; this many characters always fit.
_LONGEST = 500


@dataclass(slots=True, eq=False)
class Known:
    """A listing with everything it is known by; `key` is None until the store has given it a number."""

    key: int | None
    listing: Listing
    ids: tuple[ListingId, ...]  # strongest first
    merged_into: Known | None = None

    @classmethod
    def of(cls, key: int | None, listing: Listing, ids: Iterable[ListingId]) -> Known:
        """Return a listing with its identities in order."""
        return cls(key, listing, _ordered(ids))

    @property
    def final(self) -> Known:
        """Return the listing that this one has become part of, or itself."""
        return self if self.merged_into is None else self.merged_into.final

    def learn(self, listing: Listing, ids: Iterable[ListingId]) -> None:
        """Take in another record of the same paper."""
        self.ids = _ordered((*self.ids, *ids))
        self.listing = self._named(merged(self.listing, listing))

    def _named(self, listing: Listing) -> Listing:
        """Write the strongest ids into the record, for a newer link may have displaced the one that told them."""
        strongest = {identity.kind: identity.value for identity in reversed(self.ids)}
        return replace(
            listing,
            arxiv_id=listing.arxiv_id or strongest.get(IdKind.ARXIV, ""),
            doi=listing.doi or strongest.get(IdKind.DOI, ""),
        )


@dataclass(frozen=True, slots=True)
class Placement:
    """What a page's records are: `of[i]` for record i, and pairs (kept, gone) of known listings that are one."""

    of: list[Known]
    merges: list[tuple[Known, Known]]

    @property
    def moves(self) -> list[tuple[int, int]]:
        """Return the merges as pairs of keys: where history stands, and where it belongs now."""
        return [
            (gone.key, kept.key) for kept, gone in self.merges if gone.key is not None and kept.key is not None
        ]

    @property
    def told(self) -> tuple[str, ...]:
        """Return the merges in words."""
        return tuple(
            f"listing {gone.key} ({gone.ids[0]}) is listing {kept.key} ({kept.final.ids[0]}): {kept.listing.title}"
            for kept, gone in self.merges
        )


def ids_of(listing: Listing) -> tuple[ListingId, ...]:
    """Return a record's identities, strongest first, in a form short enough for an index."""
    return tuple(_bounded(identity) for identity in listing.identities)


def _ordered(ids: Iterable[ListingId]) -> tuple[ListingId, ...]:
    return tuple(sorted(dict.fromkeys(ids), key=lambda identity: (identity.kind.strength, identity.value)))


def _bounded(identity: ListingId) -> ListingId:
    if len(identity.value) <= _LONGEST:
        return identity
    digest = hashlib.sha256(identity.value.encode()).hexdigest()
    return ListingId(identity.kind, f"{identity.value[: _LONGEST - 80]}…{digest}")


def place(known: Iterable[Known], records: Iterable[Listing]) -> Placement:
    """Decide what each record of a page is, and merge what turns out to be one.

    Args:
        known: at least all listings that share an identity with any of the records; they are changed.
        records: the page, in its order.
    """
    shelf = _Shelf(known)
    placed = [shelf.place(record) for record in records]
    return Placement([one.final for one in placed], shelf.merges)


class _Shelf:
    """Known listings, found by identity."""

    def __init__(self, known: Iterable[Known]) -> None:
        self.merges: list[tuple[Known, Known]] = []
        self._by_id: dict[ListingId, list[Known]] = {}
        self._age: dict[Known, int] = {}
        for one in sorted(known, key=lambda one: one.key or 0):
            self._add(one)

    def _add(self, one: Known) -> None:
        self._age[one] = len(self._age)
        for identity in one.ids:
            self._by_id.setdefault(identity, []).append(one)

    def place(self, record: Listing) -> Known:
        """Return the listing that a record is, with what it adds; a new one if it is none of the known."""
        ids = ids_of(record)
        found: Known | None = None
        for one in self._sharing(ids):
            # A record that names a title alone fits several papers of that title; the first it is, and as what
            # that one is known by tells it from the others, they stay apart.
            if found is None and same_paper(ids, one.ids):
                found = one
            elif found is not None and same_paper((*ids, *found.ids), one.ids):
                found = self._merge(found, one)
        if found is None:
            found = Known(None, record, ids)
            found.learn(record, ids)
            self._add(found)
            return found
        self._index(found, ids)
        found.learn(record, ids)
        return found

    def _sharing(self, ids: tuple[ListingId, ...]) -> list[Known]:
        """Return the listings that share an identity: by the strongest shared first, then the oldest."""
        found = (one for identity in ids for one in self._by_id.get(identity, ()))
        return list(dict.fromkeys(one for one in found if one.merged_into is None))

    def _merge(self, one: Known, other: Known) -> Known:
        kept, gone = sorted((one, other), key=lambda known: self._age[known])
        self._index(kept, gone.ids)
        kept.learn(gone.listing, gone.ids)
        gone.merged_into = kept
        if gone.key is not None:
            self.merges.append((kept, gone))
        return kept

    def _index(self, one: Known, ids: Iterable[ListingId]) -> None:
        for identity in ids:
            if identity not in one.ids:
                self._by_id.setdefault(identity, []).append(one)


def unseen(
    page: Iterable[tuple[Known, Entry]], seen: Mapping[tuple[int, str, date], Sequence[Sighting]]
) -> list[tuple[Known, Sighting]]:
    """Return the sightings of a page that say something new.

    A listing that stands on the page twice is seen where it stands first.

    Args:
        page: each entry with the listing it is.
        seen: earlier sightings by listing key, source and day listed; oldest first.
    """
    fresh: dict[tuple[Known, str, date], Sighting] = {}
    for one, entry in page:
        fresh.setdefault((one, entry.sighting.source, entry.sighting.listed_on), entry.sighting)
    return [
        (one, sighting)
        for (one, source, listed_on), sighting in fresh.items()
        if one.key is None or not _repeats(sighting, seen.get((one.key, source, listed_on), ()))
    ]


def _repeats(sighting: Sighting, earlier: Sequence[Sighting]) -> bool:
    if not earlier:
        return False
    newest = max(earlier, key=lambda one: one.seen_at)
    return sighting in earlier or replace(sighting, seen_at=newest.seen_at) == newest
