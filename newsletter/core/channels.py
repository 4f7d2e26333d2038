"""Channels of a list: where each of its issues is posted, once. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

# What stands before `://` in the URLs of apprise, and the service that this is.
_SCHEMES = {
    "slack": "Slack",
    "discord": "Discord",
    "tgram": "Telegram",
    "workflow": "Teams",
    "workflows": "Teams",
    "feishu": "Feishu",
    "lark": "Lark",
    "ntfy": "ntfy",
    "ntfys": "ntfy",
}
# Hosts of the addresses that the services themselves show for a channel; a full stop in front: all names below.
_HOSTS = {
    "hooks.slack.com": "Slack",
    "hooks.slack-gov.com": "Slack",
    "discord.com": "Discord",
    "discordapp.com": "Discord",
    ".logic.azure.com": "Teams",
    ".powerplatform.com": "Teams",
    "open.feishu.cn": "Feishu",
    "open.larksuite.com": "Lark",
    "ntfy.sh": "ntfy",
}
# Where else the services take posts.
_ALSO_TAKE = ("slack.com", "api.telegram.org")


@dataclass(frozen=True, slots=True)
class Channel:
    """Where issues are posted.

    Attributes:
        name: in the list file.
        url: of a service that apprise knows, or an https address of a program. It is a secret.
        key: signs what a program is told (`core.webhook_signatures`); empty: it is a service.
    """

    name: str
    url: str = field(repr=False)
    key: bytes = field(default=b"", repr=False)

    def receiver(self, list_name: str) -> str:
        """Return its name in the ledger."""
        return f"channel:{list_name}/{self.name}"


def service_of(url: str) -> str:
    """Return the service that a URL is of, such as `Slack`, or nothing."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return ""
    return _service_at(host) if parts.scheme == "https" else _SCHEMES.get(parts.scheme, "")


def is_of_a_service(url: str) -> bool:
    """Return whether a web address is one of the services' own, and not of a server that somebody else runs."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return False
    return parts.scheme == "https" and (host in _ALSO_TAKE or bool(_service_at(host)))


def _service_at(host: str) -> str:
    named = (
        service for known, service in _HOSTS.items() if host == known or (host.endswith(known) and known[0] == ".")
    )
    return next(named, "")
