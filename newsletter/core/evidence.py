"""Whether two records are one paper: what each is known by, weighed against what tells them apart.

In this order, and the first that decides does:

1. One arXiv id, or one DOI: the same. Two different ones: two papers, whatever else they share.
2. One id within a feed: the same, unless title, link and abstract are all others; then it names a place there.
3. One link: the same under another title too, unless the feed calls them two, or several papers have that link.
4. One title: the same where nothing contradicts it. Other authors do. So do other ids within one feed and, for
   a title that says little ("Editorial"), another link; a long title by the same authors is one paper twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from newsletter.core.identity import IdKind, ListingId, former_identities, scope_of
from newsletter.core.listing import Listing
from newsletter.core.titles import is_telling, normalised_title, read_alike, title_key

_LONG_ABSTRACT = 80  # characters that no two papers have in common by chance
_FAR_APART = 366  # days between two records of one paper, where no authors speak for it
_NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a record, or a listing with all that was ever learnt of it, is known by.

    `former` is what a record would be known by in a database made before revision 0003, or, where `is_stored`, the
    rows of such a database that are left.
    """

    listing: Listing
    arxiv: frozenset[str]
    dois: frozenset[str]
    guids: frozenset[str]
    urls: frozenset[str]
    titles: frozenset[str]
    former: frozenset[ListingId]
    scopes: frozenset[str]  # the feeds that call it by an id of their own
    is_stored: bool = False
    settled: frozenset[str] = frozenset()  # feeds that have recognised it since; for them `former` has no say

    @classmethod
    def of(
        cls,
        listing: Listing,
        ids: Iterable[ListingId],
        *,
        is_stored: bool = False,
        settled: frozenset[str] = frozenset(),
    ) -> Evidence:
        """Return the evidence of a record.

        Args:
            listing: the record.
            ids: everything that it is known by.
            is_stored: whether it comes from the store, perhaps with identities in a former form.
            settled: the feeds whose ids for it the store held when it was read.
        """
        values: dict[IdKind, set[str]] = {kind: set() for kind in IdKind}
        former = set() if is_stored else set(former_identities(listing.url, listing.title))
        for identity in ids:
            values[identity.kind].add(identity.value)
            if is_stored and identity.kind in {IdKind.FORMER_URL, IdKind.FORMER_TITLE}:
                former.add(identity)
        return cls(
            listing,
            arxiv=frozenset(values[IdKind.ARXIV]),
            dois=frozenset(values[IdKind.DOI]),
            guids=frozenset(values[IdKind.GUID]),
            urls=frozenset(values[IdKind.URL]),
            titles=frozenset(values[IdKind.TITLE]),
            former=frozenset(former),
            scopes=frozenset(map(scope_of, values[IdKind.GUID])),
            is_stored=is_stored,
            settled=settled,
        )

    @property
    def has_place(self) -> bool:
        """Return whether anything but its title says which paper it is."""
        return bool(self.arxiv or self.dois or self.guids or self.urls)


def proof(one: Evidence, other: Evidence, *, crowded: Collection[ListingId] = ()) -> IdKind | None:
    """Return what shows that two records are one paper, or None: they are two as far as the records show.

    Args:
        one: a record.
        other: another.
        crowded: links that several papers have, and that so prove nothing alone.
    """
    for mine, theirs, kind in ((one.arxiv, other.arxiv, IdKind.ARXIV), (one.dois, other.dois, IdKind.DOI)):
        if mine and theirs:
            return kind if mine & theirs else None
    same_title = _same_title(one, other)
    if one.guids & other.guids and (same_title or _something_else_is_shared(one, other)):
        return IdKind.GUID
    told_apart = _are_told_apart(one, other)
    if _link_proves(one, other, crowded, same_title=same_title, told_apart=told_apart):
        return IdKind.URL
    return IdKind.TITLE if same_title and _title_proves(one, other, told_apart=told_apart) else None


def _link_proves(
    one: Evidence, other: Evidence, crowded: Collection[ListingId], *, same_title: bool, told_apart: bool
) -> bool:
    """Return whether one link makes two records one paper."""
    former = _former(one, other, IdKind.FORMER_URL)
    if former and (same_title or not former.issubset(crowded)):
        return True
    shared = {ListingId(IdKind.URL, url) for url in one.urls & other.urls}
    if same_title:
        return bool(shared) and not (told_apart and _abstracts_differ(one, other))
    return bool(shared) and not told_apart and not shared.issubset(crowded)


def _same_title(one: Evidence, other: Evidence) -> bool:
    shared = one.titles & other.titles
    if not shared:
        return bool(_former(one, other, IdKind.FORMER_TITLE))
    mine, theirs = one.listing.title, other.listing.title
    is_theirs = title_key(mine) in shared and title_key(theirs) in shared  # or else an earlier title is
    return read_alike(mine, theirs) if is_theirs else True


def _former(one: Evidence, other: Evidence, kind: IdKind) -> frozenset[ListingId]:
    """Return the stored identities in a former form that the other record was known by in that form."""
    if one.is_stored == other.is_stored or not (one.former and other.former):
        return frozenset()
    if not (one.settled.isdisjoint(other.scopes) and other.settled.isdisjoint(one.scopes)):
        return frozenset()
    return frozenset(identity for identity in one.former & other.former if identity.kind is kind)


def _something_else_is_shared(one: Evidence, other: Evidence) -> bool:
    return bool(one.urls & other.urls) or _same_abstract(one, other)


def _are_told_apart(one: Evidence, other: Evidence) -> bool:
    """Return whether one source calls the two by different ids."""
    if not (one.guids and other.guids) or one.guids & other.guids:
        return False
    return not one.scopes.isdisjoint(other.scopes)


def _title_proves(one: Evidence, other: Evidence, *, told_apart: bool) -> bool:
    """Return whether one title makes two records one paper."""
    mine, theirs = _authors(one.listing), _authors(other.listing)
    are_known = bool(mine and theirs)
    is_shared = are_known and not mine.isdisjoint(theirs)
    if are_known and not is_shared:
        return False
    key = next(iter(one.titles & other.titles or one.titles), "")
    is_theirs = is_shared and is_telling(key, words=2, letters=12)
    if told_apart:
        is_long = len(one.listing.abstract) >= _LONG_ABSTRACT
        return (is_long or is_theirs) and _same_abstract(one, other) and _days_apart(one, other) == 0
    if not (one.has_place and other.has_place):
        return True
    return is_theirs or (
        not are_known and is_telling(key, words=5, letters=20) and _days_apart(one, other) <= _FAR_APART
    )


def _authors(listing: Listing) -> frozenset[str]:
    """Return the words of all authors' names; initials and addresses are no names."""
    if not listing.authors:
        return _NOBODY
    names = (normalised_title(author).split() for author in listing.authors if "@" not in author)
    return frozenset(word for name in names for word in name if len(word) > 1)


def _days_apart(one: Evidence, other: Evidence) -> int:
    """Return how many days lie between the dates of two records; none where one has no date."""
    mine, theirs = one.listing.published_on, other.listing.published_on
    return abs((mine - theirs).days) if mine and theirs else 0


def _same_abstract(one: Evidence, other: Evidence) -> bool:
    mine, theirs = one.listing.abstract, other.listing.abstract
    return bool(mine) and (mine == theirs or mine.casefold() == theirs.casefold())


def _abstracts_differ(one: Evidence, other: Evidence) -> bool:
    """Return whether both have an abstract, and neither is the beginning of the other."""
    mine, theirs = (record.listing.abstract.rstrip(".… ") for record in (one, other))
    return bool(mine and theirs) and not (mine.startswith(theirs) or theirs.startswith(mine))
