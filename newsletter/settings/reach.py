"""What settings say together: whether mail stays on this machine, and whether its links lead anywhere."""

from __future__ import annotations

from newsletter.core.network import on_loopback, unreachable
from newsletter.settings.groups import WebSettings
from newsletter.settings.relays import SmtpSettings


def relays_are_local(smtp: SmtpSettings) -> bool:
    """Return whether every relay is on this machine."""
    return all(on_loopback(relay.host) for relay in (smtp, *smtp.relays))


def public_url_problem(web: WebSettings) -> str:
    """Return why readers could not reach the links of mails, or an empty string."""
    if not web.public_url or not (reason := unreachable(web.public_url)):
        return ""
    return f"NEWSLETTER_WEB__PUBLIC_URL: {reason}: write a public https:// address, or leave it empty"
