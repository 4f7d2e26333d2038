"""Subscribers, and what syncing a list file would change about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import time
from enum import StrEnum

from newsletter.core.address import address_key
from newsletter.core.follows import Follow
from newsletter.core.likeness import Opinion
from newsletter.core.newsletter_list import Cadence
from newsletter.core.topics import TopicsMode


class Origin(StrEnum):
    """Where a subscriber came from. A file changes and removes only those whom it brought itself."""

    FILE = "file"
    SIGNUP = "signup"
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
    `opinions` are what the reader said of papers, newest first. They are no part of a list file: they are known only
    where an issue is chosen from.
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
    opinions: tuple[Opinion, ...] = ()
    status: SubscriberStatus = SubscriberStatus.ACTIVE
    origin: Origin = Origin.FILE

    @property
    def address_key(self) -> str:
        """Return what identifies the address: two spellings with one key are one subscriber."""
        return address_key(self.email)


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """What syncing a list file would do, by address."""

    added: tuple[Subscriber, ...] = ()
    changed: tuple[Subscriber, ...] = ()
    removed: tuple[Subscriber, ...] = ()
    unchanged: int = 0


def plan_sync(known: Iterable[Subscriber], wanted: Iterable[Subscriber]) -> SyncPlan:
    """Compare the file's subscribers with the known ones of the same list.

    Who unsubscribed stays so although the file still names them. Who came by another way than the file keeps their
    own wishes, whether the file names them or not, and counts as unchanged where it does.
    """
    current = {subscriber.address_key: subscriber for subscriber in known}
    added, changed, named, unchanged = [], [], set(), 0
    for subscriber in wanted:
        named.add(subscriber.address_key)
        old = current.get(subscriber.address_key)
        if old is None:
            added.append(subscriber)
            continue
        if old.origin is not Origin.FILE:
            unchanged += 1
            continue
        status = (
            SubscriberStatus.UNSUBSCRIBED
            if old.status is SubscriberStatus.UNSUBSCRIBED
            else SubscriberStatus.ACTIVE
        )
        new = replace(subscriber, status=status)
        if new == old:
            unchanged += 1
        else:
            changed.append(new)
    removed = [
        replace(subscriber, status=SubscriberStatus.REMOVED)
        for key, subscriber in current.items()
        if key not in named and subscriber.origin is Origin.FILE and subscriber.status is SubscriberStatus.ACTIVE
    ]
    return SyncPlan(tuple(added), tuple(changed), tuple(removed), unchanged)
