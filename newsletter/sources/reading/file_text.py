"""Decodes files that people saved, in any encoding; what cannot be read is left out with the reason.

Encodings: UTF-8 with or without a byte order mark (BOM), UTF-16 and UTF-32 with a BOM, and UTF-16 without a BOM,
which its zero bytes reveal. Other lines are read as Windows-1252 if together they look like Western text.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from newsletter.sources.reading.character_sets import BYTE_ORDER_MARKS

# Replaces a line that could not be read; no source reads it as words.
UNREADABLE = "\ufffd"

_NOT_TEXT = (
    (re.compile(b"%PDF-"), "a PDF"),
    (re.compile(b"PK\x03\x04"), "a ZIP or office"),
    (re.compile(b"\x1f\x8b"), "a gzip"),
    (re.compile(rb"\{\\rtf"), "an RTF"),
    # A browser's "web page, single file" (RFC 2557): a mail whose lines are encoded.
    (re.compile(rb"[A-Z][\w-]{1,40}: (?s:.){0,2000}?\bmultipart/related\b"), "an MHTML"),
)
_LINE_END = re.compile("\r\n?|\n")
# Letters and signs of Windows-1252 in Western texts. Texts with ð, þ or ý are mostly Turkish, of another encoding.
_LETTERS = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜßàáâãäåæçèéêëìíîïñòóôõöøùúûüŠŒŽšœžŸ"
_SIGNS = "€‚„…‰‹‘’“”•–—™›\u00a0¡£§©«®°±²³µ·»¼½¾¿×÷†‡ªº"  # noqa: RUF001  # these signs are meant
_EXPECTED = frozenset(_LETTERS + _SIGNS)
# Text of another encoding has capitals or signs in the middle of words, or runs of foreign letters.
_ODD = re.compile(
    r"[a-zà-öø-ÿœšž][À-ÖØ-ÝŒŠŽ](?![A-ZÀ-ÖØ-Ý])|[A-Za-zÀ-ÿ][¡¢£¤¥¦§¨©ª«¬¯°±²³´µ¶·¸¹º»¼½¾¿×÷†‡‰€‚„…‹›•™][a-zà-ÿ]|[À-ÿ]{3}"  # noqa: RUF001  # so are these
)
_MOSTLY_ZERO, _SOME_ZERO = 0.1, 0.01


class NotTextError(ValueError):
    """A file cannot be read as text; the message says why, and names the encoding."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text whose lines end in LF.

    `guessed` names an encoding that was guessed, or nothing. `unreadable` holds number and reason of each line
    that cannot be read; `UNREADABLE` replaces them in the text.
    """

    text: str
    guessed: str = ""
    unreadable: tuple[tuple[int, str], ...] = ()


def decoded(data: bytes) -> Decoded:
    """Return the text of a file.

    Raises:
        NotTextError: it is not text.
    """
    for start, name in _NOT_TEXT:
        if start.match(data):
            raise NotTextError(f"it is {name} file, not text; save it as text in UTF-8")
    for mark, codec in BYTE_ORDER_MARKS:
        if data.startswith(mark) and mark != codecs.BOM_UTF8:
            return Decoded(_lines_of(_strict(data, codec).removeprefix("\ufeff")))
    if codec := _without_bom(data):
        return Decoded(_lines_of(_strict(data, codec)), guessed="UTF-16")
    try:
        return Decoded(_lines_of(data.decode("utf-8-sig")))
    except UnicodeDecodeError:
        return _line_by_line(data.removeprefix(codecs.BOM_UTF8))


def _strict(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        raise NotTextError(
            f"it begins as {codec[:6].upper()} and is damaged at byte {error.start}; save it as UTF-8"
        ) from error


def _without_bom(data: bytes) -> str:
    """Return the codec of UTF-16 text without a BOM, or nothing for other text.

    Raises:
        NotTextError: there are zero bytes where UTF-16 has none.
    """
    zeros = data.count(0)
    if zeros <= _SOME_ZERO * len(data):
        return ""
    little = data[1::2].count(0)
    if zeros >= _MOSTLY_ZERO * len(data) and len(data) % 2 == 0 and little in {0, zeros}:
        return "utf-16-le" if little else "utf-16-be"
    raise NotTextError("it holds zero bytes and is no UTF-16, so it is no text; save it as UTF-8")


def _lines_of(text: str) -> str:
    return _LINE_END.sub("\n", text)


def _line_by_line(data: bytes) -> Decoded:
    """Decode a text in which some lines are not UTF-8."""
    raw = re.split(b"\r\n?|\n", data)
    lines: list[str | None] = [_utf8(line) for line in raw]
    bad = [number for number, line in enumerate(lines) if line is None]
    western = [raw[number].decode("cp1252", "replace") for number in bad]
    if is_western("\n".join(western)):
        found = dict(zip(bad, western, strict=True))
        text = "\n".join(found.get(number, "") if line is None else line for number, line in enumerate(lines))
        return Decoded(text, guessed="Windows-1252")
    text = "\n".join(UNREADABLE if line is None else line for line in lines)
    return Decoded(text, unreadable=tuple((number + 1, _reason(raw[number])) for number in bad))


def _utf8(line: bytes) -> str | None:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _reason(line: bytes) -> str:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"not UTF-8, nor another known encoding: byte 0x{line[error.start]:02X}; save it as UTF-8"
    return ""


def is_western(text: str) -> bool:
    """Return whether text that was decoded as Windows-1252 is probably Western text."""
    foreign = [char for char in text if not char.isascii()]
    letters = sum(char.isascii() and char.isalpha() for char in text)
    return _EXPECTED.issuperset(foreign) and not _ODD.search(text) and len(foreign) <= letters / 2
