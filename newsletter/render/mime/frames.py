"""Frames: pages, and listings in their forms, whose parts are settled, so that only values are left to put in.

Which parts a page has depends on which sections have listings, and on which values are empty: its *kind*. There are
few kinds and many choices, so a frame is made once for each kind. It is a row of steps::

    [text, place, text …]   the same for all choices; at a place goes a reader's value
    Shown                   a value of the choice, of a section or of a listing
    Listings                the listings of a section, each with a frame of its own
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import repeat
from typing import NamedTuple, TypeAlias

from newsletter.render.mime.pieces import BlockRun, Piece, Run, Section, Slot, Text, When

OF_CHOICE, OF_LISTING = "", "*"  # whose value is shown; that of a section is called by the section's name

_FRAMES_KEPT = 2048  # of listings of a run, some 2 KB each

Kind: TypeAlias = "tuple[tuple[str, ...], bytes]"


def kind_of(values: Mapping[str, str]) -> Kind:
    """Return which values there are, and which of them are not empty."""
    return tuple(values), bytes(map(bool, values.values()))


class Values(dict[str, str]):
    """Values of slots that many choices have in common; their kind is worked out once."""

    @cached_property
    def kind(self) -> Kind:
        """Return which of them are not empty."""
        return kind_of(self)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a section of a page shows: positions of listings in their order, and values of slots.

    Args:
        listings: for each position the values of the slots in its form.
        values: of slots of the section.
    """

    listings: Mapping[int, Values]
    values: Values = field(default_factory=Values)


class Begin(NamedTuple):
    """From here to its `End` all is left out if a reader's value is empty."""

    slot: Slot


class End(NamedTuple):
    """The end of what may be left out."""


class Shown(NamedTuple):
    """A step: a value of the choice, of a section or of a listing."""

    of: str
    name: str
    html: bool


class Listings(NamedTuple):
    """A step: the listings of a section."""

    section: str
    forms: Forms


Fixed: TypeAlias = "bytes | Slot | Begin | End"
Step: TypeAlias = "list[Fixed] | Shown | Listings"


class Frame(NamedTuple):
    """The steps to a page, or to a listing in its form.

    `slots` are the places of readers' values among them, and `size` is how many bytes their texts have when they
    are decoded.
    """

    steps: tuple[Step, ...]
    slots: tuple[Slot, ...]
    size: int


class Known(NamedTuple):
    """A value that is known before the reader is: whose it is, and whether it is empty."""

    of: str
    is_empty: bool


def known(of: str, values: Mapping[str, str]) -> dict[str, Known]:
    """Return what a frame needs to know of values."""
    return {name: Known(of, not value) for name, value in values.items()}


class Forms:
    """The listings of a run in their forms. A frame is kept by the kind of the listing's values, and its position.

    Args:
        run: the run.
        outer: the values of the choice and of the section.
    """

    def __init__(self, run: Run | BlockRun, outer: Mapping[str, Known]) -> None:
        self._forms, self._outer = run.forms, outer
        self._gaps = framed(run.between, outer) if isinstance(run, Run) else tuple(map(_frame_of, run.gaps))
        self._frames: dict[Kind, dict[int, Frame | None]] = {}
        self._count = 0

    def gaps(self) -> Iterator[Frame]:
        """Yield what stands between the first two listings, between the next two, and so on."""
        return repeat(self._gaps) if isinstance(self._gaps, Frame) else iter(self._gaps)

    def of_kind(self, kind: Kind) -> dict[int, Frame | None]:
        """Return the frames that are kept for listings with values of a kind, by position."""
        return self._frames.setdefault(kind, {})

    def frame(self, position: int, values: Values) -> Frame | None:
        """Make the frame of a listing, and keep it; None: there is no such form of the listing."""
        if self._count >= _FRAMES_KEPT:
            self._frames.clear()
            self._count = 0
        pieces = self._forms.get(position)
        made = None if pieces is None else framed(pieces, {**self._outer, **known(OF_LISTING, values)})
        self.of_kind(values.kind)[position] = made
        self._count += 1
        return made


def framed(pieces: Iterable[Piece], outer: Mapping[str, Known]) -> Frame:
    """Return the frame of pieces without sections and runs, such as a form.

    Args:
        pieces: the pieces.
        outer: the values that are known before the reader is.
    """
    return Framer({}, {}).frame(pieces, outer)


class Framer:
    """Makes the frame of a page.

    Args:
        sections: what is chosen, by the names of sections; that of no name is for pages of former versions.
        forms: of this page's runs; those that are not there yet are added.
    """

    def __init__(self, sections: Mapping[str, Chosen], forms: dict[object, Forms]) -> None:
        self._sections, self._forms = sections, forms
        self._steps: list[Step] = []
        self._slots: list[Slot] = []
        self._size = 0

    def frame(self, pieces: Iterable[Piece], outer: Mapping[str, Known]) -> Frame:
        """Return the frame of pieces; `outer` are the values that are known before the reader is."""
        self._add(pieces, outer, "")
        steps = (merged(step) if isinstance(step, list) else step for step in self._steps)
        return Frame(tuple(steps), tuple(self._slots), self._size)

    def _add(self, pieces: Iterable[Piece], outer: Mapping[str, Known], section: str) -> None:
        for piece in pieces:
            if isinstance(piece, Text):
                self._add_fixed(piece.encoded)
                self._size += piece.size
            elif isinstance(piece, Slot):
                self._add_slot(piece, outer)
            elif isinstance(piece, When):
                self._add_when(piece, outer, section)
            elif isinstance(piece, Section):
                chosen = self._sections.get(piece.name)
                if chosen and chosen.listings:
                    self._add(piece.pieces, {**outer, **known(piece.name, chosen.values)}, piece.name)
            else:
                self._steps.append(Listings(section, self._forms_of(piece, outer)))

    def _add_slot(self, slot: Slot, outer: Mapping[str, Known]) -> None:
        value = outer.get(slot.name)
        if value:
            self._steps.append(Shown(value.of, *slot))
        else:
            self._slots.append(slot)
            self._add_fixed(slot)

    def _add_when(self, when: When, outer: Mapping[str, Known], section: str) -> None:
        value = outer.get(when.slot.name)
        if value is None:
            self._add_fixed(Begin(when.slot))
            self._add(when.pieces, outer, section)
            self._add_fixed(End())
        elif not value.is_empty:
            self._add(when.pieces, outer, section)

    def _add_fixed(self, piece: Fixed) -> None:
        last = self._steps[-1] if self._steps else None
        if isinstance(last, list):
            last.append(piece)
        else:
            self._steps.append([piece])

    def _forms_of(self, run: Run | BlockRun, outer: Mapping[str, Known]) -> Forms:
        """Return the forms of a run: the same ones where values that stand in them are of the same kind."""
        inner = {name: outer[name] for name in _names(run) if name in outer}
        key = (id(run), *inner.items())
        if key not in self._forms:
            self._forms[key] = Forms(run, inner)
        return self._forms[key]


def merged(pieces: Iterable[Fixed]) -> list[Fixed]:
    """Return pieces, of which those of text that stand beside each other are one."""
    whole: list[Fixed] = []
    texts: list[bytes] = []
    for piece in pieces:
        if type(piece) is bytes:
            texts.append(piece)
        else:
            if texts:
                whole.append(b"".join(texts))
                texts = []
            whole.append(piece)
    if texts:
        whole.append(b"".join(texts))
    return whole


def _frame_of(text: Text) -> Frame:
    return Frame(([text.encoded],), (), text.size)


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
