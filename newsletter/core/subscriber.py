"""Subscribers, and the members whom list files name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """One address on one list. None stands for the list's own cadence, hour, timezone or mode of topics.

    `interest` says in the reader's own words what it is about; what fits it is chosen like what a topic matches.
    `text` is what the reader wants to read of papers.
    `examples` are papers that the reader likes, as the list's files name them. `opinions` are what the reader said
    of papers in mails, newest first, then the examples, with their texts. They are given where an issue is chosen
    from, and empty elsewhere.
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
    opinions: tuple[Opinion, ...] = ()
    status: SubscriberStatus = SubscriberStatus.ACTIVE
    origin: Origin = Origin.FILE

    @property
    def address_key(self) -> str:
        """Return what identifies the address: two spellings with one key are one subscriber."""
        return address_key(self.email)


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

    @property
    def address_key(self) -> str:
        """Return what identifies the address: two spellings with one key are one subscriber."""
        return address_key(self.email)

    def on(self, list_name: str) -> Subscriber:
        """Return the member as a subscriber of a list."""
        return Subscriber(list=list_name, **self._asdict())
