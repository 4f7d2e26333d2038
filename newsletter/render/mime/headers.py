"""Header fields as bytes (RFC 5322, 2047), folded, each ending in CRLF.

A small writer of our own, because a message has few fields that differ between readers, and because
`email.policy.SMTP` turns a long List-Unsubscribe into an encoded word, which breaks one-click unsubscribe.
Whatever text goes in, no CR, LF or bidi control comes out within a field.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import TypeVar

from newsletter.core.errors import RenderError
from newsletter.core.text import one_line
from newsletter.render.mime.addresses import Mailbox

_LINE = 76  # RFC 2047, 2: lines that hold an encoded word
_WORD = 75
_FRAME = len("=?utf-8?q??=")
# RFC 2047, 5 (3): what may stand for itself in an encoded word wherever the word stands.
_PLAIN = re.compile(r"[A-Za-z0-9!*+/-]")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/^`{|}~ -]*")
_USUAL_NAME = re.compile(r"[A-Za-z0-9'-]+(?: [A-Za-z0-9'-]+){0,4}")  # needs no second look
_VISIBLE = re.compile(r"[!-~]+")
_PRINTABLE = re.compile(r"[ -~]+")
_BEHIND_COMMAS = ",\r\n "
_Encoded = TypeVar("_Encoded", str, bytes)


def _groups(items: Iterable[_Encoded], limit: int) -> Iterator[list[_Encoded]]:
    """Put items together as long as their lengths add up to no more than `limit`."""
    group: list[_Encoded] = []
    length = 0
    for item in items:
        if group and length + len(item) > limit:
            yield group
            group, length = [], 0
        group.append(item)
        length += len(item)
    yield group


def _quoted(char: str) -> str:
    if char == " ":
        return "_"
    return char if _PLAIN.fullmatch(char) else "".join(f"={byte:02X}" for byte in char.encode())


def _encoded_words(text: str, width: int) -> list[str]:
    """Return text as encoded words of at most `width` characters, none of which cuts a character in two."""
    room = min(width, _WORD) - _FRAME
    quoted = [_quoted(char) for char in text]
    # Base64 only where it is much shorter: people read headers, and filters hold needless base64 against a mail.
    if sum(map(len, quoted)) <= len(text.encode()) * 2:
        return [f"=?utf-8?q?{''.join(group)}?=" for group in _groups(quoted, room)]
    groups = _groups((char.encode() for char in text), room // 4 * 3)
    return [f"=?utf-8?b?{b64encode(b''.join(group)).decode()}?=" for group in groups]


def _folded(name: str, pieces: Sequence[str]) -> bytes:
    """Join pieces by spaces, on a new line wherever one would be too long."""
    whole = f"{name}: {' '.join(pieces)}\r\n"
    if len(pieces) == 1 or (pieces and len(whole) <= _LINE + 2):
        return whole.encode()
    lines = [f"{name}:"]
    for piece in pieces:
        if len(lines[-1]) + 1 + len(piece) <= _LINE or lines == [f"{name}:"]:
            lines[-1] += f" {piece}"
        else:
            lines.append(f" {piece}")
    return "\r\n".join(lines).encode() + b"\r\n"


def _words(text: str, room: int) -> list[str]:
    """Return text as words to be folded between: as it is where it can stand so, else as encoded words."""
    words = text.split()
    if all(_VISIBLE.fullmatch(word) and "=?" not in word and len(word) <= room for word in words):
        return words
    return _encoded_words(text, room)


def text(name: str, value: str) -> bytes:
    """Return a field of free text, such as Subject."""
    return _folded(name, _words(one_line(value), _LINE - len(name) - 2))


def mailbox(name: str, box: Mailbox) -> bytes:
    """Return a field of one address, such as From or To.

    The display name is in encoded words where it has to be; a local part that isn't ASCII stays UTF-8
    (RFC 6532), as no encoding exists for it.
    """
    room = _LINE - len(name) - 2
    if len(box.name) <= room and _USUAL_NAME.fullmatch(box.name):
        return _folded(name, [*box.name.split(), f"<{box.address}>"])
    display = one_line(box.name)
    words = _words(display, room)
    if words == display.split() and not _ATOMS.fullmatch(display):
        quoted = '"' + re.sub(r'(["\\])', r"\\\1", display) + '"'
        words = [quoted] if len(quoted) <= room else _encoded_words(display, room)
    return _folded(name, [*words, f"<{box.address}>"])


def raw(name: str, *values: str) -> bytes:
    """Return a field that must stand as it is, such as List-Unsubscribe: never encoded, folded behind commas only.

    Raises:
        RenderError: a value holds anything but visible ASCII and spaces.
    """
    for value in values:
        if not _PRINTABLE.fullmatch(value):
            raise RenderError(f"{name} can't hold {value!r}: only ASCII can stand there")
    return f"{name}: {_BEHIND_COMMAS.join(values)}\r\n".encode()


@lru_cache(maxsize=256)
def date(name: str, moment: datetime) -> bytes:
    """Return a field of a moment (aware) as RFC 5322, 3.3 writes it; many readers' copies are due at once."""
    return raw(name, format_datetime(moment))
