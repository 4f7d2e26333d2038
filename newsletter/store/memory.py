"""The store in memory: for previews and tests, gone with the process. It keeps every promise but durability."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime

import structlog

from newsletter.core.delivery import Planned
from newsletter.core.errors import StaleDraftError
from newsletter.core.issue import Draft, Issue
from newsletter.core.listing import Candidate, Entry, Sighting
from newsletter.core.matching import Known, first_shown, place, unseen
from newsletter.core.newsletter_list import Cadence
from newsletter.core.steps import NOT_BROUGHT, barred, frozen, opening, require_reader
from newsletter.core.subscriber import Subscriber, SubscriberStatus, SyncPlan, address_key
from newsletter.ports import Hindrance, HindranceKind, IssueOutline, IssueSummary, Recorded
from newsletter.store.memory_outbox import MemoryOutbox
from newsletter.store.memory_suppressions import MemoryHighWater, MemorySuppressions
from newsletter.store.memory_tables import Reading, Row, Tables

log = structlog.get_logger(__name__)


class MemoryStore:
    """Honours `newsletter.ports.Store`."""

    def __init__(self) -> None:
        tables = Tables()
        self.library = MemoryLibrary(tables)
        self.issues = MemoryIssues(tables)
        self.roster = MemoryRoster(tables)
        self.outbox = MemoryOutbox(tables)
        self.hindrances = MemoryHindrances()
        self.suppressions = MemorySuppressions(tables)
        self.high_water = MemoryHighWater()
        self.slots = MemorySlots()

    @property
    def file(self) -> None:
        """See `Store`."""

    async def close(self) -> None:
        """See `Store`; there is nothing to let go of."""


class MemoryLibrary:
    """Honours `newsletter.ports.Library`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def record(self, source: str, day: date, entries: Sequence[Entry], *, now: datetime) -> Recorded:
        """See `Library`."""
        tables = self._tables
        known = [Known.of(key, listing, ids) for key, (listing, ids) in tables.listings.items()]
        placement = place(known, entries)
        placed = list(dict.fromkeys(placement.of))
        new = [one for one in placed if one.key is None]
        for was, now_is in placement.moves:
            self._join(was, now_is)
        page = first_shown(zip(placement.of, entries, strict=True), day, self._shown(source))
        for one in placed:
            if one.key is None:
                tables.last_listing += 1
                one.key = tables.last_listing
            tables.listings[one.key] = one.listing, one.ids
        self._see(page)
        reading = tables.readings.setdefault((source, day), Reading())
        reading.read_at, reading.listings = now, len(placed)
        for merge in placement.merges_in_words:
            log.info("listings_merged", source=source, day=str(day), merge=merge)
        repeats = placement.repeated(entries)
        return Recorded(listings=len(placed), new=len(new), merged=placement.merges_in_words, repeats=repeats)

    def _shown(self, source: str) -> dict[int, date] | None:
        """Return the last day on which a source listed each listing; None if it was never read before."""
        tables = self._tables
        if not any(name == source and one.read_at is not None for (name, _), one in tables.readings.items()):
            return None
        shown: dict[int, date] = {}
        for key, sighting in tables.sightings:
            if sighting.source == source:
                shown[key] = max(sighting.listed_on, shown.get(key, sighting.listed_on))
        return shown

    def _join(self, was: int, now: int) -> None:
        """Let history follow where two listings are one. Frozen records of issues stay as they were sent."""
        tables = self._tables
        del tables.listings[was]
        tables.sightings = [(now if key == was else key, sighting) for key, sighting in tables.sightings]
        for key, issue in tables.issues.items():
            listings = tuple(replace(one, key=now) if one.key == was else one for one in issue.listings)
            tables.issues[key] = replace(issue, listings=listings)

    def _see(self, page: Iterable[tuple[Known, Entry]]) -> None:
        seen: dict[tuple[int, str, date], list[Sighting]] = {}
        for key, sighting in self._tables.sightings:
            seen.setdefault((key, sighting.source, sighting.listed_on), []).append(sighting)
        self._tables.sightings += [
            (one.key, sighting) for one, sighting in unseen(page, seen) if one.key is not None
        ]

    async def attempted(self, source: str, day: date, *, now: datetime, settled: bool, error: str = "") -> None:
        """See `Library`."""
        reading = self._tables.readings.setdefault((source, day), Reading())
        reading.attempted_at, reading.error = now, error
        reading.settled |= settled

    async def unsettled(self, source: str) -> frozenset[date]:
        """See `Library`."""
        return frozenset(
            day
            for (name, day), reading in self._tables.readings.items()
            if name == source and reading.attempted_at is not None and not reading.settled
        )

    async def read_days(self, source: str) -> frozenset[date]:
        """See `Library`."""
        readings = self._tables.readings.items()
        return frozenset(
            day for (name, day), reading in readings if name == source and reading.read_at is not None
        )

    async def candidates(self, sources: Sequence[str], *, since: date, until: date) -> list[Candidate]:
        """See `Library`."""
        seen: dict[int, list[Sighting]] = {}
        for key, sighting in self._tables.sightings:
            if sighting.source in sources and since <= sighting.listed_on <= until:
                seen.setdefault(key, []).append(sighting)
        return [
            Candidate(
                key=key,
                listing=self._tables.listings[key][0],
                sightings=tuple(sorted(seen[key], key=lambda sighting: sighting.seen_at)),
            )
            for key in sorted(seen)
        ]


class MemoryIssues:
    """Honours `newsletter.ports.Issues`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def _newest_first(self, list_name: str | None) -> list[Issue]:
        fitting = (one for one in self._tables.issues.values() if list_name in {None, one.list})
        return sorted(fitting, key=lambda issue: (issue.day, issue.key), reverse=True)

    async def find(self, list_name: str, day: date) -> Issue | None:
        """See `Issues`."""
        return next((issue for issue in self._newest_first(list_name) if issue.day == day), None)

    async def get(self, key: int) -> Issue | None:
        """See `Issues`."""
        return self._tables.issues.get(key)

    async def latest(self, list_name: str, *, before: date | None = None) -> Issue | None:
        """See `Issues`."""
        return next((one for one in self._newest_first(list_name) if before is None or one.day < before), None)

    async def outline(self, list_name: str, day: date | None = None) -> IssueOutline | None:
        """See `Issues`."""
        issue = await (self.latest(list_name) if day is None else self.find(list_name, day))
        if issue is None:
            return None
        return IssueOutline(
            key=issue.key, list=issue.list, day=issue.day, frozen_at=issue.frozen_at, masthead=issue.masthead
        )

    async def last_number(self, list_name: str) -> int:
        """See `Issues`."""
        return max((issue.number for issue in self._newest_first(list_name)), default=0)

    async def listing_keys(self, list_name: str) -> set[int]:
        """See `Issues`."""
        return {listing.key for issue in self._newest_first(list_name) for listing in issue.listings}

    async def had(
        self, list_name: str, listing_keys: Collection[int], *, cadence: Cadence, usual: Cadence
    ) -> dict[str, frozenset[int]]:
        """See `Issues`."""
        wanted = set(listing_keys)
        found: dict[str, frozenset[int]] = {}
        for row in self._tables.deliveries.values():
            issue, reader = self._tables.issues[row.issue_key], self._tables.subscribers[row.subscriber_key]
            held = wanted.intersection(listing.key for listing in issue.listings)
            brought = issue.list == list_name and row.state not in NOT_BROUGHT
            if held and brought and (reader.cadence or usual) is cadence:
                found[reader.address_key] = found.get(reader.address_key, frozenset()) | held
        return found

    async def freeze(
        self,
        draft: Draft,
        subject: str,
        plan: Callable[[Subscriber], Planned],
        *,
        now: datetime,
        needs_reader: bool = False,
    ) -> tuple[Issue, bool]:
        """See `Issues`."""
        tables, list_name = self._tables, draft.masthead.list
        if (earlier := await self.find(list_name, draft.day)) is not None:
            return earlier, False
        if draft.number in {issue.number for issue in self._newest_first(list_name)}:
            raise StaleDraftError(f"{list_name} {draft.day}: issue {draft.number} is of another day")
        if any(listing.key not in tables.listings for listing in draft.listings):
            raise StaleDraftError(f"{list_name} {draft.day}: a listing has been merged into another")
        issue = frozen(draft, len(tables.issues) + 1, subject, now)
        openings = {
            key: opening(one, tables.suppression(one.list, one.address_key), plan, now)
            for key, one in tables.subscribers.items()
            if one.list == draft.masthead.readers_of and one.status is not SubscriberStatus.REMOVED
        }
        if needs_reader:
            require_reader(issue, Counter(one.reason for one in openings.values()))
        tables.issues[issue.key] = issue
        for number, (key, row) in enumerate(openings.items(), start=len(tables.deliveries) + 1):
            tables.deliveries[number] = Row(key=number, issue_key=issue.key, subscriber_key=key, **row._asdict())
        return issue, True

    async def history(self, list_name: str | None = None, *, limit: int = 50) -> list[IssueSummary]:
        """See `Issues`."""
        return [
            IssueSummary(
                list=issue.list,
                day=issue.day,
                number=issue.number,
                subject=issue.subject,
                listings=len(issue.listings),
                frozen_at=issue.frozen_at,
                deliveries=self._tables.counts(issue.key),
            )
            for issue in self._newest_first(list_name)[:limit]
        ]


class MemoryRoster:
    """Honours `newsletter.ports.Roster`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def subscribers(self, list_name: str) -> list[Subscriber]:
        """See `Roster`."""
        found = (one for one in self._tables.subscribers.values() if one.list == list_name)
        return sorted(found, key=lambda subscriber: subscriber.address_key)

    async def anyone_wants(self, list_name: str, cadence: Cadence) -> bool:
        """See `Roster`."""
        return any(
            one.list == list_name and one.cadence is cadence and one.status is SubscriberStatus.ACTIVE
            for one in self._tables.subscribers.values()
        )

    async def apply(self, list_name: str, plan: SyncPlan, *, now: datetime) -> None:
        """See `Roster`."""
        subscribers, removed = self._tables.subscribers, set()
        for wanted in (*plan.added, *plan.changed, *plan.removed):
            one = replace(wanted, list=list_name)
            key = self._tables.numbers.setdefault((list_name, one.address_key), len(subscribers) + 1)
            if key in subscribers and subscribers[key].status is SubscriberStatus.UNSUBSCRIBED:
                one = replace(one, status=SubscriberStatus.UNSUBSCRIBED)
            subscribers[key] = one
            if one.status is SubscriberStatus.REMOVED:
                removed.add(key)
        self._tables.withdraw(removed, barred(SubscriberStatus.REMOVED, None), now)

    async def key_of(self, list_name: str, email: str) -> int | None:
        """See `Roster`."""
        return self._tables.numbers.get((list_name, address_key(email)))

    async def by_key(self, key: int) -> Subscriber | None:
        """See `Roster`."""
        return self._tables.subscribers.get(key)

    async def suppress(self, email: str, *, list_name: str | None, reason: str, now: datetime) -> bool:
        """See `Roster`."""
        return self._tables.suppress(email, list_name, reason, now)

    async def suppressed(self, list_name: str) -> set[str]:
        """See `Roster`."""
        return {key for key, name in self._tables.suppressions if name in {None, list_name}}


class MemoryHindrances:
    """Honours `newsletter.ports.Hindrances`."""

    def __init__(self) -> None:
        self._known: dict[tuple[HindranceKind, str], Hindrance] = {}

    async def known(self, *, now: datetime) -> list[Hindrance]:
        """See `Hindrances`."""
        return [self._known[key] for key in sorted(self._known) if self._known[key].forgotten_at > now]

    async def note(
        self,
        changed: Sequence[Hindrance],
        *,
        over: Collection[tuple[HindranceKind, str]] = (),
        now: datetime,
    ) -> None:
        """See `Hindrances`."""
        left = {key: one for key, one in self._known.items() if key not in over and one.forgotten_at > now}
        self._known = left | {(one.kind, one.name): one for one in changed}


class MemorySlots:
    """Honours `newsletter.ports.Slots`."""

    def __init__(self) -> None:
        self._first_seen: dict[str, datetime] = {}
        self._in_vain: dict[str, date] = {}

    async def first_seen(self, list_name: str, *, now: datetime) -> datetime:
        """See `Slots`."""
        return self._first_seen.setdefault(list_name, now)

    async def in_vain(self, list_name: str) -> date | None:
        """See `Slots`."""
        return self._in_vain.get(list_name)

    async def note_in_vain(self, list_name: str, day: date, *, now: datetime) -> None:
        """See `Slots`."""
        self._first_seen.setdefault(list_name, now)
        self._in_vain[list_name] = day
