"""Header fields as bytes (RFC 5322, 2047), folded, each ending in CRLF.

Our own small writer, for two reasons: few fields differ between readers, and `email.policy.SMTP` turns a long
List-Unsubscribe into an encoded word, which breaks one-click unsubscribe. No text can bring CR, LF or bidi
controls into a field.
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
# RFC 2047, 5 (3): characters that need no encoding in an encoded word, wherever it stands.
_PLAIN = re.compile(r"[A-Za-z0-9!*+/-]")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/^`{|}~ -]*")
_USUAL_NAME = re.compile(r"[A-Za-z0-9'-]+(?: [A-Za-z0-9'-]+){0,4}")  # needs no second look
_VISIBLE = re.compile(r"[!-~]+")
_PRINTABLE = re.compile(r"[ -~]+")
_AFTER_COMMA = ",\r\n "
_Encoded = TypeVar("_Encoded", str, bytes)


def _groups(items: Iterable[_Encoded], limit: int) -> Iterator[list[_Encoded]]:
    """Yield groups of items whose lengths add up to at most `limit`."""
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
    # Base64 only if it is much shorter: people read headers, and spam filters count needless base64.
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
    """Return the words between which to fold: unchanged if possible, else as encoded words."""
    words = text.split()
    if all(_VISIBLE.fullmatch(word) and "=?" not in word and len(word) <= room for word in words):
        return words
    return _encoded_words(text, room)


def text(name: str, value: str) -> bytes:
    """Return a field of free text, such as Subject."""
    return _folded(name, _words(one_line(value), _LINE - len(name) - 2))


def mailbox(name: str, box: Mailbox) -> bytes:
    """Return a field with an address, such as From or To.

    The display name is in encoded words if necessary. A local part that isn't ASCII stays UTF-8 (RFC 6532), as
    there is no encoding for it.
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
    """Return a field that must not be encoded, such as List-Unsubscribe; it is folded only after commas.

    Raises:
        RenderError: a value holds anything but visible ASCII and spaces.
    """
    for value in values:
        if not _PRINTABLE.fullmatch(value):
            raise RenderError(f"{name} can't hold {value!r}: only ASCII can stand there")
    return f"{name}: {_AFTER_COMMA.join(values)}\r\n".encode()


@lru_cache(maxsize=256)
def date(name: str, moment: datetime) -> bytes:
    """Return a field with an aware moment (RFC 5322, 3.3). Cached: many readers' copies are due at once."""
    return raw(name, format_datetime(moment))
