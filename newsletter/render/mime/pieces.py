"""A rendered page cut at its marks: pieces of encoded text, and places for what differs between readers.

The text between the marks (`newsletter.render.mime.markers`) is encoded as quoted-printable once.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import NamedTuple, TypeAlias

from newsletter.core.errors import RenderError
from newsletter.render.mime import quoted
from newsletter.render.mime.markers import Markers

_MARKUP = re.compile(r"[&<>\"']")
# A value that is the same in both parts, and needs no encoding but a soft line break or two: that of nearly each
# reader. Links are often longer than a line. `+` after a count: what was matched is not tried again in part.
_PLAIN = re.compile(r"(?!\.|From )[ !#-%(-;?-~]{1,75}+(?:(?!\.|From )[ !#-%(-;?-~]{1,75}+)?")


class Text(NamedTuple):
    """Text as quoted-printable, and its bytes when it is decoded again (UTF-8, CRLF)."""

    encoded: bytes
    size: int

    @classmethod
    def of(cls, text: str) -> Text:
        """Return text encoded."""
        return cls(quoted.encode(text), len(text.encode("utf-8", "replace")) + text.count("\n"))


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
class Section:
    """Pieces that are left out if a section has no listings."""

    name: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """The place of a section's listings: each in its form, by position, with pieces between two of them."""

    forms: Mapping[int, tuple[Piece, ...]]
    between: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class BlockRun:
    """Consecutive listings in a page of a former version, by position, and the gaps between them, by place."""

    kind: str
    forms: Mapping[int, tuple[Piece, ...]]
    gaps: tuple[Text, ...] = ()


Piece: TypeAlias = "Text | Slot | When | Section | Run | BlockRun"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The slots that a page may have: anywhere, within a section too, and within a form of a listing too."""

    anywhere: Collection[str]
    section: Collection[str] = ()
    listing: Collection[str] = ()
    never_empty: Collection[str] = ()  # those of them that say something to each reader
    known: Mapping[str, str] = field(default_factory=dict)  # values that are the same for all readers


def compiled(page: str, markers: Markers, names: Names) -> tuple[Piece, ...]:
    """Cut a rendered page at its marks.

    Args:
        page: the page, inlined if it is HTML.
        markers: its marks.
        names: the slots that it may have.

    Raises:
        RenderError: a mark is unknown, not closed, out of place or spoilt; names the part and the mark.
    """
    whole = page if page.endswith("\n") else page + "\n"
    return _Compiler(whole, markers, names).level()


class _Compiler:
    """Reads the marks of a page recursively: a call of `level` for each part with an end."""

    def __init__(self, page: str, markers: Markers, names: Names) -> None:
        self._markers, self._known, self._never_empty = markers, names.known, frozenset(names.never_empty)
        anywhere = frozenset(names.anywhere) | names.known.keys()
        in_section = anywhere | frozenset(names.section)
        self._slots = {"": anywhere, "section": in_section, "listing": in_section | frozenset(names.listing)}
        self._forms: dict[str, dict[int, tuple[Piece, ...]]] = {}
        self._encoded = cache(Text.of)  # what stands between two marks is mostly the same in each form
        self._tokens = iter(markers.pattern.split(page))  # text and marks alternate; text is first and last

    def level(self, opened: str = "", within: str = "") -> tuple[Piece, ...]:
        """Read to the end of the part that began with the mark `opened`, or of the page.

        `within` is `section` or `listing`: what the part stands in.
        """
        found: list[str | Piece] = [self._text()]
        for mark in self._tokens:
            if mark == "end" and opened:
                return self._finished(found)
            found += self._marked(mark, opened, within)
            found.append(self._text())
        if opened:
            raise self._error(f"`{opened}` is never closed")
        return self._finished(found)

    def _marked(self, mark: str, opened: str, within: str) -> Iterable[str | Piece]:
        """Return what a mark stands for."""
        match mark.split("."):
            case ["slot", name] if name in self._slots[within]:
                return (self._slot(name),)
            case ["when", name] if name in self._slots[within]:
                return self._when(name, self.level(mark, within))
            case ["section", name] if not within:
                return (Section(name, self.level(mark, "section")),)
            case ["run", form] if within == "section":
                return (Run(self._forms.setdefault(form, {}), self.level(mark, "section")),)
            case ["form", form, position] if position.isdecimal() and within != "listing":
                self._add_form(form, int(position), self.level(mark, "listing"))
                return ()
            case ["begin", kind, position] if position.isdecimal() and within != "listing":
                return (BlockRun(kind, {int(position): self.level(mark, "listing")}),)
            case _:
                place = f" in `{opened}`" if opened else ""
                raise self._error(f"`{mark}` is unknown or out of place{place}")

    def _slot(self, name: str) -> Piece:
        if name in self._known:
            return encoded(self._known[name])[self._markers.html]
        return Slot(name, self._markers.html)

    def _when(self, name: str, inner: tuple[Piece, ...]) -> Iterable[Piece]:
        if name in self._known:
            return inner if self._known[name] else ()
        return inner if name in self._never_empty else (When(Slot(name, self._markers.html), inner),)

    def _add_form(self, form: str, position: int, pieces: tuple[Piece, ...]) -> None:
        if position in self._forms.setdefault(form, {}):
            raise self._error(f"two forms `{form}` belong to one listing")
        self._forms[form][position] = pieces

    def _text(self) -> str:
        text = next(self._tokens)
        if self._markers.nonce in text:
            raise self._error("a mark was spoilt on its way through the template or the inlining")
        return text

    def _finished(self, found: Iterable[str | Piece]) -> tuple[Piece, ...]:
        """Combine consecutive blocks of a former version, encode text, and join what is text only."""
        return tuple(_joined(map(self._piece, self._combined(_with_whole_texts(found)))))

    def _piece(self, piece: str | Piece) -> Piece:
        return self._encoded(piece) if isinstance(piece, str) else piece

    def _combined(self, found: list[str | Piece]) -> list[str | Piece]:
        """Combine consecutive blocks of a former version, if there are any."""
        if not any(isinstance(piece, BlockRun) for piece in found):
            return found
        pieces: list[str | Piece] = []
        for piece in found:
            match pieces[-2:], piece:
                case [BlockRun() as run, str() as gap], BlockRun() if run.kind == piece.kind and not gap.strip():
                    if run.forms.keys() & piece.forms:
                        raise self._error(f"two blocks `{piece.kind}` belong to one listing")
                    gaps = (*run.gaps, self._encoded(gap))
                    pieces[-2:] = [BlockRun(run.kind, {**run.forms, **piece.forms}, gaps)]
                case _:
                    pieces.append(piece)
        return pieces

    def _error(self, message: str) -> RenderError:
        return RenderError(f"marks of the {'HTML' if self._markers.html else 'text'} part: {message}")


def _with_whole_texts(found: Iterable[str | Piece]) -> list[str | Piece]:
    """Return pieces, consecutive strings as one."""
    pieces: list[str | Piece] = []
    for piece in found:
        before = pieces[-1] if pieces else None
        if isinstance(piece, str) and isinstance(before, str):
            pieces[-1] = before + piece
        else:
            pieces.append(piece)
    return pieces


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield pieces, consecutive texts as one."""
    texts: list[Text] = []
    for piece in pieces:
        if isinstance(piece, Text):
            if piece.encoded:
                texts.append(piece)
            continue
        yield from _one(texts)
        texts = []
        yield piece
    yield from _one(texts)


def _one(texts: list[Text]) -> Iterable[Text]:
    if len(texts) > 1:
        return (Text(b"".join([text.encoded for text in texts]), sum([text.size for text in texts])),)
    return texts


@lru_cache(maxsize=8192)
def encoded(value: str) -> tuple[Text, Text]:
    """Return a value encoded for a text part and for an HTML part; mostly they are the same.

    Cached: the same few values of listings and of choices occur in each choice.
    """
    text = Text.of(value)
    return text, Text.of(html.escape(value)) if _MARKUP.search(value) else text


def line_of(value: str) -> tuple[bytes, bytes]:
    """Return the encoded bytes of a reader's value for a text part and for an HTML part."""
    if is_plain(value):
        line = quoted.soft(value)
        return line, line
    lines = quoted.encode(value)
    return lines, quoted.encode(html.escape(value)) if _MARKUP.search(value) else lines


def is_plain(value: str) -> bool:
    """Return whether a value needs no encoding but soft line breaks, and is the same in both parts."""
    return _PLAIN.fullmatch(value) is not None
