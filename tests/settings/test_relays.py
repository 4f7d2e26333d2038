"""Logins with tokens, relays over HTTPS, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from newsletter.settings.inbound import InboundSettings
from newsletter.settings.reach import relays_are_local
from newsletter.settings.relays import SmtpSettings
from tests.settings.test_groups import having, mistake

GOOGLE = {"oauth_provider": "google", "oauth_client_id": "id", "oauth_client_secret": "s", "username": "me@x.org"}


def in_smtp(values: dict[str, str]) -> dict[str, str]:
    return {f"SMTP__{name.upper()}": value for name, value in values.items()}


def test_a_provider_knows_where_its_tokens_are() -> None:
    smtp = SmtpSettings(**GOOGLE, oauth_refresh_token="r")
    assert smtp.tokens is not None
    client = smtp.tokens.client("NEWSLETTER_SMTP__OAUTH_", "send")
    assert (client.url, client.refresh_token, client.scope) == ("https://oauth2.googleapis.com/token", "r", "")

    own = {**GOOGLE, "oauth_provider": "Microsoft", "oauth_tenant": "x.onmicrosoft.com"}
    smtp = SmtpSettings(**own)
    assert smtp.tokens is not None
    client = smtp.tokens.client("", "send")
    assert client.url == "https://login.microsoftonline.com/x.onmicrosoft.com/oauth2/v2.0/token"
    assert client.scope == "https://outlook.office365.com/.default"

    fields: dict[str, Any] = {f"imap_{name}": value for name, value in own.items()}
    box = InboundSettings(**fields, imap_host="outlook.office365.com", imap_oauth_refresh_token="r")
    assert box.tokens is not None
    assert box.tokens.client("", "https://x/IMAP").scope == "https://x/IMAP offline_access"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"oauth_client_id": "id"}, "OAUTH_SCOPE: set oauth_provider or oauth_token_url as well"),
        (GOOGLE, "OAUTH_SCOPE: Google has no client credentials for mail: set oauth_refresh_token"),
        ({**GOOGLE, "oauth_provider": "microsoft"}, "client credentials belong to one tenant: set oauth_tenant"),
        ({**GOOGLE, "oauth_token_url": "https://x.org/t"}, "set oauth_provider or oauth_token_url, not both"),
        ({**GOOGLE, "oauth_provider": "yahoo"}, "OAUTH_PROVIDER: write"),
        ({"oauth_token_url": "http://x.org/t"}, "OAUTH_TOKEN_URL: would send secrets in the clear"),
        ({**GOOGLE, "oauth_refresh_token": "r", "password": "p"}, "has a username and no password"),
        ({"kind": "ses"}, "HOST: set the region of Amazon SES"),
        ({"kind": "ses", "region": "eu-west-1"}, "PASSWORD: set username to the id of an access key"),
        ({"kind": "mailgun", "region": "mars"}, "HOST: of Mailgun: write us or eu"),
        ({"kind": "mailgun", "host": "smtp.mailgun.org"}, "HOST: remove it: for mailgun, set region"),
        ({"region": "eu-west-1"}, "HOST: has no region"),
        ({"endpoint": "https://x.org"}, "ENDPOINT: belongs to relays over HTTPS"),
        ({"relays": '[{"security": "tls"}]'}, "RELAYS[0].host: is missing: add it"),
    ],
)
def test_a_wrong_relay_is_named(monkeypatch: pytest.MonkeyPatch, values: dict[str, str], says: str) -> None:
    assert sum(says in line for line in mistake(monkeypatch, **in_smtp(values)).splitlines()) == 1


def test_a_relay_over_https_is_no_relay_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    login = {"username": "mg.example.org", "password": "key"}
    smtp = having(monkeypatch, **in_smtp({"kind": "mailgun", "region": "eu", **login})).smtp
    assert (smtp.host, smtp.port) == ("api.eu.mailgun.net", 443)
    assert not relays_are_local(smtp)
