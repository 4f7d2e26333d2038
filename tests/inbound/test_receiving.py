"""What is made of the settings: mailboxes, services, and what fetches certificates."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from newsletter.core.errors import ConfigurationError
from newsletter.parts.receiving import Receiving, as_text
from newsletter.settings.inbound import InboundSettings
from newsletter.sources.http.client import HttpClient, HttpConfig
from newsletter.store import open_store
from tests.inbound.corpus import LINKS
from tests.inbound.hooks import NOW, TOPIC, certificate


async def receiving(**settings: object) -> Receiving:
    """Return what reads by these settings."""
    store = await open_store("sqlite://")
    await store.close()
    client = HttpClient(HttpConfig(user_agent="test", timeout=5, retries=0))
    return Receiving(InboundSettings(**settings), store, LINKS, lambda: client, lambda: NOW)


async def test_what_is_set_up_is_there_and_nothing_else(tmp_path: Path) -> None:
    nothing = await receiving()
    assert (nothing.mailboxes(), list(nothing.hooks.services)) == ([], [])
    login = {"imap_host": "imap.example.org", "imap_username": "me", "imap_password": "opensesame"}
    some = await receiving(
        maildir=tmp_path,
        **login,
        webhook_ses_topics=(TOPIC,),
        webhook_mailgun_key="key",
        webhook_brevo_token="x" * 8 + "y" * 8,
    )
    assert [one.name for one in some.mailboxes()] == [f"Maildir {tmp_path}", "IMAP imap.example.org:993"]
    assert list(some.hooks.services) == ["mailgun", "brevo", "ses"]


async def test_a_secret_that_is_none_is_named_as_a_setting() -> None:
    made = await receiving(webhook_resend_secret="whsec_!")
    with pytest.raises(ConfigurationError, match="NEWSLETTER_INBOUND__WEBHOOK_RESEND_SECRET"):
        _ = made.hooks


async def test_a_certificate_is_fetched_by_the_client_that_reads_sources(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/x.pem").respond_with_data(certificate())
    client = HttpClient(HttpConfig(user_agent="test", timeout=30, retries=0))
    try:
        assert await client.get(httpserver.url_for("/x.pem"), as_text, source="sns") == certificate()
    finally:
        await client.aclose()
