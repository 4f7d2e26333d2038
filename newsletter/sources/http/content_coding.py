"""Undoes the content codings of an answer (RFC 9110, 8.4) piece by piece, and stops if the body gets too large."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

ACCEPTED = "gzip, deflate"
_MOST_LAYERS = 3  # some servers pack a packed body again; more layers than this are an attack
_ZLIB_HEADER = 2  # bytes
_PIECE = 64 * 1024  # bytes to unpack at a time
_SMALL = 1024 * 1024  # bytes; up to here any ratio is fine
_MOST_GROWTH = 300  # times; the most repetitive feeds shrink to a fiftieth


class CodingError(Exception):
    """The body has a coding that was not asked for, or is too large; the text says why."""


class DamagedError(CodingError):
    """The body does not have the coding that its header names; another answer may."""


class _Layer:
    """gzip (RFC 1952), deflate (RFC 1950), and the deflate without a header that some servers send (RFC 1951)."""

    def __init__(self, *, is_gzip: bool) -> None:
        self._is_gzip = is_gzip
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 16) if is_gzip else None
        self._start = b""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield the unpacked data in small pieces, however large it is."""
        if self._stream is None:
            self._start += data
            if len(self._start) < _ZLIB_HEADER:
                return
            data = self._start
            self._stream = zlib.decompressobj(zlib.MAX_WBITS if _has_header(data) else -zlib.MAX_WBITS)
        while data:
            if self._stream.eof:
                if not (self._is_gzip and data.startswith(b"\x1f")):
                    return  # padding and other junk after the end
                self._stream = zlib.decompressobj(zlib.MAX_WBITS | 16)  # one more member
            try:
                piece = self._stream.decompress(data, _PIECE)
            except zlib.error as error:
                raise DamagedError(f"the body is not what its Content-Encoding says: {error}") from error
            data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            yield piece


def _has_header(data: bytes) -> bool:
    """Return whether data begins with the two bytes of RFC 1950: the method, and a multiple of 31."""
    return data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:_ZLIB_HEADER], "big") % 31 == 0


class Unpacker:
    """Unpacks a body.

    Args:
        codings: the value of Content-Encoding, in the order in which the codings were applied.
        most: bytes that the body, and each layer of it, may have.

    Raises:
        CodingError: there is a coding that was not asked for, or there are too many.
    """

    def __init__(self, codings: str, *, most: int) -> None:
        names = [name for coding in codings.split(",") if (name := coding.strip().lower()) not in {"", "identity"}]
        if unknown := [name for name in names if name not in {"gzip", "x-gzip", "deflate"}]:
            raise CodingError(f"the body is packed as {unknown[0][:40]!r}, which was not asked for")
        if len(names) > _MOST_LAYERS:
            raise CodingError(f"the body is packed {len(names)} times over")
        self._layers = [_Layer(is_gzip=name.endswith("gzip")) for name in reversed(names)]
        self._sizes = [0] * (len(names) + 1)  # bytes so far: as sent, then after each layer
        self._most = most

    def unpacked(self, data: bytes) -> Iterator[bytes]:
        """Yield the next part of the body, unpacked, in small pieces.

        Raises:
            DamagedError: it does not have the coding that its header names.
            CodingError: it is too large.
        """
        return self._through(0, data)

    def _through(self, number: int, data: bytes) -> Iterator[bytes]:
        self._sizes[number] += len(data)
        self._check(number)
        if number == len(self._layers):
            yield data
            return
        for piece in self._layers[number].pieces(data):
            yield from self._through(number + 1, piece)

    def _check(self, number: int) -> None:
        size = self._sizes[number]
        if size > self._most:
            raise CodingError(f"the answer is larger than {self._most:,} bytes")
        if number and size > _SMALL and size > _MOST_GROWTH * self._sizes[0]:
            raise CodingError(f"the answer is packed to less than a {_MOST_GROWTH}th of its size")
