"""Picture files for tests: whole PNGs, and JPEGs up to their pixels."""

from __future__ import annotations

import struct
import zlib


def chunk(name: bytes, body: bytes = b"") -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, *before: bytes, depth: int = 8, colour: int = 0, pixels: bool = True) -> bytes:
    """Return a grey PNG with further chunks before its pixels; without pixels, it says that it has some."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    rows = zlib.compress((b"\0" + b"\xcc" * width) * height) if pixels else b""
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(before) + chunk(b"IDAT", rows) + chunk(b"IEND")


MOVES = chunk(b"acTL", struct.pack(">II", 12, 0))


def segment(marker: int, body: bytes) -> bytes:
    """Return a segment of a JPEG."""
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg(
    width: int, height: int, *before: bytes, frame: int = 0xC0, components: int = 3, precision: int = 8
) -> bytes:
    """Return the beginning of a JPEG, with further segments before its frame."""
    parts = b"".join(bytes([number, 0x22, 0]) for number in range(components))
    header = segment(frame, struct.pack(">BHHB", precision, height, width, components) + parts)
    return b"\xff\xd8" + b"".join(before) + header + segment(0xDA, b"\0" * 10) + b"\x11" * 500


def exif(orientation: int, *, order: str = "<") -> bytes:
    """Return the segment of a JPEG in which a camera says how it was held."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    make = struct.pack(order + "HHII", 0x010F, 2, 4, 0x41424300)
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = mark + struct.pack(order + "IH", 8, 2) + make + entry + struct.pack(order + "I", 0)
    return segment(0xE1, b"Exif\0\0" + tiff)


GIF = b"GIF89a" + struct.pack("<HHBBB", 800, 400, 0, 0, 0) + b"\x3b"
WEBP = b"RIFF\x1a\x00\x00\x00WEBPVP8L" + b"\0" * 30
MP4 = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2mp41" + b"\0" * 30
QUICKTIME = b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + b"\0" * 30
AVIF = b"\0\0\0\x1cftypavif\0\0\0\0avifmif1" + b"\0" * 30
