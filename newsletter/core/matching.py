"""Which known listing each entry of a page is. Pure; pages are made and all stores decide by it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice

from newsletter.core.evidence import Evidence, proof
from newsletter.core.identity import IdKind, ListingId, arxiv_id, doi, former_identities, former_of, scope_of
from newsletter.core.listing import Entry, Listing, Sighting, Skipped, merged
from newsletter.core.titles import title_key

# What may be shared by very many papers, and how many of them are looked at: a title such as "Editorial".
_WEAK = frozenset({IdKind.URL, IdKind.FORMER_URL, IdKind.TITLE, IdKind.FORMER_TITLE})
_MOST = 50
_FORMER = frozenset({IdKind.FORMER_URL, IdKind.FORMER_TITLE})
_LINKS = frozenset({IdKind.URL, IdKind.FORMER_URL})


@dataclass(slots=True, eq=False)
class Known:
    """A listing with everything it is known by; `key` is None until the store has given it a number."""

    key: int | None
    listing: Listing
    ids: tuple[ListingId, ...]  # strongest first
    settled: frozenset[str] = frozenset()  # the feeds whose ids for it the store held
    merged_into: Known | None = None
    _evidence: Evidence | None = field(default=None, repr=False)

    @classmethod
    def of(cls, key: int | None, listing: Listing, ids: Iterable[ListingId]) -> Known:
        """Return a listing with its identities in order, those of former versions of the program put right."""
        stored = tuple(ids)
        settled = frozenset(scope_of(one.value) for one in stored if one.kind is IdKind.GUID)
        return cls(key, listing, _ordered(_renewed(listing, stored)), settled)

    @property
    def final(self) -> Known:
        """Return the listing that this one has become part of, or itself."""
        return self if self.merged_into is None else self.merged_into.final

    @property
    def evidence(self) -> Evidence:
        """Return what there is to weigh."""
        if self._evidence is None:
            self._evidence = Evidence.of(self.listing, self.ids, is_stored=True, settled=self.settled)
        return self._evidence

    def learn(self, listing: Listing, ids: Iterable[ListingId]) -> None:
        """Take in another record of the same paper."""
        self.ids = _ordered((*self.ids, *ids))
        self.listing = self._named(merged(self.listing, listing))
        self._evidence = None

    def _named(self, listing: Listing) -> Listing:
        """Write the strongest ids into the record: a newer link may have displaced the one that they came from."""
        strongest = {identity.kind: identity.value for identity in reversed(self.ids)}
        return replace(
            listing,
            arxiv_id=listing.arxiv_id or strongest.get(IdKind.ARXIV, ""),
            doi=listing.doi or strongest.get(IdKind.DOI, ""),
        )


def _ordered(ids: Iterable[ListingId]) -> tuple[ListingId, ...]:
    return tuple(sorted(dict.fromkeys(ids), key=lambda identity: (identity.kind.strength, identity.value)))


def _renewed(listing: Listing, ids: tuple[ListingId, ...]) -> tuple[ListingId, ...]:
    """Return stored identities in today's form as far as the record tells it; the rest stays as it was written."""
    if not any(identity.kind in _FORMER for identity in ids):
        return ids
    fine = [*(one for one in map(_tidied, ids) if one is not None), *listing.identities]
    explained = {former_of(one) for one in fine if one.kind in {IdKind.URL, IdKind.TITLE}}
    whole = [ListingId(IdKind.FORMER_URL, one.value) for one in listing.identities if one.kind is IdKind.URL]
    return (*(one for one in fine if one not in explained), *whole)


def _tidied(identity: ListingId) -> ListingId | None:
    """Return an arXiv id or DOI as it is read today: without a tail, or None for a number that is no id."""
    if identity.kind is IdKind.ARXIV:
        return identity if arxiv_id(identity.value) else None
    if identity.kind is IdKind.DOI:
        return ListingId(IdKind.DOI, value) if (value := doi(identity.value)) else None
    return identity


@dataclass(frozen=True, slots=True)
class Placement:
    """What a page's entries are: `of[i]` for entry i, and pairs (kept, gone) of known listings that are one.

    `repeats` says of each entry that is the listing of an earlier one what shows it.
    """

    of: list[Known]
    merges: list[tuple[Known, Known]]
    repeats: dict[int, str]

    @property
    def moves(self) -> list[tuple[int, int]]:
        """Return the merges as pairs of keys: where history stands, and where it belongs now."""
        return [
            (gone.key, kept.key) for kept, gone in self.merges if gone.key is not None and kept.key is not None
        ]

    @property
    def merges_in_words(self) -> tuple[str, ...]:
        """Return the merges in words."""
        return tuple(
            f"listing {gone.key} ({gone.ids[0]}) is listing {kept.key} ({kept.final.ids[0]}): {kept.listing.title}"
            for kept, gone in self.merges
        )

    def repeated(self, entries: Sequence[Entry]) -> tuple[Skipped, ...]:
        """Return the entries that are left out as repeats, with the reasons."""
        return tuple(
            Skipped(what=f"{entry.listing.title[:80]} {entry.listing.url}".strip(), reason=self.repeats[number])
            for number, entry in enumerate(entries)
            if number in self.repeats
        )


def keys_of(entry: Entry) -> tuple[ListingId, ...]:
    """Return all identities by which a known listing may share something with an entry, former forms too."""
    return (*entry.identities, *former_identities(entry.listing.url, entry.listing.title))


def place(known: Iterable[Known], entries: Iterable[Entry]) -> Placement:
    """Decide what each entry of a page is, and merge what turns out to be one.

    Args:
        known: at least all listings that share one of `keys_of` with any of the entries; they are changed.
        entries: the page, in its order.
    """
    page = list(entries)
    shelf = _Shelf(known, _crowded(page))
    placed = [shelf.place(entry) for entry in page]
    first, repeats = dict[Known, int](), dict[int, str]()
    for number, (one, kind) in enumerate(placed):
        earlier = first.setdefault(one.final, number)
        if earlier != number:
            what = f"same {_NAMES[kind]} as" if kind else "by a later entry the same paper as"
            repeats[number] = f"{what} “{page[earlier].listing.title[:80]}”"
    return Placement([one.final for one, _ in placed], shelf.merges, repeats)


_NAMES = {
    IdKind.ARXIV: "arXiv id",
    IdKind.DOI: "DOI",
    IdKind.GUID: "id in the feed",
    IdKind.URL: "link",
    IdKind.TITLE: "title",
}


def _crowded(page: Sequence[Entry]) -> frozenset[ListingId]:
    """Return the links, in both forms, that entries of several titles have: they lead to a page about them all."""
    titles: dict[ListingId, set[str]] = {}
    for entry in page:
        title = title_key(entry.listing.title)
        for link in keys_of(entry):
            if link.kind in _LINKS:
                titles.setdefault(link, set()).add(title)
    return frozenset(link for link, shown in titles.items() if len(shown) > 1)


class _Shelf:
    """Known listings, found by identity."""

    def __init__(self, known: Iterable[Known], crowded: Collection[ListingId]) -> None:
        self.merges: list[tuple[Known, Known]] = []
        self._crowded = frozenset(crowded)
        self._by_id: dict[ListingId, list[Known]] = {}
        self._age: dict[Known, int] = {}
        for one in sorted(known, key=lambda one: one.key or 0):
            self._add(one)

    def _add(self, one: Known) -> None:
        self._age[one] = len(self._age)
        for identity in one.ids:
            self._by_id.setdefault(identity, []).append(one)

    def place(self, entry: Entry) -> tuple[Known, IdKind | None]:
        """Return the listing that an entry is, a new one if none is known, and what shows it."""
        ids, record = entry.identities, entry.listing
        evidence, crowded = Evidence.of(record, ids), self._crowded_links(ids)
        found: Known | None = None
        kind: IdKind | None = None
        for one in self._sharing(keys_of(entry)):
            # An entry that names a title alone fits several papers of that title; the first it is, and as what
            # that one is known by tells it from the others, they stay apart.
            proven = proof(evidence, one.evidence, crowded=crowded)
            if proven is None:
                continue
            if found is None:
                found, kind = one, proven
            else:
                found = self._merge(found, one)
            evidence = self._with(entry, found)
        if found is None:
            found = Known(None, record, ids)
            found.learn(record, ids)
            self._add(found)
            return found, None
        self._index(found, ids)
        found.learn(record, ids)
        return found, kind

    def _with(self, entry: Entry, found: Known) -> Evidence:
        """Return the evidence of an entry together with what is known of the listing that it is."""
        return Evidence.of(merged(found.listing, entry.listing), (*entry.identities, *found.ids))

    def _crowded_links(self, ids: tuple[ListingId, ...]) -> frozenset[ListingId]:
        """Return the links, of those of an entry, that several papers have, on this page or from before."""
        links = [identity for identity in ids if identity.kind is IdKind.URL]
        several = (
            link for link in links if len({one.final for one in islice(self._by_id.get(link, ()), _MOST)}) > 1
        )
        return self._crowded.union(several)

    def _sharing(self, ids: tuple[ListingId, ...]) -> list[Known]:
        """Return the listings that share an identity: by the strongest shared first, then the oldest."""
        found: dict[Known, None] = {}
        for identity in sorted(ids, key=lambda one: one.kind.strength):
            bucket = self._by_id.get(identity, ())
            found.update(dict.fromkeys(islice(bucket, _MOST) if identity.kind in _WEAK else bucket))
        return [one for one in found if one.merged_into is None]

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


def first_shown(
    page: Iterable[tuple[Known, Entry]], day: date, shown: Mapping[int, date] | None
) -> list[tuple[Known, Entry]]:
    """Return a page on which what is new counts as listed on the day it was read, whatever its own date says.

    Publishers date entries by the manuscript, or by a clock that was not set. Only the first reading of a source
    goes by the entries' own dates: all of its archive is new then, and is no news.

    Args:
        page: each entry with the listing it is.
        day: the day that the page is for.
        shown: by listing key, the last day on which this source listed it; None if it was never read before.
    """
    if shown is None:
        return list(page)
    return [(one, _dated(entry, day if one.key is None else shown.get(one.key, day), day)) for one, entry in page]


def _dated(entry: Entry, shown_on: date, day: date) -> Entry:
    sighting = entry.sighting
    if sighting.listed_on >= min(shown_on, day):
        return entry
    return replace(entry, sighting=replace(sighting, listed_on=shown_on))
