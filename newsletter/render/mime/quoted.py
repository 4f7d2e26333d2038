"""Quoted-printable (RFC 2045, 6.7) in pieces that can be joined in any order.

Each piece consists of whole lines; a soft line break ends it if its text doesn't end a line. No line begins with a
dot, so dot-stuffing (RFC 5321, 4.5.2) never changes anything, nor with `From `, which mailbox files would change.
"""

from __future__ import annotations

import re
from binascii import hexlify
from collections.abc import Iterator

_LINE = 75  # of 76: the last character is for the "=" of a soft line break
SOFT = b"=\r\n"  # a soft line break: the line goes on in the next
_SAFE = bytes((*b"\t\n", *range(ord(" "), ord("~") + 1)))
_NOT_SAFE = re.compile(rb"[^\t\n -~]+")
_UNSAFE_START = re.compile(rb"\.|F(?=rom )")
_UNSAFE_END = re.compile(rb"[ \t](?=\n)")
# As much of an encoded line as one line takes, up to the end of an escape.
_PIECE = re.compile(rb"(?s).{1,%d}(?<!=)(?<!=.)" % _LINE)
# A short line that needs no encoding: most values of readers.
_SIMPLE = re.compile(rf"(?!\.|From )[ -<>-~]{{1,{_LINE}}}")


def _escape(match: re.Match[bytes]) -> bytes:
    return b"=" + hexlify(match[0], b"=").upper()


def _escaped(text: str) -> bytes:
    """Return text with all escapes but those of ends and begins of lines."""
    raw = text.encode("utf-8", "replace").replace(b"=", b"=3D")
    return _NOT_SAFE.sub(_escape, raw) if raw.translate(None, _SAFE) else raw


def _wrapped(line: bytes) -> bytes:
    """Cut an encoded line into short ones, never inside an escape."""
    if len(line) <= _LINE and not line.startswith((b".", b"From ")):
        return line
    wrapped = SOFT.join(_PIECE.findall(line))
    if line.startswith((b".", b"From ")) or b"\n." in wrapped or b"\nFrom " in wrapped:
        return SOFT.join(_wrapped_safely(line))
    return wrapped


def _wrapped_safely(line: bytes) -> Iterator[bytes]:
    """Yield the short lines of an encoded line, of which some would begin with what must be escaped."""
    while True:
        line = _UNSAFE_START.sub(_escape, line, count=1) if _UNSAFE_START.match(line) else line
        piece = _PIECE.match(line)
        if piece is None:
            return
        yield piece[0]
        line = line[piece.end() :]


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
    escaped = _escaped(text.replace("\r\n", "\n").replace("\r", "\n"))
    if b" \n" in escaped or b"\t\n" in escaped:
        escaped = _UNSAFE_END.sub(_escape, escaped)
    *lines, rest = escaped.split(b"\n")
    hard = b"".join(_wrapped(line) + b"\r\n" for line in lines)
    return hard + _wrapped(rest) + SOFT if rest else hard
