"""Ready pieces of a page, joined for each reader.

What differs between readers is of two kinds. The selection and order of the pieces depend only on what was chosen
for a reader, so they are worked out once for each choice. A reader's own values become lines between these pieces.

    compiled(page) ──once an issue──▶ CompiledPage.arranged ──once a choice──▶ Body.filled, for each reader

Many readers have a choice of their own. So what most choices have in common is worked out once
(`newsletter.render.mime.frames`): the parts of a page, and each listing in its form.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from newsletter.render.mime.frames import (
    OF_CHOICE,
    OF_LISTING,
    Begin,
    Chosen,
    End,
    Fixed,
    Forms,
    Frame,
    Framer,
    Listings,
    Shown,
    kind_of,
    known,
    merged,
)
from newsletter.render.mime.pieces import BlockRun, Piece, Section, Slot, When, encoded, line_of

_FRAMES_KEPT = 64  # of a page, some 30 KB each
_NONE: frozenset[str] = frozenset()
_NOTHING = Chosen({})


@dataclass(slots=True)
class Arrangement:
    """A page for a choice of listings, complete except for the reader's values.

    `pieces` are its bytes, and the places of readers' values, which `slots` names once more. `size` is how many
    bytes it has when it is decoded, without readers' values; `sizes` are those of each section's listings, by
    position.
    """

    pieces: list[Fixed] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    size: int = 0
    sizes: dict[str, dict[int, int]] = field(default_factory=dict)


class CompiledPage:
    """A compiled page, which is arranged for one choice after the other. Threads may share it."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._frames: dict[object, Frame] = {}
        self._forms: dict[object, Forms] = {}
        self.is_former = any(isinstance(piece, BlockRun) for piece in _all(pieces))  # a former version made it

    def arranged(self, sections: Mapping[str, Chosen], values: Mapping[str, str]) -> Arrangement:
        """Return the page for a choice of listings.

        Args:
            sections: what is chosen, by the names of sections; that of no name is for pages of former versions.
            values: of the slots that depend only on the choice.
        """
        page = _Page(sections, values)
        page.add(self._frame(sections, values))
        return page.whole

    def _frame(self, sections: Mapping[str, Chosen], values: Mapping[str, str]) -> Frame:
        shown = [(name, chosen.values.kind) for name, chosen in sections.items() if chosen.listings]
        key = (kind_of(values), *shown)
        frame = self._frames.get(key)
        if frame is None:
            if len(self._frames) >= _FRAMES_KEPT:
                self._frames.clear()
                self._forms.clear()
            frame = Framer(sections, self._forms).frame(self._pieces, known(OF_CHOICE, values))
            self._frames[key] = frame
        return frame


class _Page:
    """A page that is made by the steps of its frame."""

    def __init__(self, sections: Mapping[str, Chosen], values: Mapping[str, str]) -> None:
        self.whole = Arrangement()
        self._sections = sections
        self._values = {name: chosen.values for name, chosen in sections.items()} | {OF_CHOICE: values}

    def add(self, frame: Frame) -> None:
        """Add what a frame leads to."""
        steps, slots, size = frame
        whole = self.whole
        whole.slots += slots
        whole.size += size
        for step in steps:
            if type(step) is list:
                whole.pieces += step
            elif type(step) is Shown:
                of, name, html = step
                text = encoded(self._values[of][name])[html]
                whole.pieces.append(text.encoded)
                whole.size += text.size
            elif type(step) is Listings:
                self._add_listings(*step)

    def _add_listings(self, section: str, forms: Forms) -> None:
        """Add the listings of a section, each in its form, with what stands between it and the one before."""
        whole = self.whole
        sizes: dict[int, int] = {}
        gaps = forms.gaps()
        for position, values in self._sections.get(section, _NOTHING).listings.items():
            frames = forms.of_kind(values.kind)
            frame = frames[position] if position in frames else forms.frame(position, values)
            if frame is None:
                continue
            before = whole.size
            if sizes:
                self.add(next(gaps))
            self._values[OF_LISTING] = values
            self.add(frame)
            sizes[position] = whole.size - before
        whole.sizes[section] = sizes


class Body:
    """A message's body for a choice, ready to be filled in for each reader who has it. Threads may share it.

    Args:
        parts: of the message, in their order.
    """

    def __init__(self, parts: Iterable[bytes | Arrangement]) -> None:
        pieces = (piece for part in parts for piece in ((part,) if isinstance(part, bytes) else part.pieces))
        self._pieces = merged(pieces)
        self._conditions = {piece.slot.name for piece in self._pieces if type(piece) is Begin}
        self._lines: dict[frozenset[str], _Lines] = {}

    def filled(self, values: Mapping[str, str]) -> bytes:
        """Return the body with a reader's values, by the names of slots."""
        empty = frozenset(name for name in self._conditions if not values[name]) if self._conditions else _NONE
        ready = self._lines.get(empty)
        if ready is None:
            self._lines[empty] = ready = _Lines.of(_without(self._pieces, empty))
        lines = ready.lines.copy()
        own = {name: line_of(value) for name, value in values.items()}
        for place, (name, html) in ready.places:
            lines[place] = own[name][html]
        return b"".join(lines)


class _Lines(NamedTuple):
    """The bytes of a body, empty at the places of readers' values; `places` name these and the values."""

    lines: list[bytes]
    places: list[tuple[int, Slot]]

    @classmethod
    def of(cls, pieces: Sequence[Fixed]) -> _Lines:
        """Return pieces of which none is optional."""
        places = [(place, piece) for place, piece in enumerate(pieces) if isinstance(piece, Slot)]
        return cls([piece if isinstance(piece, bytes) else b"" for piece in pieces], places)


def _without(pieces: Iterable[Fixed], empty: Collection[str]) -> list[Fixed]:
    """Return pieces without what is left out if these values are empty."""
    left: list[Fixed] = []
    begun: list[bool] = []  # of each part that is not ended: whether it is left out
    for piece in pieces:
        if type(piece) is Begin:
            begun.append(piece.slot.name in empty)
        elif type(piece) is End:
            begun.pop()
        elif not any(begun):
            left.append(piece)
    return merged(left)


def _all(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield pieces and those within them."""
    for piece in pieces:
        yield piece
        if isinstance(piece, When | Section):
            yield from _all(piece.pieces)
