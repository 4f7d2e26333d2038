"""What of a list its pages go by: its file, or its newest issue where that file is gone or has a mistake."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from newsletter.core.newsletter_list import Cadence, Masthead, NewsletterList, SignUpRule
from newsletter.core.topics import Topic
from newsletter.ports import Issues, Lists
from newsletter.ports.listed import SourceNames
from newsletter.readers.signup import SigningUp


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownList:
    """A list as its pages show it.

    `list` is None where the list has no file that is right: then there are its issues only, and no `sources`: the
    names by which the ledger knows them. `is_open` says whether readers may sign up by themselves.
    """

    masthead: Masthead
    list: NewsletterList | None
    is_open: bool
    sources: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return the list's name."""
        return self.masthead.list

    @property
    def topics(self) -> Mapping[str, Topic]:
        """Return its topics, by name."""
        return self.list.topics if self.list else {}

    @property
    def is_weekly(self) -> bool:
        """Return whether it comes out once a week."""
        return self.masthead.cadence is Cadence.WEEKLY

    @property
    def has_weekly_edition(self) -> bool:
        """Return whether a reader of it may choose one issue a week."""
        return self.list is not None and self.list.weekly_edition is not None

    @property
    def needs_approval(self) -> bool:
        """Return whether the operator decides on each new reader."""
        return self.list is not None and self.list.signup is SignUpRule.APPROVAL

    @property
    def timezone(self) -> ZoneInfo:
        """Return the zone by whose clocks times are shown."""
        return ZoneInfo(self.list.timezone if self.list else "UTC")

    def last_day(self, now: datetime) -> date:
        """Return the newest day that pages show: today by the list's clocks or by those of sources, in UTC."""
        return max(now.astimezone(self.timezone).date(), now.astimezone(UTC).date())


@dataclass(frozen=True, slots=True)
class KnownLists:
    """Finds lists for their pages."""

    issues: Issues
    lists: Lists
    signing_up: SigningUp
    source_names: SourceNames

    async def named(self, name: str) -> KnownList | None:
        """Return the list of a name; None: there is none, or nothing of it can be shown."""
        loaded = await asyncio.to_thread(self.lists.read)
        file = loaded.right.get(name)
        return self._of(file.list) if file else await self._without_file(name)

    async def all(self) -> list[KnownList]:
        """Return all lists that have a file, by name; those with a mistake in it as their newest issue says."""
        loaded = await asyncio.to_thread(self.lists.read)
        found = []
        for name in loaded.names:
            file = loaded.right.get(name)
            one = self._of(file.list) if file else await self._without_file(name)
            found += [one] if one else []
        return found

    def _of(self, list_: NewsletterList) -> KnownList:
        return KnownList(
            masthead=list_.masthead,
            list=list_,
            is_open=self.signing_up.is_open(list_),
            sources=tuple(self.source_names(list_)),
        )

    async def _without_file(self, name: str) -> KnownList | None:
        newest = await self.issues.outline(name)
        return KnownList(masthead=newest.masthead, list=None, is_open=False) if newest else None
