"""Letters to readers who move or left by mail, over a real relay; each is sent once."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from newsletter.core.bounces import BY_MAIL, EventKind, FoundBy, InboundEvent, Outcome
from newsletter.core.subscriber import Subscriber
from newsletter.core.tokens import Links
from newsletter.delivery.mailer import RelayMailer
from newsletter.lists.files import ListFiles
from newsletter.ports import Store
from newsletter.readers.letters import TemplateLetters
from newsletter.readers.reader_letters import ReaderLetters
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.sources import registry
from newsletter.store import open_store
from tests.delivery.services import relay_to
from tests.render.conftest import TEMPLATES
from tests.smtp_server import SmtpServer
from tests.store.samples import join, key_of

NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)
LINKS = Links("https://papers.example.org", "not a secret, being in a test")
OLD, NEW = "ada@example.org", "ada@lab.example"
LIST_FILE = 'title = "Daily"\nsender = "Papers <papers@example.org>"\nsources = ["huggingface"]\n'


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    store = await open_store("sqlite://")
    await join(store, Subscriber(list="daily", email=OLD, name="Ada"), now=NOW)
    yield store
    await store.close()


def letters(store: Store, folder: Path, server: SmtpServer) -> ReaderLetters:
    (folder / "daily.toml").write_text(LIST_FILE)
    return ReaderLetters(
        changes=store.address_changes,
        leavings=store.leavings,
        lists=ListFiles(folder, check_source=registry.check),
        letters=TemplateLetters(TemplateRenderer(None, TEMPLATES), RelayMailer([relay_to(server)]), None),
        links=LINKS,
        clock=lambda: NOW,
    )


def received(server: SmtpServer) -> list[EmailMessage]:
    return [message_from_bytes(one.content, policy=default) for one in server.received]


def text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


async def test_the_new_address_is_asked_and_the_former_told_once_each(store: Store, tmp_path: Path) -> None:
    async with SmtpServer() as server:
        mover = letters(store, tmp_path, server)
        assert await mover.send()
        assert server.received == []
        await store.address_changes.ask(await key_of(store, "daily", OLD), NEW, now=NOW)
        for _ in range(2):
            assert await mover.send()
        [asked] = received(server)
        assert asked["To"] == f"Ada <{NEW}>"
        assert OLD not in str(asked)
        assert "3 days" in text(asked)
        link = re.search(r"https://\S+/-/new-address/(\S+)", text(asked))
        assert link is not None
        number = LINKS.read_new_address(link[1], now=NOW + timedelta(days=3, seconds=-1))
        assert number is not None
        assert LINKS.read_new_address(link[1], now=NOW + timedelta(days=3)) is None
        assert await store.address_changes.move(number, now=NOW)
        for _ in range(2):
            assert await mover.send()
        [_, told] = received(server)
        assert told["To"] == f"Ada <{OLD}>"
        assert NEW not in str(told)
        assert "a•••@lab.example" in text(told)


async def test_what_the_relay_does_not_take_is_sent_again_as_the_same_mail(store: Store, tmp_path: Path) -> None:
    await store.address_changes.ask(await key_of(store, "daily", OLD), NEW, now=NOW)
    async with SmtpServer() as server:
        server.answer("RCPT", "451 4.3.0 later")
        mover = letters(store, tmp_path, server)
        assert not await mover.send()
        server.works_again()
        assert await mover.send()
        assert len(server.received) == 1


async def test_a_list_whose_file_is_wrong_writes_when_it_is_right_again(store: Store, tmp_path: Path) -> None:
    await store.address_changes.ask(await key_of(store, "daily", OLD), NEW, now=NOW)
    async with SmtpServer() as server:
        mover = letters(store, tmp_path, server)
        (tmp_path / "daily.toml").write_text("title = 3")
        assert not await mover.send()
        (tmp_path / "daily.toml").write_text(LIST_FILE)
        assert await mover.send()
        assert len(server.received) == 1


async def test_who_left_by_mail_is_told_once_and_who_left_otherwise_is_not(store: Store, tmp_path: Path) -> None:
    key = await key_of(store, "daily", OLD)
    by_mail = InboundEvent(
        id="mail:1", source=BY_MAIL, kind=EventKind.UNSUBSCRIBE, found_by=FoundBy.TOKEN, subscriber_key=key
    )
    await join(store, Subscriber(list="daily", email="other@example.org"), now=NOW)
    other = await key_of(store, "daily", "other@example.org")
    by_hook = replace(by_mail, id="hook:1", source="postmark", subscriber_key=other)
    taken = await store.inbound.take([by_mail, by_hook], now=NOW)
    assert [one.outcome for one in taken] == [Outcome.LEFT, Outcome.LEFT]
    async with SmtpServer() as server:
        mover = letters(store, tmp_path, server)
        for _ in range(2):
            assert await mover.send()
        [told] = received(server)
    assert told["To"] == f"Ada <{OLD}>"
    assert told["Subject"] == "You are off the list Daily"
    assert "/-/signup/" not in text(told)  # the list takes no sign-ups
    assert told["List-Unsubscribe"] is None
