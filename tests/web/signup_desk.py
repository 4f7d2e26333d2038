"""The public site with a list that takes sign-ups, over a real store; a real SMTP server gets its letters."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from pathlib import Path

import httpx2
from starlette.applications import Starlette
from starlette.types import Message

from newsletter.core.newsletter_list import NewsletterList
from newsletter.core.signup import Ceilings
from newsletter.delivery.mailer import RelayMailer
from newsletter.lists.files import ListFiles
from newsletter.pipeline.newest import give_newest
from newsletter.ports import Renderer, Store
from newsletter.readers.letters import TemplateLetters
from newsletter.readers.signup_mails import SignUpMails
from newsletter.render.issue.issue_renderer import MailRenderer
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.sources import registry
from newsletter.store import open_store
from newsletter.web.app import PublicSite, public_app
from newsletter.web.puzzles import Puzzles
from tests.delivery.services import relay_to
from tests.smtp_server import SmtpServer
from tests.web.site import LINKS, NOW, admission, fill
from tests.web.studio import TEMPLATES

SIGN_UP = "/-/signup/daily"
API = "/-/api/signup"

_FILE = """
title = "Daily Papers"
sender = "Daily Papers <papers@example.org>"
reply_to = "people@example.org"
sources = ["huggingface"]
timezone = "Europe/London"
days = ["mon", "tue", "wed", "thu", "fri"]
signup = "{signup}"

[topics.agents]
keywords = ["agent", "tool use"]

[topics.vision]
keywords = ["image"]
"""


@dataclass(kw_only=True)
class Desk:
    """What visitors see of a list, and the mails that come of it."""

    store: Store
    app: Starlette
    client: httpx2.AsyncClient
    server: SmtpServer
    lists: Path
    mails: SignUpMails
    now: datetime = NOW
    woken: int = field(default=0)
    read: int = field(default=0)  # how many mails were looked at

    def rule(self, signup: str) -> None:
        """Let the list's file say who may sign up."""
        self.lists.mkdir(exist_ok=True)
        (self.lists / "daily.toml").write_text(_FILE.format(signup=signup))

    def wake(self) -> None:
        """Count that a mail is to be sent."""
        self.woken += 1

    async def later(self, **span: float) -> list[EmailMessage]:
        """Let time pass, and return the mails that are sent then."""
        self.now += timedelta(**span)
        return await self.sent()

    async def sent(self) -> list[EmailMessage]:
        """Send what is to be sent, and return the mails."""
        await self.mails.send()
        new = self.server.received[self.read :]
        self.read += len(new)
        return [message_from_bytes(one.content, policy=default) for one in new]

    async def ask(self, email: str = "ada@example.org", *, network: str = "", **fields: str) -> httpx2.Response:
        """Send the form, from a network of the Internet if one is named."""
        headers = {"X-Forwarded-For": network} if network else {}
        return await self.client.post(SIGN_UP, data={"email": email, **fields}, headers=headers)

    async def ask_as_program(self, email: str, network: str) -> int:
        """Send JSON without a client in between, which would take most of the time; return the answer's status."""
        body = json.dumps({"list": "daily", "email": email}).encode()
        head = {"host": "papers.example.org", "content-type": "application/json", "x-forwarded-for": network}
        scope = {
            "type": "http",
            "method": "POST",
            "path": API,
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in head.items()],
            "client": ("127.0.0.1", 1),
        }
        answered: list[int] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.append(message["status"])

        await self.app(scope, receive, send)
        return answered[0]

    async def confirm(self, email: str = "ada@example.org", **fields: str) -> httpx2.Response:
        """Sign up, open the mail and press the button."""
        await self.ask(email)
        [mail] = await self.sent()
        return await self.client.post(link(mail), data=fields)


def link(mail: EmailMessage) -> str:
    """Return the path of the only link to our pages in the text of a mail."""
    body = mail.get_body(("plain",))
    assert body is not None
    [url] = re.findall(rf"{LINKS.public_url}/-/(?:confirm|decide)/\S+", body.get_content())
    return str(url).removeprefix(LINKS.public_url)


@asynccontextmanager
async def open_desk(
    folder: Path,
    *,
    ceilings: Ceilings | None = None,
    tells_operator: bool = False,
    per_client: int = 10,
    altcha: bool = False,
) -> AsyncIterator[Desk]:
    """Serve the app without a socket; its ledger and its list file are in a folder."""
    store = await open_store(f"sqlite:///{folder}/newsletter.db")
    templates = TemplateRenderer(None, TEMPLATES)
    lists = ListFiles(folder / "subscribers", check_source=registry.check)
    renderer: Renderer = MailRenderer(templates, LINKS)
    desk: Desk

    async def give_latest(list_: NewsletterList, key: int) -> None:
        await give_newest(store, renderer, list_, key, now=desk.now)

    async with SmtpServer() as server:
        mails = SignUpMails(
            signups=store.signups,
            subscribers=store.subscribers,
            lists=lists,
            letters=TemplateLetters(templates, RelayMailer([relay_to(server)]), None),
            links=LINKS,
            ceilings=ceilings or Ceilings(),
            tells_operator=tells_operator,
            give_latest=give_latest,
            clock=lambda: desk.now,
        )
        app = public_app(
            PublicSite(
                store=store,
                lists=lists,
                source_names=lambda list_: list_.sources,
                admission=admission(
                    store,
                    lists,
                    wake=lambda: desk.wake(),  # noqa: PLW0108 (there is no desk yet)
                    clock=lambda: desk.now,
                    per_client=per_client,
                    puzzles=Puzzles(secret="x", counts=store.shared_counts, clock=lambda: desk.now)
                    if altcha
                    else None,
                ),
                links=LINKS,
                renderer=templates,
                clock=lambda: desk.now,
                wake=lambda: None,
                healthy=partial(store.issues.outline, "any"),
            )
        )
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://papers.example.org") as client:
            desk = Desk(
                store=store, app=app, client=client, server=server, lists=folder / "subscribers", mails=mails
            )
            desk.rule("open")
            await fill(store)
            yield desk
    await store.close()
