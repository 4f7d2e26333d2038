"""Subscribers, and the members whom list files name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum
from typing import NamedTuple

from newsletter.core.address import address_key
from newsletter.core.choice import TextKind
from newsletter.core.examples import GivenPaper
from newsletter.core.follows import Follow
from newsletter.core.likeness import Opinion
from newsletter.core.newsletter_list import Cadence
from newsletter.core.topics import TopicsMode


class Origin(StrEnum):
    """Where a subscriber came from. A file changes and removes only those whom it brought itself."""

    FILE = "file"
    WEB = "web"
    IMPORT = "import"
    COMMAND = "command"


class SubscriberStatus(StrEnum):
    """Whether a subscriber gets issues."""

    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"  # left by own wish
    REMOVED = "removed"  # no longer in the file


class Wishes(NamedTuple):
    """What a reader may choose by themselves; see `Subscriber`."""

    name: str = ""
    topics: tuple[str, ...] = ()
    follows: tuple[Follow, ...] = ()
    cadence: Cadence | None = None
    hour: time | None = None
    timezone: str | None = None
    topics_mode: TopicsMode | None = None
    interest: str = ""
    examples: tuple[GivenPaper, ...] = ()
    text: TextKind = TextKind.SUMMARY
    days: tuple[int, ...] | None = None
    language: str | None = None
    paused_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """One address on one list. None stands for the list's own cadence, hour, timezone, mode of topics or language.

    `days` are the weekdays on which the reader wants daily issues, Monday being 0; None: all on which the list
    comes out. Nothing is sent of issues of a day before `paused_until`; None: there is no pause.
    `language` is the tag of a language that there are words for; the reader's mails and pages are in it.

    `interest` says in the reader's own words what it is about; what fits it is chosen like what a topic matches.
    `text` is what the reader wants to read of papers.
    `examples` are papers that the reader likes, as the list's files name them. `opinions` are what the reader said
    of papers in mails, newest first, then the examples, with their texts. They are given where an issue is chosen
    from, and empty elsewhere. So is `missed`: the keys of listings of those issues since the last one that the
    reader got of which they wanted none, by their days or a pause.
    """

    list: str
    email: str
    name: str = ""
    topics: tuple[str, ...] = ()
    follows: tuple[Follow, ...] = ()
    cadence: Cadence | None = None
    hour: time | None = None
    timezone: str | None = None
    topics_mode: TopicsMode | None = None
    interest: str = ""
    examples: tuple[GivenPaper, ...] = ()
    text: TextKind = TextKind.SUMMARY
    days: tuple[int, ...] | None = None
    language: str | None = None
    paused_until: date | None = None
    opinions: tuple[Opinion, ...] = ()
    missed: frozenset[int] = frozenset()
    status: SubscriberStatus = SubscriberStatus.ACTIVE
    origin: Origin = Origin.FILE

    @property
    def address_key(self) -> str:
        """Return what identifies the address: two spellings with one key are one subscriber."""
        return address_key(self.email)

    @property
    def wishes(self) -> Wishes:
        """Return what the reader may choose by themselves."""
        return Wishes._make(getattr(self, name) for name in Wishes._fields)


class Member(NamedTuple):
    """A person whom the files of a list name, with the wishes that these state; see `Subscriber`.

    A tuple, because a list may have a million of them, and they are read and written one by one.
    """

    email: str
    name: str = ""
    topics: tuple[str, ...] = ()
    follows: tuple[Follow, ...] = ()
    cadence: Cadence | None = None
    hour: time | None = None
    timezone: str | None = None
    topics_mode: TopicsMode | None = None
    interest: str = ""
    examples: tuple[GivenPaper, ...] = ()
    text: TextKind = TextKind.SUMMARY
    days: tuple[int, ...] | None = None
    language: str | None = None

    @property
    def address_key(self) -> str:
        """Return what identifies the address: two spellings with one key are one subscriber."""
        return address_key(self.email)

    def on(self, list_name: str) -> Subscriber:
        """Return the member as a subscriber of a list."""
        return Subscriber(list=list_name, **self._asdict())
