"""A rendered page, compiled once into pieces of ready bytes that are joined for each reader.

The text between the marks (`newsletter.render.mime.markers`) is encoded as quoted-printable once. A reader's own
values become lines between these pieces. The selection and order of the pieces depends only on the reader's choice
of listings, so it is computed once for each choice. For each reader only a few slots are filled.

    compiled(page) ──once an issue──▶ arranged(pieces) ──once a choice of topics──▶ filled(pieces)
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from newsletter.core.errors import RenderError
from newsletter.render.mime import quoted
from newsletter.render.mime.markers import Markers

_MARKUP = re.compile(r"[&<>\"']")


class Slot(NamedTuple):
    """A place for a value; in HTML it is escaped, for text and for attributes."""

    name: str
    html: bool


@dataclass(frozen=True, slots=True)
class When:
    """Pieces that are left out if a slot's value is empty."""

    slot: Slot
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class BlockRun:
    """Consecutive blocks of the same kind, by the listing's position, and the gaps between them, by place."""

    kind: str
    blocks: Mapping[int, tuple[Piece, ...]]
    gaps: tuple[bytes, ...] = ()


Piece: TypeAlias = "bytes | Slot | When | BlockRun"


def compiled(
    page: str, markers: Markers, *, of_reader: Collection[str], of_listing: Collection[str]
) -> tuple[Piece, ...]:
    """Cut a rendered page at its marks.

    Args:
        page: the page, inlined if it is HTML.
        markers: its marks.
        of_reader: the slots that are allowed anywhere.
        of_listing: the slots that are allowed in the block of a listing.

    Raises:
        RenderError: a mark is unknown, not closed, out of place or spoilt; names the part and the mark.
    """
    whole = page if page.endswith("\n") else page + "\n"
    return _Compiler(whole, markers, frozenset(of_reader), frozenset(of_listing)).level()


class _Compiler:
    """Reads the marks of a page recursively: a call of `level` for each block."""

    def __init__(self, page: str, markers: Markers, of_reader: frozenset[str], of_listing: frozenset[str]) -> None:
        self._markers = markers
        self._slots = {False: of_reader, True: of_reader | of_listing}
        self._tokens = iter(markers.pattern.split(page))  # text and marks alternate; text is first and last

    def level(self, opened: str = "", *, in_listing: bool = False) -> tuple[Piece, ...]:
        """Read to the end of the block that began with the mark `opened`, or of the page."""
        found: list[str | Piece] = [self._text()]
        slots = self._slots[in_listing]
        for mark in self._tokens:
            match mark.split("."):
                case ["end"] if opened:
                    return self._finished(found)
                case ["slot", name] if name in slots:
                    found.append(Slot(name, self._markers.html))
                case ["when", name] if name in slots:
                    inner = self.level(mark, in_listing=in_listing)
                    found.append(When(Slot(name, self._markers.html), inner))
                case ["begin", kind, position] if position.isdecimal() and not in_listing:
                    inner = self.level(mark, in_listing=True)
                    found.append(BlockRun(kind, {int(position): inner}))
                case _:
                    place = f" in `{opened}`" if opened else ""
                    raise self._error(f"`{mark}` is unknown or out of place{place}")
            found.append(self._text())
        if opened:
            raise self._error(f"`{opened}` is never closed")
        return self._finished(found)

    def _text(self) -> str:
        text = next(self._tokens)
        if self._markers.nonce in text:
            raise self._error("a mark was spoilt on its way through the template or the inlining")
        return text

    def _finished(self, found: Iterable[str | Piece]) -> tuple[Piece, ...]:
        """Combine consecutive blocks of the same kind with only whitespace between them; encode the text."""
        pieces: list[str | Piece] = []
        for piece in found:
            match pieces[-2:], piece:
                case [BlockRun() as run, str() as gap], BlockRun() if run.kind == piece.kind and not gap.strip():
                    if run.blocks.keys() & piece.blocks:
                        raise self._error(f"two blocks `{piece.kind}` belong to one listing")
                    gaps = (*run.gaps, quoted.encode(gap))
                    pieces[-2:] = [BlockRun(run.kind, {**run.blocks, **piece.blocks}, gaps)]
                case _:
                    pieces.append(piece)
        return tuple(quoted.encode(piece) if isinstance(piece, str) else piece for piece in pieces)

    def _error(self, message: str) -> RenderError:
        return RenderError(f"marks of the {'HTML' if self._markers.html else 'text'} part: {message}")


class Arrangement(NamedTuple):
    """A page for a choice of listings, complete except for the reader's values.

    `lines` are its bytes, empty at the places of values; `gaps` name these places and the values. `optional` are
    ranges of lines (the end is not included) that are left out if a value is empty.
    """

    lines: list[bytes]
    gaps: list[tuple[int, Slot]]
    optional: list[tuple[Slot, int, int]]


def arranged(
    pieces: Iterable[Piece], listings: Mapping[int, Mapping[str, str]], values: Mapping[str, str]
) -> Arrangement:
    """Return the page for a choice of listings.

    Args:
        pieces: a compiled page.
        listings: the positions of the chosen listings in their order, each with the values of its own slots.
            Blocks of other listings are left out.
        values: of the slots that depend only on the choice.
    """
    arranger = _Arranger(listings)
    arranger.add_all(pieces, values)
    return Arrangement([bytes(line) for line in arranger.lines], arranger.gaps, arranger.optional)


class _Arranger:
    """Joins the pieces of a page."""

    def __init__(self, listings: Mapping[int, Mapping[str, str]]) -> None:
        self._listings = listings
        self.lines = [bytearray()]
        self.gaps: list[tuple[int, Slot]] = []
        self.optional: list[tuple[Slot, int, int]] = []

    def add_all(self, pieces: Iterable[Piece], known: Mapping[str, str]) -> None:
        for piece in pieces:
            match piece:
                case bytes():
                    self.lines[-1] += piece
                case Slot(name=name) if name in known:
                    self.lines[-1] += _known(piece, known[name])
                case Slot():
                    self.gaps.append((len(self.lines), piece))
                    self.lines += (bytearray(), bytearray())
                case When(slot=slot, pieces=inner) if slot.name in known:
                    self.add_all(inner if known[slot.name] else (), known)
                case When(slot=slot, pieces=inner):
                    start = len(self.lines)
                    self.lines.append(bytearray())
                    self.add_all(inner, known)
                    self.optional.append((slot, start, len(self.lines)))
                    self.lines.append(bytearray())
                case BlockRun(blocks=blocks, gaps=gaps):
                    for place, position in enumerate(listing for listing in self._listings if listing in blocks):
                        self.lines[-1] += gaps[place - 1] if place else b""
                        self.add_all(blocks[position], {**known, **self._listings[position]})


@lru_cache(maxsize=1024)
def _known(slot: Slot, value: str) -> bytes:
    """Encode a listing's value. Cached: the same few values occur in each choice."""
    return _encoded(value)[slot.html]


def _encoded(value: str) -> tuple[bytes, bytes]:
    """Return a value encoded for a text part and for an HTML part; mostly they are the same."""
    lines = quoted.encode(value)
    return lines, quoted.encode(html.escape(value)) if _MARKUP.search(value) else lines


def filled(arrangement: Arrangement, values: Mapping[str, str]) -> list[bytes]:
    """Return the lines of an arranged page with a reader's values (by the names of slots), to be joined."""
    encoded = {name: _encoded(value) for name, value in values.items()}
    lines = arrangement.lines.copy()
    for place, (name, is_html) in arrangement.gaps:
        lines[place] = encoded[name][is_html]
    for slot, start, end in arrangement.optional:
        if not values[slot.name]:
            lines[start:end] = [b""] * (end - start)
    return lines
