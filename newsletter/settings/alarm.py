"""Who is told of trouble, and from when on something is trouble."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from newsletter.core.alarms import MAIL, WEBHOOK
from newsletter.core.webhook_signatures import read_secret
from newsletter.settings.group import Group
from newsletter.settings.values import Duration, MailAddress

_NOTHING = SecretStr("")
_WEB = ("http://", "https://")


def _address(value: SecretStr) -> SecretStr:
    """Accept an http(s) address, or a URL of apprise; or nothing."""
    text = value.get_secret_value()
    if not text:
        return value
    try:
        parts = urlsplit(text)
        is_right = bool(parts.scheme) and "://" in text and text.isprintable() and " " not in text
        is_right = is_right and (bool(parts.hostname) or not text.startswith(_WEB))
    except ValueError:
        is_right = False
    if not is_right:
        raise ValueError(
            "write an address such as https://example.org/hook, or a URL of apprise such as ntfy://topic"
        )
    return value


def _web_address(value: SecretStr) -> SecretStr:
    """Accept an http(s) address, or nothing."""
    if value.get_secret_value() and not value.get_secret_value().startswith(_WEB):
        raise ValueError("write an address that begins with https:// or http://")
    return _address(value)


def _secret(value: SecretStr) -> SecretStr:
    if value.get_secret_value():
        read_secret(value.get_secret_value())
    return value


class AlarmSettings(Group):
    """Who is told of trouble; nobody if empty. `heartbeat` is an address that is asked for after each good run.

    Addresses are secret: whoever knows one may write there. `bounces` and `complaints` are in percent of a list's
    mail of the last week, and count from so many on (`bounces_least`, `complaints_least`); 0 per cent: never.
    `relay_after` is for how long a relay may be in trouble, `no_worker_after` for how long jobs may be due that no
    living worker takes.
    """

    to: MailAddress = ""
    webhook: Annotated[SecretStr, AfterValidator(_address)] = _NOTHING
    webhook_secret: Annotated[SecretStr, AfterValidator(_secret)] = _NOTHING
    heartbeat: Annotated[SecretStr, AfterValidator(_web_address)] = _NOTHING
    bounces: float = Field(default=5, ge=0, le=100)
    bounces_least: int = Field(default=10, ge=1)
    complaints: float = Field(default=0.1, ge=0, le=100)
    complaints_least: int = Field(default=3, ge=1)
    relay_after: Duration = timedelta(minutes=30)
    no_worker_after: Duration = timedelta(minutes=5)

    @property
    def posts_to_web(self) -> bool:
        """Return whether the webhook is a web address; else it is a URL of apprise, or nothing."""
        return self.webhook.get_secret_value().startswith(_WEB)

    @property
    def receivers(self) -> tuple[str, ...]:
        """Return who is told, by the names in the ledger."""
        told = {MAIL: self.to, WEBHOOK: self.webhook.get_secret_value()}
        return tuple(name for name, where in told.items() if where)
