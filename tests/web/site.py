"""The public site over a real store and the real templates: one list, one issue, one reader."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import httpx2

from newsletter.core.delivery import Planned
from newsletter.core.diff import select
from newsletter.core.listing import Entry, Listing, Sighting
from newsletter.core.newsletter_list import Masthead, NewsletterList, SignUpRule
from newsletter.core.subscriber import Subscriber, SubscriberStatus
from newsletter.core.tokens import Links
from newsletter.lists.addresses import normal_address
from newsletter.lists.files import ListFiles
from newsletter.operations.measuring import Measurer
from newsletter.operations.readiness import readiness
from newsletter.ports import Clock, Lists, Store
from newsletter.readers.signup import SigningUp
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.sources import registry
from newsletter.store import open_store
from newsletter.web.admission import Admission
from newsletter.web.app import PublicSite, public_app
from newsletter.web.clients import Clients, Quota
from newsletter.web.monitoring import Monitoring
from newsletter.web.puzzles import Puzzles
from newsletter.web.server import serving
from tests.clusters import SeenCluster
from tests.store.samples import join, key_of, of_list, suppressed
from tests.web.studio import NO_TLS, TEMPLATES

NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)
DAY = NOW.date()
RELAY = "relay.example:587"
READER = Subscriber(list="daily", email="o'reader@example.org", name="Reader")
LINKS = Links("https://papers.example.org", "not a secret, being in a test")
LIST_FILE = """
title = "Papers & <More>"
sender = "Papers <papers@example.org>"
sources = ["huggingface"]
timezone = "Europe/London"
days = ["mon", "tue", "wed", "thu", "fri"]
signup = "open"

[topics.agents]
keywords = ["agent", "tool use"]

[topics.vision]
categories = ["cs.CV"]
"""
MASTHEAD = Masthead(list="daily", title="Papers & <More>", sender="Papers <papers@example.org>")


@dataclass
class Site:
    """A served site with its store, and a client that looks at it."""

    store: Store
    client: httpx2.AsyncClient
    reader_key: int
    lists: ListFiles
    admission: Admission
    now: datetime = NOW
    woken: int = 0  # how often a letter was to be sent
    cluster: SeenCluster = field(default_factory=SeenCluster)
    trouble: Exception | None = None  # what the renderer of issues and the health check raise

    @property
    def path(self) -> str:
        """Return the reader's unsubscribe path."""
        return unsubscribe_path(self.reader_key)

    def wake(self) -> None:
        self.woken += 1

    async def reader(self) -> Subscriber:
        """Return the reader as they are now."""
        found = await self.store.subscribers.by_key(self.reader_key)
        assert found is not None
        return found

    async def healthy(self) -> None:
        if self.trouble:
            raise self.trouble

    async def has_left(self) -> bool:
        (reader,) = await of_list(self.store, "daily")
        is_suppressed = await suppressed(self.store, "daily") == {READER.address_key}
        assert is_suppressed is (reader.status is SubscriberStatus.UNSUBSCRIBED)
        return is_suppressed


class TroubledRenderer(TemplateRenderer):
    """The real renderer, which raises the site's trouble for issues."""

    def __init__(self, site: Site) -> None:
        super().__init__(None, TEMPLATES)
        self._site = site

    def fingerprint(self, *, now: bool = False) -> str:
        if self._site.trouble:
            raise self._site.trouble
        return super().fingerprint(now=now)


def list_files(folder: Path) -> ListFiles:
    """Return the list files of a site whose pages are kept in a folder."""
    subscribers = folder.with_name("subscribers")
    subscribers.mkdir(exist_ok=True)
    (subscribers / "daily.toml").write_text(LIST_FILE, encoding="utf-8")
    return ListFiles(subscribers, check_source=registry.check)


def unsubscribe_path(key: int) -> str:
    return LINKS.unsubscribe(key).removeprefix(LINKS.public_url)


async def fill(store: Store) -> int:
    """Put the reader, a listing and an issue into the store; return the reader's key."""
    await join(store, READER, now=NOW)
    entry = Entry(
        listing=Listing(title="Sparse teachers", arxiv_id="2603.00001"),
        sighting=Sighting(source="huggingface", listed_on=DAY, seen_at=NOW),
    )
    await store.library.record("huggingface", DAY, [entry], now=NOW)
    candidates = await store.library.candidates(["huggingface"], since=DAY, until=DAY)
    list_ = NewsletterList(masthead=MASTHEAD, sources=("huggingface",), signup=SignUpRule.OPEN)
    draft = select(candidates, list_, DAY, number=1)
    await store.issues.freeze(draft, "Sparse teachers", lambda _, _had: Planned(due_at=NOW), now=NOW)
    return await key_of(store, "daily", READER.email)


def admission(
    store: Store,
    lists: Lists,
    *,
    wake: Callable[[], None],
    links: Links = LINKS,
    clock: Clock = lambda: NOW,
    per_client: int = 10,
    puzzles: Puzzles | None = None,
) -> Admission:
    """Let requests to sign up in that come by a proxy on this machine."""
    signing_up = SigningUp(
        signups=store.signups,
        subscribers=store.subscribers,
        lists=lists,
        links=links,
        check_address=normal_address,
        wake=wake,
    )
    clients = Clients([ip_network("127.0.0.0/8")])
    return Admission(signing_up=signing_up, clients=clients, quota=Quota(per_client), puzzles=puzzles, clock=clock)


def monitoring(site: Site) -> Monitoring:
    """Answer monitoring as `newsletter.composition.watching` lets it, with one relay."""
    measurer = Measurer(
        store=site.store,
        lists=site.lists,
        source_names=lambda list_: list_.sources,
        relays=[RELAY],
        cluster=site.cluster.reader(site.store.oversight),
    )
    return Monitoring(
        readiness=lambda: readiness(site.store, [RELAY], measurer.cluster, now=site.now),
        measure=lambda: measurer.figures(site.now),
        version="1.2.3",
        networks=[ip_network("127.0.0.0/8")],
        clients=site.admission.clients,
    )


@asynccontextmanager
async def served_site(folder: Path) -> AsyncIterator[Site]:
    """Serve the public app on loopback; pages are kept in a folder."""
    store = await open_store("sqlite://")
    try:
        async with httpx2.AsyncClient(trust_env=False, timeout=30, verify=NO_TLS) as client:
            lists = list_files(folder)
            door = admission(store, lists, wake=lambda: None)
            site = Site(store, client, await fill(store), lists, door)
            app = public_app(
                PublicSite(
                    store=store,
                    lists=site.lists,
                    source_names=lambda list_: list_.sources,
                    admission=site.admission,
                    links=LINKS,
                    renderer=TroubledRenderer(site),
                    clock=lambda: site.now,
                    wake=site.wake,
                    healthy=site.healthy,
                    monitoring=monitoring(site),
                )
            )
            async with serving(app, "127.0.0.1", 0) as url:
                client.base_url = httpx2.URL(url)
                yield site
    finally:
        await store.close()
