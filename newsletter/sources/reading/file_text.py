"""The text of a file that somebody saved, in whatever encoding: read right, or left out with the reason.

UTF-8 with or without BOM, UTF-16 and UTF-32 with one, and UTF-16 without one, which shows by its zero bytes. Lines
that are none of these are read as Windows-1252 where all of them together look like Western text in it.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from newsletter.sources.reading.character_sets import BYTE_ORDER_MARKS

# What stands in a text for a line that could not be read; no source takes it for words.
UNREADABLE = "\ufffd"

_BINARY = ((b"%PDF-", "PDF"), (b"PK\x03\x04", "ZIP or office"), (b"\x1f\x8b", "gzip"), (b"{\\rtf", "RTF"))
_LINE_END = re.compile("\r\n?|\n")
# Letters and signs of Windows-1252 that Western texts have. Where ð, þ and ý stand, it was mostly a Turkish text.
_LETTERS = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜßàáâãäåæçèéêëìíîïñòóôõöøùúûüŠŒŽšœžŸ"
_SIGNS = "€‚„…‰‹‘’“”•–—™›\u00a0¡£§©«®°±²³µ·»¼½¾¿×÷†‡ªº"  # noqa: RUF001  # these signs are meant
_EXPECTED = frozenset(_LETTERS + _SIGNS)
# Text of another encoding shows by capitals, or signs, in the middle of words, and by runs of foreign letters.
_ODD = re.compile(
    r"[a-zà-öø-ÿœšž][À-ÖØ-ÝŒŠŽ](?![A-ZÀ-ÖØ-Ý])|[A-Za-zÀ-ÿ][¡¢£¤¥¦§¨©ª«¬¯°±²³´µ¶·¸¹º»¼½¾¿×÷†‡‰€‚„…‹›•™][a-zà-ÿ]|[À-ÿ]{3}"  # noqa: RUF001  # so are these
)
_MOSTLY_ZERO, _SOME_ZERO = 0.1, 0.01


class NotTextError(ValueError):
    """A file cannot be read as text; the words say why, and name the encoding."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text with line ends of one kind, where it was guessed its encoding, and the lines that could not be read.

    Of those the number and the reason are given; in the text, `UNREADABLE` stands for each.
    """

    text: str
    guessed: str = ""
    unreadable: tuple[tuple[int, str], ...] = ()


def decoded(data: bytes) -> Decoded:
    """Return the text of a file.

    Raises:
        NotTextError: it is none.
    """
    for start, name in _BINARY:
        if data.startswith(start):
            raise NotTextError(f"it is a {name} file, not text; save it as text in UTF-8")
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
    """Return the codec of UTF-16 text that does not say so, or nothing.

    Raises:
        NotTextError: there are zero bytes, and not as UTF-16 has them.
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
    """Return a text of which some lines are not UTF-8."""
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
        return (
            f"not UTF-8, nor another encoding that can be told: byte 0x{line[error.start]:02X}; save it as UTF-8"
        )
    return ""


def is_western(text: str) -> bool:
    """Tell whether bytes that were read as Windows-1252 make Western text, as far as that can be told."""
    foreign = [char for char in text if not char.isascii()]
    letters = sum(char.isascii() and char.isalpha() for char in text)
    return _EXPECTED.issuperset(foreign) and not _ODD.search(text) and len(foreign) <= letters / 2
