"""Quoted-printable (RFC 2045, 6.7) in pieces that can be joined in any order.

Each piece consists of whole lines; a soft line break ends it if its text doesn't end a line. No line begins with a
dot, so dot-stuffing (RFC 5321, 4.5.2) never changes anything, nor with `From `, which mailbox files would change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_LINE = 75  # of 76: the last character is for the "=" of a soft line break
SOFT = b"=\r\n"  # a soft line break: the line goes on in the next
_UNSAFE = re.compile(rb"[^\t -<>-~]")
_UNSAFE_START = re.compile(rb"\.|F(?=rom )")
_UNSAFE_END = re.compile(rb"[ \t]\Z")
# A short line that needs no encoding: most values of readers.
_SIMPLE = re.compile(rf"(?!\.|From )[ -<>-~]{{1,{_LINE}}}")


def _escape(match: re.Match[bytes]) -> bytes:
    return b"=%02X" % ord(match[0])


def _wrapped(line: bytes) -> Iterator[bytes]:
    """Cut an encoded line into short ones, never inside an escape."""
    while True:
        line = _UNSAFE_START.sub(_escape, line, count=1) if _UNSAFE_START.match(line) else line
        if len(line) <= _LINE:
            yield line
            return
        escape = line.rfind(b"=", _LINE - 2, _LINE)
        cut = _LINE if escape < 0 else escape
        yield line[:cut]
        line = line[cut:]


def _escaped(line: str) -> bytes:
    return _UNSAFE.sub(_escape, line.encode("utf-8", "replace"))


def soft(line: str) -> bytes:
    """Return one line or two of characters that need no encoding, which go on in the next."""
    encoded = line.encode()
    if len(encoded) <= _LINE:
        return encoded + SOFT
    return encoded[:_LINE] + SOFT + encoded[_LINE:] + SOFT


def encode(text: str) -> bytes:
    """Return text as whole lines: ASCII only, CRLF only, at most 76 characters each.

    Any line end in the text becomes a CRLF; empty text gives no line. Lone surrogates, which have no encoding,
    become question marks.
    """
    if _SIMPLE.fullmatch(text):
        return soft(text)
    *lines, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    hard = [SOFT.join(_wrapped(_UNSAFE_END.sub(_escape, _escaped(line)))) + b"\r\n" for line in lines]
    return b"".join(hard) + (SOFT.join(_wrapped(_escaped(rest))) + SOFT if rest else b"")
