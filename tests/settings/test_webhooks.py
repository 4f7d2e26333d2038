from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from newsletter.core.errors import ConfigurationError
from newsletter.core.events import EventType
from newsletter.settings import load
from newsletter.settings.webhooks import endpoints_of

SECRET = "whsec_" + b64encode(bytes(32)).decode()
RIGHT = {"url": "https://example.org/hook?token=hidden", "secret": SECRET}


def set_to(monkeypatch: pytest.MonkeyPatch, *endpoints: dict[str, Any]) -> None:
    monkeypatch.setenv("NEWSLETTER_WEBHOOKS__ENDPOINTS", json.dumps(endpoints))


def test_an_endpoint_is_told_all_events_and_no_address_unless_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to(
        monkeypatch,
        RIGHT,
        {**RIGHT, "url": "https://example.org/b", "events": ["subscriber.left"], "addresses": True},
    )

    first, second = endpoints_of(load(None).webhooks)

    assert (first.events, first.with_addresses) == (frozenset(EventType), False)
    assert (second.events, second.with_addresses) == (frozenset({EventType.SUBSCRIBER_LEFT}), True)
    assert first.name != second.name
    assert first.name.startswith("webhook:example.org#")


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ({**RIGHT, "url": "ftp://example.org"}, r"\[0\].url: write an address that begins with https://"),
        ({**RIGHT, "url": "https://"}, "write an address that begins with https://"),
        ({**RIGHT, "url": "http://example.org/?token=hidden"}, "write an https:// address, or set allow_private"),
        ({**RIGHT, "secret": "hidden"}, r"\[0\].secret: is no secret of a webhook"),
        ({**RIGHT, "events": ["issue.opened"]}, r"\[0\].events\[0\]: write issue.closed"),
        ({**RIGHT, "events": []}, r"\[0\].events"),
        ({**RIGHT, "name": "x"}, r"\[0\].name: unknown key"),
        ({"url": RIGHT["url"]}, r"\[0\].secret: is missing"),
    ],
)
def test_mistakes_are_named_and_no_secret_is_shown(
    monkeypatch: pytest.MonkeyPatch, endpoint: dict[str, Any], said: str
) -> None:
    set_to(monkeypatch, endpoint)

    with pytest.raises(ConfigurationError, match=said) as refused:
        load(None)

    assert "hidden" not in str(refused.value)


def test_an_address_that_is_named_twice_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to(monkeypatch, RIGHT, RIGHT)

    with pytest.raises(ConfigurationError, match="names an address twice"):
        load(None)


def test_no_secret_shows_where_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to(monkeypatch, RIGHT)

    settings = load(None)

    assert "hidden" not in repr(settings) + repr(endpoints_of(settings.webhooks))
    assert SECRET not in repr(settings)
