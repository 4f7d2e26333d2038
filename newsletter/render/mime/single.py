"""A single mail to one person, such as a welcome or an alarm."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from newsletter.render.mime import headers, quoted
from newsletter.render.mime.addresses import Mailbox, wire_address
from newsletter.render.mime.multipart import alternative, boundary_of, multipart_headers, signable

if TYPE_CHECKING:
    from newsletter.render.mime.signing import Signer


def single_message(
    *,
    sender: str,
    to: Mailbox,
    content: tuple[str, str, str],
    date: datetime,
    message_id: str,
    more: bytes = b"",
    signer: Signer | None = None,
) -> bytes:
    """Return the final bytes of a single mail, such as a welcome or an alarm.

    Args:
        sender: `Name <address>`.
        to: the recipient.
        content: the subject, one line of text; the HTML part; the text part.
        date: aware.
        message_id: with its angle brackets.
        more: further header fields, each with CRLF at its end.
        signer: signs with DKIM.

    Raises:
        RenderError: an address can't stand in a header.
    """
    subject, html, text = content
    boundary = boundary_of(message_id)
    parts = alternative(boundary, (quoted.encode(text + "\n"),), (quoted.encode(html + "\n"),))
    head = (
        headers.mailbox("From", Mailbox.parse(sender)),
        headers.text("Subject", subject),
        headers.mailbox("To", Mailbox(to.name, wire_address(to.address))),
        headers.date("Date", date),
        headers.raw("Message-ID", message_id),
        headers.raw("Auto-Submitted", "auto-generated"),
        *([more] if more else []),
        multipart_headers(boundary),
    )
    body = b"".join(parts)
    pieces, _, sign = signable(head, (body,), len(body), signer)
    return (sign() if sign else b"") + b"".join(pieces)
