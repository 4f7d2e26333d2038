"""A pipeline of real parts over a recorded week, its mail kept for reading, its clock in the test's hands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from email import message_from_bytes
from email.policy import default
from itertools import pairwise
from pathlib import Path

from newsletter.backtest import Recordings
from newsletter.bootstrap import packaged_templates
from newsletter.core.alarms import MAIL
from newsletter.core.delivery import Change, Delivery, DeliveryState
from newsletter.core.errors import RenderError
from newsletter.core.newsletter_list import NewsletterList
from newsletter.core.subscriber import Subscriber
from newsletter.core.tokens import Links
from newsletter.delivery.inline import Inline
from newsletter.operations.alarms import LedgerAlarm
from newsletter.pipeline.deliver import ClosedIssues, Delivering
from newsletter.pipeline.high_water import HighWaterMark
from newsletter.pipeline.report import RunReport
from newsletter.pipeline.run import Pipeline, Wish
from newsletter.ports import ChunkReport, ListFile, LoadedLists, Message, Progress, Source, Store
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.scheduling.tick import Ticker
from tests import factories
from tests.backtest.recorded import a_week
from tests.rosters import list_file

LIST = NewsletterList(masthead=factories.masthead(), sources=("huggingface",), max_listings=6)


@dataclass(frozen=True)
class Mail:
    """What a reader got: the subject, and the papers in their order by number."""

    email: str
    subject: str
    papers: tuple[int, ...]


@dataclass
class Post:
    """Stands for the delivery: everything that is due arrives."""

    store: Store
    clock: Callable[[], datetime]
    mails: list[Mail] = field(default_factory=list)
    is_down: bool = False

    async def recover(self) -> None:
        """Nobody who delivers dies here."""

    async def deliver_chunk(
        self,
        issue_key: int,
        message_for: Callable[[int], Awaitable[Message]],
        *,
        most: int | None = None,
        due_by: datetime | None = None,
        progress: Progress | None = None,
        stop: asyncio.Event | None = None,
    ) -> ChunkReport:
        if self.is_down:
            return ChunkReport(trouble="the relay is down")
        now, outbox = min(self.clock(), due_by or self.clock()), self.store.outbox
        try:
            message = await message_for(issue_key)
        except RenderError as error:
            return ChunkReport(trouble=str(error))
        async with outbox.worker() as worker:
            claimed = await outbox.claim(worker, now=now, limit=most or 100, issue_key=issue_key)
            for one in claimed:
                self.mails.append(_read(one, message.for_reader(one)[1]))
                for state in (DeliveryState.SENDING, DeliveryState.SENT):
                    await outbox.record([Change(key=one.key, state=state, at=now, attempts=1)])
        return ChunkReport(sent=len(claimed))


def _read(delivery: Delivery, raw: bytes) -> Mail:
    mail = message_from_bytes(raw, policy=default)
    body = mail.get_body(("plain",))
    words = body.get_content().split() if body else []
    numbers = [int(after) for word, after in pairwise(words) if word == "number"]
    return Mail(delivery.subscriber.email, str(mail["Subject"]), tuple(dict.fromkeys(numbers)))


@dataclass
class Desk:
    """Runs a list day by day."""

    folder: Path
    store: Store
    list_: NewsletterList = LIST
    readers: dict[str, Subscriber] = field(default_factory=dict)
    now: datetime = datetime(2026, 3, 9, 8, tzinfo=UTC)
    is_gone: bool = False  # the list's file

    def __post_init__(self) -> None:
        a_week(self.folder)
        self.post = Post(self.store, lambda: self.now)
        self.sources: Sequence[Source] = [Recordings(self.folder)]
        templates = TemplateRenderer(None, packaged_templates())
        renderer = MailRenderer(templates, Links("https://example.org", "key"))
        closed = ClosedIssues(self.store.issues, renderer)
        mark = HighWaterMark(self.store.high_water, self.folder)
        self.pipeline = Pipeline(
            store=self.store,
            renderer=renderer,
            closed=closed,
            delivering=Delivering(self.store, closed, Inline(self.post), lambda: self.now, mark),
            sources_of=lambda _: self.sources,
            check=lambda _issue, _message: None,
            mark=mark,
        )
        self.alarm = LedgerAlarm(self.store.alarms, [MAIL], lambda: self.now)
        self.ticker = Ticker(self, self.pipeline, self.alarm)

    def subscribe(self, name: str, **wishes: object) -> None:
        """Put a reader into the list's file, or change what it says of one."""
        one = Subscriber(list=self.list_.name, email=f"{name}@example.org")
        self.readers[name] = replace(one, **wishes)  # type: ignore[arg-type]

    @property
    def file(self) -> ListFile:
        return list_file(self.list_, self.readers.values())

    async def run(self, day: date, *, hour: int = 8) -> RunReport:
        """Run the list without naming a day, at an hour of it."""
        self.now = datetime.combine(day, time(hour), UTC)
        return await self.run_now()

    async def run_now(self, *, naming: date | None = None, stop: asyncio.Event | None = None) -> RunReport:
        """Run the list at the present moment, perhaps with a day that is named."""
        return await self.pipeline.run(self.file, now=self.now, wish=Wish(day=naming, stop=stop))

    async def tick(self, day: date) -> None:
        """Let the scheduler look at the list at eight on a day."""
        self.now = datetime.combine(day, time(8), UTC)
        await self.tick_now()

    async def tick_now(self) -> None:
        """Let the scheduler look at the list at the present moment."""
        await self.ticker.tick(now=self.now, stop=asyncio.Event())

    def read(self) -> LoadedLists:
        """Return the list as list files are read; honours `ports.Lists`."""
        return LoadedLists(right={} if self.is_gone else {self.list_.name: self.file}, wrong={})

    def load(self) -> Mapping[str, ListFile]:
        """Return the list by its name."""
        return self.read().right

    async def alarms(self) -> list[str]:
        """Return what the alarm has rung for, and whether that is over: day, list and cause."""
        return [
            f"{one.day or one.since.date()}.{one.subject}.{one.cause}{' (over)' if one.over_at else ''}"
            for one in reversed(await self.store.alarms.newest(limit=100))
        ]

    def mails(self, name: str) -> list[Mail]:
        """Return what a reader has got so far."""
        return [mail for mail in self.post.mails if mail.email == f"{name}@example.org"]

    def papers(self, name: str) -> list[int]:
        """Return all papers that a reader has got so far."""
        return [paper for mail in self.mails(name) for paper in mail.papers]

    async def reasons(self, name: str) -> list[str]:
        """Return why a reader got no mail, newest first."""
        withdrawn = await self.store.outbox.records(states=[DeliveryState.WITHDRAWN])
        return [one.reason for one in withdrawn if one.email == f"{name}@example.org"]
