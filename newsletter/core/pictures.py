"""What the first bytes of a picture file say: its kind, width and height. Pure.

Only PNG and JPEG are read: all mail programs show them, and a PNG says before its pixels whether it moves. Most
GIFs move, and Outlook shows their first frame alone. WebP, AVIF and SVG are not shown everywhere.

Sources: PNG (third edition, W3C 2025), JPEG (ITU-T T.81, Annex B), Exif 2.32 (4.6.2) in TIFF 6.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

_MOST_PARTS = 2000  # chunks or segments that are looked at; files of cameras have some 50

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_HEADER = b"\0\0\0\x0dIHDR"
_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}  # bits by colour type
_PNG_MOST = 2**31 - 1

_JPEG = b"\xff\xd8\xff"
_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive: what mail programs unpack
_OTHER_FRAMES = {0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
_SCAN, _END, _EXIF = 0xDA, 0xD9, 0xE1
_GREY, _COLOUR = 1, 3  # components; four are for printing, and mail programs show them in wrong colours
_ORIENTATION, _UPRIGHT = 0x0112, 1

_OTHERS = (
    (re.compile(rb"GIF8[79]a"), "a GIF, which may move"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "a WebP picture, which not all mail programs show"),
    (re.compile(rb".{4}ftyp(?:avif|avis|heic|heix|mif1)", re.DOTALL), "an AVIF or HEIC picture"),
    (re.compile(rb".{4}(?:ftyp|moov|mdat|wide|free)|\x1a\x45\xdf\xa3", re.DOTALL), "a video"),
    (
        re.compile(rb"\s*<(?:!doctype|html|head|body|\?xml|svg|!--)", re.IGNORECASE),
        "a page in HTML or XML",
    ),
    (re.compile(rb"%PDF-"), "a PDF"),
)


class PictureKind(StrEnum):
    """A format of pictures that all mail programs show."""

    PNG = "png"
    JPEG = "jpeg"


class PictureError(ValueError):
    """The bytes begin no still picture that all mail programs show; the text says what they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A still picture, with its size in pixels."""

    kind: PictureKind
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture of a paper that a mail may show: its https URL, and its size in pixels."""

    url: str
    width: int
    height: int


def read_picture(start: bytes) -> Picture:
    """Return what the first bytes of a file say of its picture; takes linear time for any bytes.

    Args:
        start: the beginning of the file; up to the first pixels is enough.

    Raises:
        PictureError: it is no PNG or JPEG, it moves, it is damaged, or its size stands further back.
    """
    if start.startswith(_PNG):
        return _png(start)
    if start.startswith(_JPEG):
        return _jpeg(start)
    raise PictureError(next((name for shape, name in _OTHERS if shape.match(start)), "no known kind of picture"))


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _png(start: bytes) -> Picture:
    width, height = _number(start[16:20]), _number(start[20:24])
    depth, colour, compression, filtering, interlace = start[24:29].ljust(5, b"\xff")
    if (
        start[8:16] != _PNG_HEADER
        or depth not in _PNG_DEPTHS.get(colour, ())
        or compression
        or filtering
        or interlace not in {0, 1}
        or not 0 < width <= _PNG_MOST
        or not 0 < height <= _PNG_MOST
    ):
        raise PictureError("a PNG with a damaged header")
    place = 33
    for _ in range(_MOST_PARTS):
        length, name = _number(start[place : place + 4]), start[place + 4 : place + 8]
        if name == b"IDAT":
            return Picture(kind=PictureKind.PNG, width=width, height=height)
        if name == b"acTL":
            raise PictureError("a PNG that moves")
        if len(name) < 4 or name == b"IEND" or not name.isalpha():  # noqa: PLR2004
            break
        place += 12 + length
    raise PictureError("a PNG whose pixels do not begin within its first bytes")


def _jpeg(start: bytes) -> Picture:
    for marker, body in _segments(start):
        if marker == _EXIF and _is_turned(body):
            raise PictureError("a JPEG that is to be turned, which not all mail programs do")
        if marker in _OTHER_FRAMES:
            raise PictureError("a JPEG of a rare kind, which not all mail programs show")
        if marker in _FRAMES:
            return _frame(body)
    raise PictureError("a JPEG whose size does not stand within its first bytes")


def _frame(body: bytes) -> Picture:
    """Return the picture that a frame header describes (T.81, B.2.2)."""
    precision, height, width = body[:1], _number(body[1:3]), _number(body[3:5])
    components = _number(body[5:6])
    if precision != b"\x08" or not width or not height or not components or len(body) != 6 + 3 * components:
        raise PictureError("a JPEG with a damaged header")
    if components not in {_GREY, _COLOUR}:
        raise PictureError("a JPEG for printing, which mail programs show in wrong colours")
    return Picture(kind=PictureKind.JPEG, width=width, height=height)


def _segments(start: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the marker and the body of each segment before the pixels, as far as they are there in full."""
    place = 2
    for _ in range(_MOST_PARTS):
        if start[place : place + 1] != b"\xff":
            return
        while start[place : place + 1] == b"\xff":  # any number may stand before a marker
            place += 1
        marker, place = _number(start[place : place + 1]), place + 1
        if marker in {0x00, _SCAN, _END}:
            return
        if marker in _ALONE:
            continue
        length = _number(start[place : place + 2])
        body = start[place + 2 : place + length]
        if len(body) < length - 2 or length < 2:  # noqa: PLR2004
            return
        yield marker, body
        place += length


def _is_turned(body: bytes) -> bool:
    """Return whether an Exif segment asks for the picture to be turned or mirrored."""
    tiff = body[6:]
    if not body.startswith(b"Exif\0\0") or tiff[:2] not in {b"II", b"MM"}:
        return False
    order: Literal["little", "big"] = "little" if tiff.startswith(b"II") else "big"

    def number(place: int, size: int) -> int:
        return int.from_bytes(tiff[place : place + size], order)

    directory = number(4, 4)
    for entry in range(number(directory, 2)):
        place = directory + 2 + 12 * entry
        if place + 12 > len(tiff):
            break
        if number(place, 2) == _ORIENTATION:
            return number(place + 8, 2) not in {0, _UPRIGHT}
    return False
