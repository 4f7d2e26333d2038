"""Members as tests name them, without files; and the members that files name, all at once."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from typing_extensions import override

from newsletter.core.newsletter_list import NewsletterList
from newsletter.core.subscriber import Member, Subscriber
from newsletter.ports import Checked, ListFile, Reading, Roster, SeenFiles


def member(subscriber: Subscriber) -> Member:
    """Return what a file says that names a subscriber."""
    return Member(*(getattr(subscriber, name) for name in Member._fields))


class Named(Roster, Reading):
    """A roster of people who are known already."""

    def __init__(self, subscribers: Iterable[Subscriber]) -> None:
        self.members = tuple(map(member, subscribers))
        self.seen = SeenFiles(definition=repr(self.members), stamp="", digest="", members=len(self.members))

    @property
    @override
    def place(self) -> str:
        return "people"

    @override
    def named(self, keys: Container[str]) -> Iterator[str]:
        return (one.email for one in self.members if one.address_key in keys)

    @override
    def reading(self) -> Reading:
        return self

    @override
    def __iter__(self) -> Iterator[Member]:
        return iter(self.members)

    @override
    def as_seen(self, seen: SeenFiles) -> SeenFiles | None:
        return seen if seen == self.seen else None

    @override
    def is_at_rest(self) -> bool:
        return True

    @override
    def check(self) -> Checked:
        cadences = frozenset(one.cadence for one in self.members if one.cadence is not None)
        return Checked(members=len(self.members), cadences=cadences)


def list_file(list_: NewsletterList, subscribers: Iterable[Subscriber]) -> ListFile:
    """Return a list whose file names these people."""
    return ListFile(list=list_, roster=Named(subscribers))


def named_by(file: ListFile) -> tuple[Subscriber, ...]:
    """Return all whom the files of a list name, as subscribers."""
    return tuple(one.on(file.list.name) for one in file.roster.reading())
