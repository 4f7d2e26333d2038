"""The parts of a finished message, for the preview: read from the bytes that would be sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import StrEnum


class Theme(StrEnum):
    """The colour scheme of a reader's mail program."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailView:
    """The parts of a message. Bodies are "" where it has no such part; sizes are bytes."""

    headers: tuple[tuple[str, str], ...]
    html: str
    text: str
    source: str
    html_bytes: int
    message_bytes: int

    def header(self, name: str) -> str:
        """Return the first header of that name, or ""."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def mail_view(raw: bytes) -> MailView:
    """Return the parts of a message (RFC 5322 bytes)."""
    message = message_from_bytes(raw, policy=policy.default)
    html = _body(message, "html")
    return MailView(
        headers=tuple((name, str(value)) for name, value in message.items()),
        html=html,
        text=_body(message, "plain"),
        source=raw.decode("utf-8", "replace"),
        html_bytes=len(html.encode()),
        message_bytes=len(raw),
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part else ""


def as_shown_in(theme: Theme, html: str) -> str:
    """Return a mail's HTML as a program with this colour scheme shows it, whatever the browser's scheme is.

    Browsers don't pass a scheme on into a sandboxed frame, so the media query is replaced by a query that is
    always or never true. Scrollbars are hidden, as on a phone: they would reduce the width.
    """
    html = re.sub(
        r"prefers-color-scheme\s*:\s*(light|dark)",
        lambda match: "min-width: 0px" if match[1].lower() == theme else "max-width: 0px",
        html,
        flags=re.IGNORECASE,
    )
    return f"{html}\n<style>:root{{color-scheme:{theme} !important;scrollbar-width:none}}</style>\n"
