"""Ready pieces of a page, joined for each reader.

What differs between readers is of two kinds. The selection and order of the pieces depend only on what was chosen
for a reader, so they are worked out once for each choice. A reader's own values become lines between these pieces.

    compiled(page) ──once an issue──▶ CompiledPage.arranged ──once a choice──▶ Body.filled, for each reader

Many readers have a choice of their own. So what most choices have in common is worked out once
(`newsletter.render.mime.frames`): the parts of a page, and each listing in its form.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

from newsletter.render.mime.frames import (
    OF_CHOICE,
    Begin,
    Chosen,
    Forms,
    Frame,
    Framer,
    Lines,
    Listings,
    Mark,
    Shown,
    Values,
    kind_of,
    known,
)
from newsletter.render.mime.pieces import BlockRun, Piece, Section, Slot, When, encoded, line_of

_FRAMES_KEPT = 64  # of a page, some 30 KB each
_NOTHING = Chosen({})


@dataclass(slots=True)
class Arrangement:
    """A page for a choice of listings, complete except for the reader's values.

    `lines` are its bytes; `marks` are the places among them where readers differ. `size` is how many bytes it has
    when it is decoded, without readers' values; `sizes` are those of each section's listings, by position.
    """

    lines: list[bytes] = field(default_factory=list)
    marks: list[tuple[int, Mark]] = field(default_factory=list)
    size: int = 0
    sizes: dict[str, dict[int, int]] = field(default_factory=dict)

    @property
    def slots(self) -> list[Slot]:
        """Return the slots of readers' values, each as often as it stands in the page."""
        return [mark for _, mark in self.marks if type(mark) is Slot]


class CompiledPage:
    """A compiled page, which is arranged for one choice after the other. Threads may share it."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._frames: dict[object, Frame] = {}
        self._forms: dict[object, Forms] = {}
        self.is_former = any(isinstance(piece, BlockRun) for piece in _all(pieces))  # a former version made it

    def arranged(self, sections: Mapping[str, Chosen], values: Mapping[str, str], kind: str = "") -> Arrangement:
        """Return the page for a choice of listings.

        Args:
            sections: what is chosen, by the names of sections; that of no name is for pages of former versions.
            values: of the slots that depend only on the choice.
            kind: what `kind_of` says of these values, where it is known already.
        """
        page = _Page(sections, values)
        for step in self._frame(sections, values, kind or kind_of(values)):
            if type(step) is Lines:
                page.add(step)
            elif type(step) is Listings:
                page.add_listings(*step)
        return page.whole

    def _frame(self, sections: Mapping[str, Chosen], values: Mapping[str, str], kind: str) -> Frame:
        shown = [(name, chosen.values.kind) for name, chosen in sections.items() if chosen.listings]
        key = (kind, *shown)
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

    def add(self, new: Lines) -> None:
        """Add lines with the values that are shown."""
        new_lines, shown, marks, size = new
        whole = self.whole
        first = len(whole.lines)
        whole.lines += new_lines
        whole.size += size + (self._show(first, shown) if shown else 0)
        for place, mark in marks:
            whole.marks.append((first + place, mark))

    def add_listings(self, section: str, forms: Forms) -> None:
        """Add the listings of a section, each in its form, with what stands between it and the one before."""
        lines, all_marks, sizes = self.whole.lines, self.whole.marks, self.whole.sizes.setdefault(section, {})
        kept, frames = forms.kept[0], forms.kept[0][""]
        values: Values | None = None
        count, last = len(sizes), len(forms.kept) - 1
        for position, own in self._sections.get(section, _NOTHING).listings.items():
            if count <= last:
                kept, values = forms.kept[count], None
            if own is not values:  # listings that come because everybody gets them have the same, and are many
                values, frames = own, kept[own.told]
            frame = frames.get(position) or forms.made(count, position, own)
            if frame:  # the same as `add`: a call for each of many listings takes half as long again
                new_lines, shown, marks, size = frame
                first = len(lines)
                lines += new_lines
                if shown:
                    size += self._show(first, shown)
                for place, mark in marks:
                    all_marks.append((first + place, mark))
                sizes[position] = size
                count += 1
        self.whole.size += sum(sizes.values())

    def _show(self, first: int, shown: Iterable[Shown]) -> int:
        """Put in the values of choice and section, counting places from the line `first`; return their length."""
        lines, values, size = self.whole.lines, self._values, 0
        for place, of, name, html in shown:
            lines[first + place], more = encoded(values[of][name])[html]
            size += more
        return size


class Body:
    """A message's body for a choice, ready to be filled in for each reader who has it. Threads may share it.

    Args:
        parts: of the message, in their order.
    """

    def __init__(self, parts: Iterable[bytes | Arrangement]) -> None:
        self._parts = tuple(parts)
        # By the names of slots, empty where the value is; None: filled once.
        self._joined: dict[tuple[str, ...], _Joined | None] = {}

    def filled(self, values: Mapping[str, str]) -> Sequence[bytes]:
        """Return the body with a reader's values, by the names of slots; in pieces, which readers share."""
        lines = [line for value in values.values() for line in line_of(value)]
        return self.with_lines(tuple(values), lines)[0]

    def with_lines(self, names: tuple[str, ...], lines: list[bytes]) -> tuple[Sequence[bytes], int]:
        """Return what `filled` does, and how many bytes that is.

        Args:
            names: of the slots.
            lines: their values in the order of the names, each as `line_of` returns it.
        """
        key = names
        if not all(lines):
            key = tuple([name if line else "" for name, line in zip(names, lines[::2], strict=True)])
        joined = self._joined.get(key)
        if joined:
            # To join a few short lines takes a fifth of the time in which the length of each piece is looked up.
            both = lines + joined.texts
            return joined.in_order(both), joined.size + len(b"".join(joined.own(both)))
        own = {name: (lines[2 * place], lines[2 * place + 1]) for place, name in enumerate(names)}
        empty = frozenset(names).difference(key)
        if key not in self._joined:  # to join takes longer than it saves, unless some readers share the choice
            self._joined[key] = None
            whole = b"".join(self._shown(empty, own, None))
            return (whole,), len(whole)
        places = list[tuple[int, Slot]]()
        shown = self._shown(empty, own, places)
        self._joined[key] = _Joined.of(shown, places, names)
        whole = b"".join(shown)
        return (whole,), len(whole)

    def _shown(
        self, empty: Collection[str], own: Mapping[str, tuple[bytes, bytes]], places: list[tuple[int, Slot]] | None
    ) -> list[bytes]:
        """Return the lines that are shown if these values are empty, with the others put in.

        Args:
            empty: the names of slots.
            own: the values as `line_of` returns them.
            places: are put in here; None: nobody asks.
        """
        lines = list[bytes]()
        for part in self._parts:
            if isinstance(part, bytes):
                lines.append(part)
                continue
            first = len(lines)
            lines += part.lines
            hidden = since = 0  # parts that are left out, one within the other; and where the first began
            for place, mark in part.marks:
                if type(mark) is Slot:
                    if not hidden:
                        name, html = mark
                        lines[first + place] = own[name][html]
                        if places is not None:
                            places.append((first + place, mark))
                elif type(mark) is Begin:
                    since = since if hidden else first + place
                    hidden += hidden > 0 or mark.slot.name in empty
                elif hidden:
                    hidden -= 1
                    lines[since : first + place] = [b""] * (first + place - since)
        return lines


class _Joined(NamedTuple):
    """The lines of a body, joined where they stand beside each other, for one reader after the other.

    `in_order` takes the lines of a reader's values, with `texts` behind them, and returns the body; `own` takes
    the same, and returns only what is the reader's own of it. `size` is that of everything else.
    """

    texts: list[bytes]
    size: int
    own: Callable[[list[bytes]], tuple[bytes, ...]]
    in_order: Callable[[list[bytes]], tuple[bytes, ...]]

    @classmethod
    def of(cls, lines: Sequence[bytes], places: Sequence[tuple[int, Slot]], names: Sequence[str]) -> _Joined:
        """Join lines between the places of values, which come as `Body.with_lines` takes them."""
        after = 2 * len(names)
        # An empty one, which stands twice: `itemgetter` returns a tuple of two or more.
        texts, own, order, start = [b""], [after, after], [after], 0
        for place, slot in [*places, (len(lines), None)]:
            order.append(after + len(texts))
            texts.append(b"".join(lines[start:place]))
            if slot:
                own.append(2 * names.index(slot.name) + slot.html)
                order.append(own[-1])
            start = place + 1
        return cls(texts, sum(map(len, texts)), itemgetter(*own), itemgetter(*order))


def _all(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield pieces and those within them."""
    for piece in pieces:
        yield piece
        if isinstance(piece, When | Section):
            yield from _all(piece.pieces)
