"""Which programs are told of events."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from newsletter.core.events import Endpoint, EventType
from newsletter.core.webhook_signatures import read_secret
from newsletter.settings.group import Group
from newsletter.settings.values import FROM_JSON


def _web_address(value: SecretStr) -> SecretStr:
    """Accept an http(s) address with a host; it may hold a secret anywhere behind that."""
    text = value.get_secret_value()
    try:
        parts = urlsplit(text)
        is_right = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_right = False
    if not is_right or not text.isprintable() or " " in text or "#" in text:
        raise ValueError("write an address that begins with https://, as in https://example.org/hook")
    return value


def _secret(value: SecretStr) -> SecretStr:
    read_secret(value.get_secret_value())
    return value


WebhookSecret = Annotated[SecretStr, AfterValidator(_secret)]


class EndpointSettings(Group):
    """A program that is told of events, at a web address."""

    url: Annotated[SecretStr, AfterValidator(_web_address)]
    secret: WebhookSecret
    events: tuple[EventType, ...] = Field(default=tuple(EventType), min_length=1)
    addresses: bool = False  # of readers


class WebhookSettings(Group):
    """Webhooks to other programs, as JSON. `timeout` is in seconds, for one try."""

    allow_private: bool = False
    timeout: float = Field(default=15, ge=1, le=60)
    endpoints: Annotated[tuple[EndpointSettings, ...], NoDecode, FROM_JSON] = ()

    @field_validator("endpoints")
    @classmethod
    def _encrypted(
        cls, endpoints: tuple[EndpointSettings, ...], info: ValidationInfo
    ) -> tuple[EndpointSettings, ...]:
        for number, one in enumerate(endpoints):
            if one.url.get_secret_value().startswith("http://") and not info.data.get("allow_private"):
                raise ValueError(f"[{number}] url: write an https:// address, or set allow_private as well")
        if len({one.url.get_secret_value() for one in endpoints}) < len(endpoints):
            raise ValueError("names an address twice: remove one of the two")
        return endpoints


def endpoints_of(settings: WebhookSettings) -> tuple[Endpoint, ...]:
    """Return where programs listen."""
    return tuple(
        Endpoint(
            url=one.url.get_secret_value(),
            key=read_secret(one.secret.get_secret_value()),
            events=frozenset(one.events),
            with_addresses=one.addresses,
        )
        for one in settings.endpoints
    )
