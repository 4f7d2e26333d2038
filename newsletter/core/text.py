"""Text from outside, made safe to keep, to log and to put into a mail."""

from __future__ import annotations

import re

from newsletter.core.normalisation import normalised

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Control and bidi characters; not those that are white space.
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")

# The part of a mail address before the @, of one that is followed by a domain.
_LOCAL_PART = re.compile(r"[^\s<>()\[\]:;,\"@]{1,64}@(?=[\w.-]+\.\w)")


def without_addresses(text: str) -> str:
    """Return text in which of each mail address only the domain is left: `***@example.org`."""
    return _LOCAL_PART.sub("***@", text) if "@" in text else text


def one_line(text: str, limit: int | None = None) -> str:
    """Return text as one line: no control or bidi characters, NFC, single spaces, `?` for half a surrogate pair.

    Such text is hostile: a right-to-left override could turn a link's title around, a CR or LF could start a
    header, and no database takes NUL or half a surrogate pair.

    Args:
        text: from a source, a relay or a file.
        limit: the most characters that are returned; None for all.
    """
    if text.isascii() and text.isprintable() and "  " not in text:  # as most replies of relays, one a message
        return text.strip()[:limit].rstrip()
    if limit is not None:
        text = text[: 2 * limit]  # what is left out is not looked at, however long it is
    if not (text.isascii() and text.isprintable()):
        encodable = text.encode("utf-8", "replace").decode()
        text = normalised("NFC", _UNSAFE.sub(" ", encodable))
    return " ".join(text.split())[:limit].rstrip()


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with what it counts: `1 paper`, `1,234 papers`; `plural` where an s isn't enough."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
