"""A site with everything on it: a list with three days of papers, its weekly issue, readers and some troubles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from newsletter.core.bounces import EventKind, FoundBy, InboundEvent
from newsletter.core.delivery import Change, DeliveryState, Planned
from newsletter.core.diagnosis import fail, ok, warn
from newsletter.core.diff import select
from newsletter.core.issue import Issue
from newsletter.core.listing import Entry
from newsletter.core.newsletter_list import NewsletterList
from newsletter.core.subscriber import Subscriber
from newsletter.core.tokens import Links
from newsletter.lists.files import ListFiles
from newsletter.operations.doctor.kept import Examination, content_of
from newsletter.operations.overview import Overseer
from newsletter.ports import Store
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.settings.values import LOOPBACK
from newsletter.sources import registry
from newsletter.sources.parts import NO_SERVICES, NoHttp
from newsletter.store import open_store
from newsletter.web.admin.access import Access
from newsletter.web.admin.site import AdminSite
from newsletter.web.app import PublicSite, public_app
from newsletter.web.clients import Clients, Quota
from newsletter.web.server import serving
from newsletter.web.studio import sample
from tests.clusters import SeenCluster, queue, worker
from tests.store.samples import join
from tests.web.site import admission
from tests.web.studio import TEMPLATES

LIST = "daily"
SOURCE = "huggingface"
TOKEN = "a token that nobody guesses"
LINKS = Links("https://papers.example.org", "not a secret, being in a test")
LIST_FILE = """
title = "Daily Papers"
sender = "Daily Papers <papers@example.org>"
postal_address = "Example Institute, 1 Example Street, Example Town"
sources = ["huggingface"]
days = ["mon", "tue", "wed", "thu", "fri"]
hour = "08:00"
timezone = "UTC"
signup = "open"
weekly_day = "fri"

[topics.agents]
keywords = ["agent", "tool use", "coding"]

[topics.vision]
keywords = ["video", "image"]

[topics.speech]
keywords = ["speech", "audio"]
"""
READERS = 240
A_DAY = timedelta(days=1)
FIRST = sample.DAY - 2 * A_DAY  # a Wednesday
NOW = datetime.combine(sample.DAY, time(16, 10), UTC)
# Of the newest issue: how many deliveries ended how, with what the relay said.
FATES = (
    (180, DeliveryState.SENT, 250, "2.0.0 taken"),
    (3, DeliveryState.DEFERRED, 451, "4.7.1 greylisted, try again"),
    (1, DeliveryState.UNCERTAIN, None, ""),
    (2, DeliveryState.REFUSED, 550, "5.1.1 no such mailbox"),
)


@dataclass(frozen=True)
class SampleSite:
    """Where the site is served, and the addresses of its public pages, without the first slash."""

    url: str
    addresses: tuple[str, ...]


@asynccontextmanager
async def sample_site(folder: Path) -> AsyncIterator[SampleSite]:
    """Serve the site on loopback for as long as the context lasts, from a folder that is empty."""
    files = folder / "subscribers"
    files.mkdir()
    (files / f"{LIST}.toml").write_text(LIST_FILE, encoding="utf-8")
    lists = ListFiles(files, check_source=registry.check)
    store = await open_store(f"sqlite:///{folder}/newsletter.db")
    try:
        await _fill(store, lists.load()[LIST].list)
        site = _site(store, lists, folder)
        async with serving(public_app(site), "127.0.0.1", 0) as url:
            yield SampleSite(url, tuple(_addresses()))
    finally:
        await store.close()


def _addresses() -> list[str]:
    """Return what a visitor may ask for."""
    day = sample.DAY.isoformat()
    of_list = ("", f"{day}/", f"{sample.DAY - A_DAY}/", "archive/", "topics/", "topics/agents/")
    return ["", *(f"{LIST}/{one}" for one in of_list), "-/api/"]


async def _fill(store: Store, list_: NewsletterList) -> None:
    """Put papers of three days, an issue of each, a weekly one, readers and troubles into the store."""
    await join(store, *(_reader(number) for number in range(READERS)), now=NOW - 60 * A_DAY)
    entries = await _entries()
    third = len(entries) // 3
    pages = (entries[:third], entries[third : 2 * third], entries[: 3 * third])
    for place, listed in enumerate(pages):
        at = datetime.combine(FIRST + place * A_DAY, time(6), UTC)
        is_last = listed is pages[-1]
        await _record(store, listed, at=at, part=0.8 if is_last else 0.3)
        issue = await _closed(store, list_, at)
        await _deliver(store, issue, at, is_last=is_last)
        for hours, more in ((3, 0.1), (8, 0.2)):
            await _record(store, listed, at=at + timedelta(hours=hours), part=(0.8 if is_last else 0.3) + more)
    for back in range(30, 0, -1):
        await store.growth.count(now=NOW - back * A_DAY)
    assert list_.weekly_edition is not None
    await _closed(store, list_.weekly_edition, NOW)
    await _record(store, entries, at=NOW, part=1.0)  # what came after the mail stands there as new
    await _report(store)


async def _entries() -> tuple[Entry, ...]:
    source = registry.build(sample.SPEC, folder=sample.FOLDER, config=NO_SERVICES, http=NoHttp())
    page = await source.read(sample.DAY, now=NOW)
    return tuple(page.entries)


async def _record(store: Store, entries: tuple[Entry, ...], *, at: datetime, part: float) -> None:
    """Let the source show papers at a moment, with a part of the votes that they get in the end."""
    shown = [
        replace(
            one,
            sighting=replace(
                one.sighting,
                source=SOURCE,
                listed_on=at.date(),
                seen_at=at,
                upvotes=int((one.sighting.upvotes or 0) * part),
            ),
        )
        for one in entries
    ]
    await store.library.record(SOURCE, at.date(), shown, now=at)


async def _closed(store: Store, edition: NewsletterList, now: datetime) -> Issue:
    """Close an edition's issue of a day, with what is listed by then and was in none before."""
    candidates = await store.library.candidates(edition.sources, since=now.date() - 6 * A_DAY, until=now.date())
    had = await store.issues.competed(edition.name, [one.key for one in candidates])
    number = await store.issues.last_number(edition.name) + 1
    draft = select([one for one in candidates if one.key not in had], edition, now.date(), number=number)
    subject = draft.listings[0].listing.title
    plan = Planned(due_at=now, subject=subject)
    issue, _ = await store.issues.freeze(draft, subject, lambda _, _had: plan, now=now)
    return issue


async def _deliver(store: Store, issue: Issue, now: datetime, *, is_last: bool) -> None:
    """Record what became of an issue: all went out, or it is just going out and met with some trouble."""
    fates = FATES if is_last else ((READERS, DeliveryState.SENT, 250, "2.0.0 taken"),)
    async with store.outbox.worker() as worker:
        for count, state, code, text in fates:
            claimed = await store.outbox.claim(worker, issue_key=issue.key, now=now, limit=count)
            again = now + timedelta(minutes=75) if state is DeliveryState.DEFERRED else None
            for one in claimed:
                begun = Change(key=one.key, state=DeliveryState.SENDING, at=now, attempts=1)
                ended = begun._replace(
                    state=state, code=code, text=text, relay="smtp.example.org:587", next_attempt_at=again
                )
                await store.outbox.record([begun, ended])


async def _report(store: Store) -> None:
    """Let something come back."""
    await store.subscribers.suppress("gone@uni.example", list_name=None, reason="mailbox gone", now=NOW)
    kinds = ((EventKind.HARD, "5.1.1"), (EventKind.SOFT, "4.2.2"), (EventKind.COMPLAINT, ""))
    events = [
        InboundEvent(id=kind, source="mail", kind=kind, subscriber_key=1, found_by=FoundBy.HEADER, status=status)
        for kind, status in kinds
    ]
    await store.inbound.take(events, now=NOW)
    await store.growth.count(now=NOW)


def _reader(number: int) -> Subscriber:
    return Subscriber(list=LIST, email=f"reader{number}@{'uni' if number % 3 else 'lab'}.example")


def _examination(file: Path) -> Path:
    """Write what `newsletter doctor` found, and return the file."""
    found = (
        ok("relay", "smtp.example.org:587: certificate for smtp.example.org, 61 days left, login taken"),
        ok("dkim", "one._domainkey.example.org: the key is ours"),
        warn("disk", "var: 410 MB are free", "make room before the disk is full"),
        fail("spf", "example.org: its SPF record does not include _spf.google.com", "add include:_spf.google.com"),
    )
    file.write_bytes(content_of(Examination(NOW - timedelta(hours=3), found)))
    return file


def _cluster() -> SeenCluster:
    """Return two workers, and what waits for them."""
    workers = [
        worker("mail-1", NOW - timedelta(hours=30), queues=("mails", "issues"), busy=4),
        worker("mail-2", NOW - timedelta(hours=2), queues=("mails", "issues"), busy=3),
    ]
    seen = [replace(one, seen_at=NOW - timedelta(seconds=3), version="1.4.0") for one in workers]
    queues = [queue("issues", NOW - timedelta(seconds=40), due=12, later=30, doing=7)]
    return SeenCluster(seen, queues)


def _site(store: Store, lists: ListFiles, folder: Path) -> PublicSite:
    door = admission(store, lists, wake=lambda: None, links=LINKS, clock=lambda: NOW)
    renderer = TemplateRenderer(None, TEMPLATES)
    admin = AdminSite(
        access=Access(
            token=TOKEN,
            networks=LOOPBACK,
            clients=Clients(LOOPBACK),
            links=LINKS,
            clock=lambda: NOW,
            tries=Quota(10),
        ),
        overseer=Overseer(
            store=store,
            lists=lists,
            source_names=lambda list_: list_.sources,
            cluster=_cluster().reader(store.oversight),
            relays=["smtp.example.org:587"],
            quotas=(),
        ),
        signing_up=door.signing_up,
        renderer=renderer,
        clock=lambda: NOW,
        collect=lambda: None,
        examination=_examination(folder / "doctor.json"),
        version="1.4.0",
    )
    return PublicSite(
        store=store,
        lists=lists,
        source_names=lambda list_: list_.sources,
        admission=door,
        links=LINKS,
        renderer=renderer,
        clock=lambda: NOW,
        wake=lambda: None,
        healthy=lambda: store.issues.outline("any"),
        admin=admin,
    )
