"""The lines of a text file, however long it is: read in blocks, none of which stays in memory."""

from __future__ import annotations

import io
from codecs import getincrementaldecoder
from collections.abc import Iterator
from hashlib import blake2b
from itertools import chain
from pathlib import Path

from newsletter.core.errors import ListFileError, Mistake
from newsletter.lists.document import shown

# Characters of a line, or of a row that goes over several: what is longer is no list of people.
LONGEST_ROW = 1024 * 1024

_BLOCK = 256 * 1024  # bytes
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # its byte order marks
_NO_TEXT = "is not UTF-8 text: save it in that encoding, in Excel as “CSV UTF-8”"


class Lines:
    """The lines of a file in UTF-8, or in UTF-16 with a byte order mark, each with its line end as it is.

    Excel writes UTF-16 as "Unicode text". The byte order mark is no part of the first line.

    `digest` is one of the bytes that were read; of the whole file once it was iterated to its end.
    """

    def __init__(self, path: Path, *, encoding: str = "") -> None:
        """Take a file; `encoding` is Python's name of one, if it is neither UTF-8 nor UTF-16."""
        self._path = path
        self._encoding = encoding
        self.digest = blake2b(digest_size=16)

    def __iter__(self) -> Iterator[str]:
        """Yield the lines.

        Raises:
            ListFileError: the file cannot be read, is in another encoding, or a line is longer than `LONGEST_ROW`.
        """
        number, rest = 1, ""  # the number by line feeds alone, as editors count; what may go on in the next block
        blocks = self._blocks()
        first = next(blocks, b"")
        if len(first) == 1:
            first += next(blocks, b"")
        usual = "utf-16" if first[:2] in _UTF_16 else "utf-8-sig"
        decoder = getincrementaldecoder(self._encoding or usual)()
        for block in chain((first,), blocks):
            try:
                decoded = decoder.decode(block)
            except UnicodeDecodeError as error:
                line = number + error.object.count(b"\n", 0, error.start)
                raise self._wrong(line, _NO_TEXT) from None
            text = rest + decoded
            lines = io.StringIO(text, newline="").readlines()
            # A carriage return at the end may be the first half of a line end.
            rest = "" if text.endswith("\n") or not lines else lines.pop()
            number += decoded.count("\n")
            if len(rest) > LONGEST_ROW:
                raise self._wrong(number, f"is longer than {LONGEST_ROW:,} characters: is this a CSV file?")
            yield from lines
        try:
            yield from io.StringIO(rest + decoder.decode(b"", final=True), newline="")
        except UnicodeDecodeError:
            raise self._wrong(number, _NO_TEXT) from None

    def _blocks(self) -> Iterator[bytes]:
        try:
            with self._path.open("rb", buffering=0) as file:
                while block := file.read(_BLOCK):
                    self.digest.update(block)
                    yield block
        except OSError as error:
            raise self._wrong(1, f"cannot be read: {error.strerror or error}") from None

    def _wrong(self, line: int, message: str) -> ListFileError:
        return ListFileError((Mistake(shown(self._path), line, message),))


def encoding_of(path: Path) -> str:
    """Return "cp1252", in which Excel saves CSV in Western Europe, for a file that is not in Unicode; else "".

    Raises:
        ListFileError: the file cannot be read.
    """
    try:
        for _ in Lines(path):
            pass
    except ListFileError as error:
        if error.mistakes[0].message == _NO_TEXT:
            return "cp1252"
        raise
    return ""


def digest_of(path: Path) -> str:
    """Return a digest of a file's content, as `Lines` makes it.

    Raises:
        OSError: the file cannot be read.
    """
    digest = blake2b(digest_size=16)
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
