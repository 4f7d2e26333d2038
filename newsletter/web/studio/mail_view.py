"""The parts of a finished message, for the studio: read from the bytes that would be sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from enum import StrEnum

from newsletter.render.lint.mail import Mail

_SNIPPET = 200  # characters of the mail's text beside its subject; no inbox shows more
_ON_A_PHONE = 40  # characters of a subject

# Gmail's apps turn light and dark around in a mail, but for its pictures. How is not known; this is near.
_INVERTED = """
html{background:#fff;filter:invert(.93) hue-rotate(180deg)}
img{filter:invert(1) hue-rotate(180deg)}
"""


class Theme(StrEnum):
    """The colour scheme of a reader's mail program."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailView:
    """The parts of a message. Bodies are "" where it has no such part; sizes are bytes.

    `sender` is the name beside the address, or the address. `snippet` is the text that an inbox shows after the
    subject: the first of the HTML part. `style` counts the characters of its style blocks.
    """

    headers: tuple[tuple[str, str], ...]
    html: str
    text: str
    source: str
    html_bytes: int
    message_bytes: int
    sender: str
    snippet: str
    style: int
    links: int
    pictures: int

    def header(self, name: str) -> str:
        """Return the first header of that name, or ""."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def subject(self) -> str:
        """Return the subject."""
        return self.header("Subject")

    @property
    def subject_on_a_phone(self) -> str:
        """Return what a phone shows of the subject."""
        subject = self.subject
        return subject if len(subject) <= _ON_A_PHONE else f"{subject[:_ON_A_PHONE].rstrip()}…"


def mail_view(raw: bytes) -> MailView:
    """Return the parts of a message (RFC 5322 bytes)."""
    message = message_from_bytes(raw, policy=policy.default)
    html = _body(message, "html")
    headers = tuple((name, str(value)) for name, value in message.items())
    name, address = parseaddr(next((value for key, value in headers if key.lower() == "from"), ""))
    mail = Mail(raw)
    return MailView(
        headers=headers,
        html=html,
        text=_body(message, "plain"),
        source=raw.decode("utf-8", "replace"),
        html_bytes=len(html.encode()),
        message_bytes=len(raw),
        sender=name or address,
        snippet=mail.shown_text[:_SNIPPET],
        style=sum(len(style.text or "") for style in mail.page.iter("style")),
        links=len(mail.links),
        pictures=sum(1 for _ in mail.page.iter("img")),
    )


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part else ""


def as_shown_in(theme: Theme, html: str, *, inverted: bool = False) -> str:
    """Return a mail's HTML as a program with this colour scheme shows it, whatever the browser's scheme is.

    Browsers don't pass a scheme on into a sandboxed frame, so the media query is replaced by a query that is
    always or never true. Scrollbars are hidden, as on a phone: they would reduce the width.

    Args:
        theme: the scheme.
        html: the mail.
        inverted: in dark mode, as a program that knows no dark mode of mails and turns light and dark around.
    """
    inverts = inverted and theme is Theme.DARK
    applies = Theme.LIGHT if inverts else theme
    html = re.sub(
        r"prefers-color-scheme\s*:\s*(light|dark)",
        lambda match: "min-width: 0px" if match[1].lower() == applies else "max-width: 0px",
        html,
        flags=re.IGNORECASE,
    )
    added = f":root{{color-scheme:{applies} !important;scrollbar-width:none}}{_INVERTED if inverts else ''}"
    return f"{html}\n<style>{added}</style>\n"
