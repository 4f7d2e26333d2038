"""Makes the issues of past days again: the same stages as in a run, with a clock of the past."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from newsletter.backtest.results import BacktestResult, Made, measured
from newsletter.core.calendar import comes_out_on, slot_on
from newsletter.core.delivery import Delivery
from newsletter.core.errors import SourceError
from newsletter.core.issue import Draft, Issue, IssueListing
from newsletter.core.listing import Candidate, Page
from newsletter.core.newsletter_list import NewsletterList
from newsletter.core.rendering import Part, Rendering
from newsletter.core.subscriber import Member
from newsletter.pipeline.collect import collect
from newsletter.pipeline.publish import lookback, publish
from newsletter.ports import Composed, Message, Renderer, Source, Store
from newsletter.store import open_store

_READER = "reader@example.org"
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)


async def replayed(
    list_: NewsletterList,
    sources: Sequence[Source],
    *,
    first: date,
    last: date,
    progress: Callable[[date], object] = lambda _: None,
) -> BacktestResult:
    """Replay the days from `first` to `last`, both included.

    The issue of each day is made at the list's hour: from the day's page as it was then, and from the final pages
    of earlier days, if the sources keep both. Pages before the first day are empty, and another issue is made
    after the last day, so that all days are measured alike.

    Args:
        list_: the list.
        sources: where pages of past days are read; a source that keeps no past pages is left out.
        first: the first day.
        last: the last day.
        progress: called with each issue's day before the issue is made.

    Raises:
        SourceError: nothing could be read.
    """
    after = _days(last + _DAY, last + _WEEK)
    closing = next((day for day in after if comes_out_on(list_, day)), None)
    store = await open_store("sqlite://")
    try:
        await _add_reader(store, list_, now=datetime.combine(first, time(), UTC))
        replay = _Replay(list_, [_Past(source, first) for source in sources if source.dated], store)
        for day in [*_days(first, last), *([closing] if closing else [])]:
            if comes_out_on(list_, day):
                progress(day)
                await replay.make_issue(day)
        pages, issues = await replay.final_pages(_days(first, last)), await replay.issues()
    finally:
        await store.close()
    left_out = tuple(source.name for source in sources if not source.dated)
    return measured(pages, issues, closing=closing, left_out=left_out)


async def _add_reader(store: Store, list_: NewsletterList, *, now: datetime) -> None:
    """Add a reader without topics: a list without readers has no issue."""
    reader = Member(email=_READER, cadence=list_.cadence)
    async with store.subscribers.compare(list_.masthead.readers_of, [reader]) as comparison:
        await comparison.apply(None, now=now)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


@dataclass(slots=True)
class _Replay:
    """Makes issues, one day after the other."""

    list_: NewsletterList
    sources: Sequence[Source]
    store: Store
    reasons: dict[date, str] = field(default_factory=dict)  # by issue day: why there is no issue, or nothing
    failures: dict[str, str] = field(default_factory=dict)
    read: int = 0

    async def make_issue(self, day: date) -> None:
        """Collect and publish as a run at that day's hour."""
        slot = slot_on(self.list_, day)
        previous = await self.store.issues.latest(self.list_.name)
        collected = await collect(
            self.sources,
            self.store.library,
            day=day,
            lookback_days=lookback(self.list_),
            previous=previous.day if previous else None,
            now=slot.at,
        )
        self.read += collected.read
        self.failures.update(collected.failures)
        published = await publish(
            self.store,
            _Unrendered(),
            self.list_,
            self._names,
            slot,
            now=slot.at,
            at_once=True,
            check=lambda _issue, _message: None,
        )
        self.reasons[day] = published.reason

    async def issues(self) -> dict[date, Made]:
        """Return what each issue brought the reader, or why there is none, by day."""
        return {day: Made(await self._mailed(day), reason) for day, reason in self.reasons.items()}

    async def _mailed(self, day: date) -> Sequence[IssueListing]:
        issue = await self.store.issues.find(self.list_.name, day)
        chosen = await self.store.issues.chosen(issue.key, _READER) if issue else None
        return [issue.listings[position] for position in chosen[0].positions] if issue and chosen else ()

    async def final_pages(self, days: Sequence[date]) -> dict[date, list[Candidate]]:
        """Return the listings on the final pages of each day, with the sightings of that day only."""
        if self.failures and not self.read:
            raise SourceError("; ".join(self.failures.values()))
        end = datetime.combine(days[-1] + 2 * _WEEK, time(), UTC)
        pages = {}
        for day in days:
            for source in self.sources:
                page = await source.read(day, now=end)
                await self.store.library.record(source.name, day, page.entries, now=end)
            pages[day] = await self.store.library.candidates(self._names, since=day, until=day)
        return pages

    @property
    def _names(self) -> list[str]:
        return [source.name for source in self.sources]


class _Past(Source):
    """A source whose pages before a day are empty."""

    dated = True

    def __init__(self, source: Source, first: date) -> None:
        self.name = source.name
        self._source, self._first = source, first

    async def read(self, day: date, *, now: datetime) -> Page:
        return await self._source.read(day, now=now) if day >= self._first else Page()


class _Unrendered(Renderer, Message):
    """A renderer and a message without content: nobody reads these issues."""

    def subject(self, draft: Draft) -> str:
        return draft.day.isoformat()

    def render(self, issue: Issue) -> Rendering:  # noqa: ARG002 (nothing of it shows)
        nothing = Part(page="", nonce="")
        return Rendering(html=nothing, text=nothing, headlines=(), html_bytes=0)

    def message(self, issue: Issue, rendering: Rendering) -> Message:  # noqa: ARG002
        return self

    def for_reader(self, _delivery: Delivery) -> tuple[str, bytes]:
        return "", b""

    def composed_for(self, _delivery: Delivery) -> Composed:
        return Composed("", [b"\r\n"], 2)
