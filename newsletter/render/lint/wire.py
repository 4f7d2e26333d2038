"""Checks of the bytes: what a relay would change on the way, and a parser would silently correct."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.render.lint.finding import Finding, Rule, Spot
from newsletter.render.lint.mail import Mail, Part

LINE_END = Rule("line-end", "Relays change or refuse a lone CR or LF (RFC 5321, 2.3.8), and the signature breaks.")
LINE_LENGTH = Rule("line-length", "Relays cut or refuse lines of more than 998 bytes (RFC 5322, 2.1.1).")
EIGHT_BIT = Rule("eight-bit-header", "A header is ASCII (RFC 5322, 2.2); what is not arrives as garbage, or not.")
ENCODED_WORD = Rule(
    "encoded-word", "An encoded word of more than 75 characters is shown as it stands (RFC 2047, 2)."
)
ENCODING = Rule("transfer-encoding", "Clients show broken quoted-printable as it stands (RFC 2045, 6.7).")

_LONGEST_LINE = 998
_LONGEST_QUOTED = 76
_LONGEST_WORD = 75
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_WORD = re.compile(rb"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=")
_NOT_QUOTED = re.compile(rb"=(?![0-9A-F]{2}|$)|[^\t -~]|[ \t]$")
# SMTPUTF8 (RFC 6532): a local part that isn't ASCII has no other form.
_LOCAL_PART = re.compile(rb"<[^<>@\s]+@")


def check(mail: Mail) -> Iterator[Finding]:
    """Find line ends, lengths and encodings that relays would change."""
    yield from _lines(mail)
    yield from _header_bytes(mail)
    for part in mail.parts:
        yield from _encoding(part)


def _lines(mail: Mail) -> Iterator[Finding]:
    if bare := _BARE.search(mail.raw):
        line = mail.raw.count(b"\n", 0, bare.start()) + 1
        name = "LF without CR" if bare[0] == b"\n" else "CR without LF"
        count = f"{name} ({len(_BARE.findall(mail.raw))} in all)"
        yield LINE_END.found(f"line {line}", count, spot=Spot(source_line=line))
    for number, line_bytes in enumerate(mail.raw.split(b"\n"), start=1):
        if len(line_bytes.rstrip(b"\r")) > _LONGEST_LINE:
            size = f"{len(line_bytes):,} bytes long"
            yield LINE_LENGTH.found(f"line {number}", size, spot=Spot(source_line=number))


def _header_bytes(mail: Mail) -> Iterator[Finding]:
    for field in mail.fields:
        plain = _LOCAL_PART.sub(b"<@", field.raw) if field.name.lower() in {"to", "from"} else field.raw
        if not plain.isascii() or not field.name.isascii():
            name = f"header {field.name}"
            yield EIGHT_BIT.found(name, "holds bytes that are not ASCII", spot=Spot(header=field.name))
        for word in _WORD.findall(field.raw):
            if len(word) > _LONGEST_WORD:
                size = f"an encoded word of {len(word)} characters"
                yield ENCODED_WORD.found(f"header {field.name}", size, spot=Spot(header=field.name))


def _encoding(part: Part) -> Iterator[Finding]:
    where = f"part {part.content_type}"
    if part.encoding != "quoted-printable":
        if part.encoding not in {"7bit", "base64"} or not part.raw.isascii():
            yield ENCODING.found(where, f"is encoded as {part.encoding}, and not every relay takes 8 bits")
        return
    for number, line in enumerate(part.raw.replace(b"\r\n", b"\n").split(b"\n"), start=1):
        if bad := _NOT_QUOTED.search(line):
            yield ENCODING.found(f"{where}, line {number}", f"{bad[0]!r} can't stand in quoted-printable there")
            return
        if len(line) > _LONGEST_QUOTED:
            yield ENCODING.found(f"{where}, line {number}", f"{len(line)} characters long, of at most 76")
            return
