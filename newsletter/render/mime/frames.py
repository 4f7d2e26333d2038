"""Frames: pages, and listings in their forms, whose parts are settled, so that only values are left to put in.

Which parts a page has depends on which sections have listings, and on which values are empty: its *kind*. There
are few kinds and many choices, so a frame is made once for each kind. That of a page is a row of steps: lines, and
the listings of a section, each of which has a frame of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple, TypeAlias

from newsletter.render.mime.pieces import BlockRun, Piece, Run, Section, Slot, Text, When, encoded

OF_CHOICE, OF_LISTING = "", "*"  # whose value is shown; that of a section is called by the section's name

_FRAMES_KEPT = 2048  # of listings of a run, some 2 KB each
_FILLED_KEPT = 16_384  # … with values of choices put in, some 300 bytes each


def kind_of(values: Mapping[str, str]) -> str:
    """Return a text that says which values there are, and which of them are empty."""
    return "".join([name + ("+" if value else "-") for name, value in values.items()])


class Values(dict[str, str]):
    """Values of slots that many choices have in common; their kind is worked out once."""

    @cached_property
    def kind(self) -> str:
        """Return which of them are empty."""
        return kind_of(self)

    @cached_property
    def told(self) -> str:
        """Return a text that says what they are."""
        return "\0".join([self.kind, *self.values()])


_NO_VALUES = Values()


class Chosen(NamedTuple):
    """What a section of a page shows: positions of listings in their order, and values of slots.

    Args:
        listings: for each position the values of the slots in its form.
        values: of slots of the section.
    """

    listings: Mapping[int, Values]
    values: Values = _NO_VALUES


class Begin(NamedTuple):
    """From here to its `End` all is left out if a reader's value is empty."""

    slot: Slot


class End(NamedTuple):
    """The end of what may be left out."""


Mark: TypeAlias = "Slot | Begin | End"


class Shown(NamedTuple):
    """A place for a value of the choice, of a section or of a listing."""

    place: int  # among the lines, one of which is empty there
    of: str
    name: str
    html: bool


class Lines(NamedTuple):
    """Encoded text. It is a step of a page's frame, and the whole frame of a listing.

    `shown` are the places for values of choices, `marks` those where readers differ. `size` is that of all lines
    when they are decoded.
    """

    lines: tuple[bytes, ...]
    shown: tuple[Shown, ...]
    marks: tuple[tuple[int, Mark], ...]
    size: int

    def with_values(self, values: Mapping[str, str]) -> Lines:
        """Return the lines of a listing with its values put in; those of others are still to be shown."""
        lines, size = list(self.lines), self.size
        for place, of, name, html in self.shown:
            if of == OF_LISTING:
                lines[place], more = encoded(values[name])[html]
                size += more
        of_others = tuple(one for one in self.shown if one.of != OF_LISTING)
        return Lines(tuple(lines), of_others, self.marks, size)


class Listings(NamedTuple):
    """A step: the listings of a section."""

    section: str
    forms: Forms


Frame: TypeAlias = "tuple[Lines | Listings, ...]"


class Known(NamedTuple):
    """A value that is known before the reader is: whose it is, and whether it is empty."""

    of: str
    is_empty: bool


def known(of: str, values: Mapping[str, str]) -> dict[str, Known]:
    """Return what a frame needs to know of values."""
    return {name: Known(of, not value) for name, value in values.items()}


class Forms:
    """The listings of a run in their forms, each with what stands between it and the one before.

    Args:
        run: the run.
        outer: the values of the choice and of the section.
    """

    def __init__(self, run: Run | BlockRun, outer: Mapping[str, Known]) -> None:
        self._forms, self._outer = run.forms, outer
        self._gaps = (run.between,) if isinstance(run, Run) else tuple((gap,) for gap in run.gaps)
        # For the first listing, and for the next: what stands before those that follow is the same. Then by the
        # values, and by position; None: there is no such form of the listing. Many readers have such a listing for
        # the same reasons.
        self.kept = tuple(defaultdict[str, dict[int, Lines | None]](dict) for _ in (None, *self._gaps))
        self._count = 0
        self._frames: dict[tuple[int, int, str], Lines] = {}  # by place, position and kind of values

    def made(self, place: int, position: int, values: Values) -> Lines | None:
        """Make a listing with its values, before which so many others stand, and keep it."""
        if self._count >= _FILLED_KEPT:
            self._count = 0
            for filled in self.kept:
                filled.clear()
        place = min(place, len(self._gaps))
        made = self._frame(place, position, values).with_values(values) if position in self._forms else None
        self.kept[place][values.told][position] = made
        self._count += 1
        return made

    def _frame(self, place: int, position: int, values: Values) -> Lines:
        key = (place, position, values.kind)
        frame = self._frames.get(key)
        if frame is None:
            if len(self._frames) >= _FRAMES_KEPT:
                self._frames.clear()
            pieces = (*(self._gaps[place - 1] if place else ()), *self._forms[position])
            frame = Framer({}, {}).lines(pieces, {**self._outer, **known(OF_LISTING, values)})
            self._frames[key] = frame
        return frame


class Framer:
    """Makes one frame: of a page, or of a form.

    Args:
        sections: what is chosen, by the names of sections; that of no name is for pages of former versions.
        forms: of this page's runs; those that are not there yet are added.
    """

    def __init__(self, sections: Mapping[str, Chosen], forms: dict[object, Forms]) -> None:
        self._sections, self._forms = sections, forms
        self._steps: list[Lines | Listings] = []
        self._lines = _Lines()

    def frame(self, pieces: Iterable[Piece], outer: Mapping[str, Known]) -> Frame:
        """Return the frame of a page; `outer` are the values that are known before the reader is."""
        last = self.lines(pieces, outer)
        return (*self._steps, last)

    def lines(self, pieces: Iterable[Piece], outer: Mapping[str, Known]) -> Lines:
        """Return the frame of pieces without runs, such as a form; of others, what follows the last run."""
        self._add(pieces, outer, "")
        return self._lines.whole()

    def _add(self, pieces: Iterable[Piece], outer: Mapping[str, Known], section: str) -> None:
        for piece in pieces:
            if isinstance(piece, Text):
                self._lines.add(piece)
            elif isinstance(piece, Slot):
                value = outer.get(piece.name)
                if value:
                    self._lines.show(value.of, piece)
                else:
                    self._lines.mark(piece)
            elif isinstance(piece, When):
                self._add_when(piece, outer, section)
            elif isinstance(piece, Section):
                chosen = self._sections.get(piece.name)
                if chosen and chosen.listings:
                    self._add(piece.pieces, {**outer, **known(piece.name, chosen.values)}, piece.name)
            else:
                self._steps += (self._lines.whole(), Listings(section, self._forms_of(piece, outer)))
                self._lines = _Lines()

    def _add_when(self, when: When, outer: Mapping[str, Known], section: str) -> None:
        value = outer.get(when.slot.name)
        if value is None:
            self._lines.mark(Begin(when.slot))
            self._add(when.pieces, outer, section)
            self._lines.mark(End())
        elif not value.is_empty:
            self._add(when.pieces, outer, section)

    def _forms_of(self, run: Run | BlockRun, outer: Mapping[str, Known]) -> Forms:
        """Return the forms of a run: the same ones where values that stand in them are of the same kind."""
        inner = {name: outer[name] for name in _names(run) if name in outer}
        key = (id(run), *inner.items())
        if key not in self._forms:
            self._forms[key] = Forms(run, inner)
        return self._forms[key]


class _Lines:
    """Lines that are being put together."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._line: list[bytes] = []  # texts of the last one
        self._shown: list[Shown] = []
        self._marks: list[tuple[int, Mark]] = []
        self._size = 0

    def add(self, text: Text) -> None:
        """Add a text to the last line."""
        self._line.append(text.encoded)
        self._size += text.size

    def show(self, of: str, slot: Slot) -> None:
        """Add a place for a value that is known before the reader is."""
        self._shown.append(Shown(self._place(), of, *slot))

    def mark(self, mark: Mark) -> None:
        """Add a place where readers differ."""
        self._marks.append((self._place(), mark))

    def whole(self) -> Lines:
        """Return them."""
        self._end_line()
        return Lines(tuple(self._lines), tuple(self._shown), tuple(self._marks), self._size)

    def _place(self) -> int:
        self._end_line()
        self._lines.append(b"")
        return len(self._lines) - 1

    def _end_line(self) -> None:
        if self._line:
            self._lines.append(b"".join(self._line))
            self._line = []


def _names(run: Run | BlockRun) -> list[str]:
    """Return the names of all slots in the forms of a run, and between them."""
    between = run.between if isinstance(run, Run) else ()
    parts = (*run.forms.values(), between)
    return sorted({name for part in parts for name in _slots(part)})


def _slots(pieces: Iterable[Piece]) -> Iterator[str]:
    """Yield the names of all slots in pieces."""
    for piece in pieces:
        if isinstance(piece, Slot):
            yield piece.name
        elif isinstance(piece, When):
            yield piece.slot.name
            yield from _slots(piece.pieces)
