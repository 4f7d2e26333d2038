"""The site with the operator's pages, over a real store: one list, an issue that met with all kinds of trouble."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import httpx2
from starlette.routing import Route

from newsletter.core.bounces import EventKind, FoundBy, InboundEvent
from newsletter.core.delivery import Change, DeliveryState, Planned
from newsletter.core.diff import select
from newsletter.core.listing import Entry, Listing, Sighting
from newsletter.core.newsletter_list import NewsletterList, SignUpRule
from newsletter.core.page_names import ADMIN
from newsletter.core.signup import Ceilings, SignUpMail, SignUpRequest
from newsletter.core.subscriber import Subscriber
from newsletter.lists.files import ListFiles
from newsletter.operations.overview import Overseer
from newsletter.ports import Store
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.settings.values import LOOPBACK
from newsletter.store import open_store
from newsletter.web.admin.access import Access
from newsletter.web.admin.site import AdminSite
from newsletter.web.app import PublicSite, public_app
from newsletter.web.clients import Clients, SharedQuota
from newsletter.web.server import serving
from tests.clusters import SeenCluster
from tests.store.samples import join
from tests.web.site import DAY, LINKS, MASTHEAD, NOW, RELAY, admission, list_files
from tests.web.studio import NO_TLS, TEMPLATES

TOKEN = "a token that nobody guesses"
READERS = 12
# What became of the first deliveries; the rest are queued.
FATES: tuple[tuple[DeliveryState, int | None, str], ...] = (
    (DeliveryState.SENT, 250, "2.0.0 taken"),
    (DeliveryState.SENT, 250, "2.0.0 taken"),
    (DeliveryState.DEFERRED, 451, "4.7.1 greylisted, try again"),
    (DeliveryState.DEFERRED, 452, "4.2.2 mailbox full"),
    (DeliveryState.UNCERTAIN, None, ""),
    (DeliveryState.UNCERTAIN, None, ""),
    (DeliveryState.REFUSED, 550, "5.7.1 <b>spam</b> \u202eexe"),
)


@dataclass
class Operator:
    """A served site, and a browser's way with it."""

    store: Store
    client: httpx2.AsyncClient
    folder: Path
    lists: ListFiles
    now: datetime = NOW
    collected: list[datetime] = field(default_factory=list)
    cluster: SeenCluster = field(default_factory=SeenCluster)
    paths: set[str] = field(default_factory=set)  # of the operator's pages

    async def sign_in(self, token: str = TOKEN) -> httpx2.Response:
        return await self.client.post("/-/admin/sign-in", data={"token": token})

    async def post(self, path: str, **fields: str) -> httpx2.Response:
        """Send a form of the operator's pages, and follow where it leads."""
        answer = await self.client.post(f"/-/admin/{path}", data=fields)
        if answer.status_code != HTTPStatus.SEE_OTHER:
            return answer
        return await self.client.get(answer.url.join(answer.headers["Location"]))

    async def get(self, path: str = "") -> httpx2.Response:
        return await self.client.get(f"/-/admin/{path}")

    async def counts(self) -> dict[DeliveryState, int]:
        [issue] = await self.store.issues.history("daily")
        return {state: number for state, number in issue.deliveries.items() if number}


async def fill(store: Store) -> None:
    """Put readers, an issue with troubles, sources, suppressions and reports into the store."""
    addresses = [f"reader{number}@uni{number % 3}.example" for number in range(READERS)]
    readers = [Subscriber(list="daily", email=address) for address in addresses]
    await join(store, *readers, now=NOW - timedelta(days=2))
    entry = Entry(
        listing=Listing(title="Sparse <teachers> & \u202estudents", arxiv_id="2603.00001"),
        sighting=Sighting(source="huggingface", listed_on=DAY, seen_at=NOW),
    )
    await store.library.record("huggingface", DAY, [entry], now=NOW)
    candidates = await store.library.candidates(["huggingface"], since=DAY, until=DAY)
    list_ = NewsletterList(masthead=MASTHEAD, sources=("huggingface",), signup=SignUpRule.APPROVAL)
    draft = select(candidates, list_, DAY, number=1)
    plan = Planned(due_at=NOW - timedelta(hours=1), subject="Sparse teachers")
    issue, _ = await store.issues.freeze(draft, "Sparse <teachers>", lambda _, _had: plan, now=NOW)
    async with store.outbox.worker() as worker:
        claimed = await store.outbox.claim(worker, issue_key=issue.key, now=NOW, limit=len(FATES))
        for one, (state, code, text) in zip(claimed, FATES, strict=True):
            next_at = NOW + timedelta(hours=1) if state is DeliveryState.DEFERRED else None
            begun = Change(key=one.key, state=DeliveryState.SENDING, at=NOW, attempts=1)
            ended = begun._replace(state=state, code=code, text=text, relay="relay:25", next_attempt_at=next_at)
            await store.outbox.record([begun, ended])
    await store.subscribers.suppress("gone@uni1.example", list_name=None, reason="mailbox gone", now=NOW)
    complaint, full = (
        InboundEvent(id=kind, source="mail", kind=kind, subscriber_key=1, found_by=FoundBy.HEADER, status=status)
        for kind, status in ((EventKind.COMPLAINT, ""), (EventKind.SOFT, "4.2.2"))
    )
    await store.inbound.take([full, complaint], now=NOW)
    await store.growth.count(now=NOW)


@asynccontextmanager
async def operator_site(folder: Path) -> AsyncIterator[Operator]:
    """Serve the site on loopback, to a client that has not signed in."""
    store = await open_store(f"sqlite:///{folder}/newsletter.db")
    try:
        await fill(store)
        lists = list_files(folder / "pages")
        async with httpx2.AsyncClient(trust_env=False, timeout=30, verify=NO_TLS) as client:
            operator = Operator(store, client, folder, lists)
            door = admission(store, lists, wake=lambda: None)
            renderer = TemplateRenderer(None, TEMPLATES)
            admin = AdminSite(
                access=Access(
                    token=TOKEN,
                    networks=LOOPBACK,
                    clients=Clients(LOOPBACK),
                    links=LINKS,
                    clock=lambda: operator.now,
                    tries=SharedQuota(
                        what="sign-in",
                        most=10,
                        per=timedelta(hours=1),
                        counts=store.shared_counts,
                        secret="x",
                        clock=lambda: operator.now,
                    ),
                ),
                overseer=Overseer(
                    store=store,
                    lists=lists,
                    source_names=lambda list_: list_.sources,
                    cluster=operator.cluster.reader(store.oversight),
                    relays=[RELAY],
                    quotas=(),
                ),
                signing_up=door.signing_up,
                renderer=renderer,
                clock=lambda: operator.now,
                collect=lambda: operator.collected.append(operator.now),
                examination=folder / "doctor.json",
                version="1.2.3",
            )
            site = PublicSite(
                store=store,
                lists=lists,
                source_names=lambda list_: list_.sources,
                admission=door,
                links=LINKS,
                renderer=renderer,
                clock=lambda: operator.now,
                wake=lambda: None,
                healthy=lambda: store.issues.outline("any"),
                admin=admin,
            )
            app = public_app(site)
            paths = (route.path for route in app.routes if isinstance(route, Route))
            operator.paths = {path for path in paths if path.startswith(f"/{ADMIN}")}
            async with serving(app, "127.0.0.1", 0) as url:
                client.base_url = httpx2.URL(url)
                yield operator
    finally:
        await store.close()


async def ask_to_join(operator: Operator, email: str) -> int:
    """Let somebody sign up and confirm it, on a list that asks the operator; return the number of the sign-up."""
    file = operator.folder / "subscribers" / "daily.toml"
    file.write_text(file.read_text().replace('signup = "open"', 'signup = "approval"'))
    signups, now = operator.store.signups, operator.now
    await signups.ask("daily", SignUpRequest(email=email, name="<New>"), client="", now=now)
    [asked] = await signups.next_mails(Ceilings(), most=1, now=now)
    await signups.mail_sent(asked.key, SignUpMail.CONFIRM, now=now)
    assert await signups.confirm(asked.key, wants_latest=False, needs_approval=True, now=now)
    return asked.key
