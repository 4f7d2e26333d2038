"""What holds mail up for a while."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class SlowDownKind(StrEnum):
    """What it is that holds mail up."""

    DOMAIN = "domain"  # a recipient domain that asked us to slow down
    RELAY = "relay"  # a relay in trouble
    QUOTA = "quota"  # a relay whose quota is used up
    JOINING = "joining"  # a relay that takes one message at a time: see `newsletter.delivery.smtp.experience`


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowDown:
    """What holds mail up for a while, beyond the run that learnt of it."""

    kind: SlowDownKind
    name: str  # of the domain or relay
    since: datetime
    until: datetime | None = None  # None: until it turns out to be over
    times: int = 1  # how often in a row
    given_up: bool = False  # a relay that was not tried again within the run
    reason: str = ""  # what was said, in one line
    forgotten_at: datetime  # from then on it counts for nothing


class SlowDowns(Protocol):
    """What holds mail up for a while; each is known by kind and name."""

    async def known(self, *, now: datetime) -> list[SlowDown]:
        """Return what is not forgotten by now, by kind and name."""
        ...

    async def note(
        self,
        changed: Sequence[SlowDown],
        *,
        over: Collection[tuple[SlowDownKind, str]] = (),
        now: datetime,
    ) -> None:
        """Write these in one transaction, each in place of what was known of it before.

        What is `over`, by kind and name, is removed, and so is all that is forgotten by now.
        """
        ...
