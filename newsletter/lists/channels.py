"""`[channels]` of a list file: where its issues are posted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, Field, ValidationInfo

from newsletter.core.channels import Channel, service_of
from newsletter.core.webhook_signatures import read_secret

_STORED = "secret:"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_ADVICE = (
    "write the URL of a channel at Slack, Discord, Telegram, Teams, Feishu or ntfy, as docs/channels.md says, or "
    '{ url = "https://…", secret = "whsec_…" } for a program of your own'
)


class Target(NamedTuple):
    """Where a channel is: the URL, and the key that signs what is told there, or nothing."""

    url: str
    key: bytes = b""


class KnowsSecrets(Protocol):
    """What reading needs: the secrets of the settings by name."""

    @property
    def secrets(self) -> Mapping[str, str]:
        """Return them."""
        ...


class SignedChannelTable(BaseModel):
    """A channel that is a program of the operator's own; read by `_read`."""

    url: str
    secret: str


def _read(value: object, info: ValidationInfo[KnowsSecrets]) -> Target:
    """Return where a channel is. What is wrong is said without the URL, which may hold a secret."""
    secrets = info.context.secrets
    if isinstance(value, str):
        url = _resolved(value.strip(), secrets)
        if not service_of(url):
            raise ValueError(f"is no URL of a service that is known: {_ADVICE}")
        return Target(url)
    if not (isinstance(value, dict) and value.keys() == {"url", "secret"}) or not all(
        isinstance(one, str) for one in value.values()
    ):
        raise ValueError(_ADVICE)
    url, secret = (_resolved(value[name].strip(), secrets) for name in ("url", "secret"))
    if not _is_https(url):
        raise ValueError("url: write an address that begins with https://")
    try:
        return Target(url, read_secret(secret))
    except ValueError as error:
        raise ValueError(f"secret: {error}") from None


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except ValueError:
        return False


def _resolved(text: str, secrets: Mapping[str, str]) -> str:
    """Return what a text stands for: `secret:lab` for the secret of this name in the settings."""
    if not text.startswith(_STORED):
        return text
    name = text.removeprefix(_STORED).strip()
    if name not in secrets:
        known = f"; there are: {', '.join(sorted(secrets))}" if secrets else ""
        raise ValueError(f"NEWSLETTER_CHANNELS__SECRETS has no secret {name!r}: add it there{known}")
    return secrets[name]


ReadTarget = Annotated[Any, BeforeValidator(_read, json_schema_input_type=str | SignedChannelTable)]
Channels = Annotated[dict[str, ReadTarget], Field(max_length=20)]


def check_names(channels: Mapping[str, Target]) -> None:
    """Raise ValueError if a channel has a name that it cannot have."""
    for name in channels:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be a channel's name: write letters, digits, - and _, 40 at most")


def channels_of(channels: Mapping[str, Target]) -> tuple[Channel, ...]:
    """Return channels as core knows them."""
    return tuple(Channel(name, target.url, target.key) for name, target in channels.items())
