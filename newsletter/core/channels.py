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
    "discord.com": "Discord",
    "discordapp.com": "Discord",
    ".logic.azure.com": "Teams",
    ".powerplatform.com": "Teams",
    "ntfy.sh": "ntfy",
}


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
    if parts.scheme == "https":
        named = (
            service
            for known, service in _HOSTS.items()
            if host == known or (host.endswith(known) and known[0] == ".")
        )
        return next(named, "")
    return _SCHEMES.get(parts.scheme, "")
