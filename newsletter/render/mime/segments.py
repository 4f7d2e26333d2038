"""Ready pieces of a page, joined for each reader.

What differs between readers is of two kinds. The selection and order of the pieces depend only on what was chosen
for a reader, so they are worked out once for each choice. A reader's own values become lines between these pieces.

    compiled(page) ──once an issue──▶ CompiledPage.arranged ──once a choice──▶ filled, for each reader

Many readers have a choice of their own. So what most choices have in common is worked out once: the *frame* of a
page (its parts, by which sections have listings and which values are empty) and each listing in its form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from newsletter.render.mime.pieces import BlockRun, Piece, Run, Section, Slot, Text, When, encoded, line_of

_FORMS_KEPT, _KINDS_KEPT = 2048, 16  # listings in a form, some 2 KB each; and of how many sections
_FRAMES_KEPT = 64  # some 30 KB each


class Values(dict[str, str]):
    """Values of slots, known by which object it is: the fewer there are for the same values, the better."""

    __hash__ = object.__hash__  # type: ignore[assignment]  # dict has none

    def __eq__(self, other: object) -> bool:
        """Return whether it is the same object."""
        return self is other


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a section of a page shows: positions of listings in their order, and values of slots.

    Args:
        listings: for each position the values of the slots in its form.
        values: of slots of the section.
    """

    listings: Mapping[int, Values]
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Arrangement:
    """A page for a choice of listings, complete except for the reader's values.

    `lines` are its bytes, empty at the places of values; `gaps` name these places and the values. `optional` are
    ranges of lines (the end is not included) that are left out if a value is empty. `size` is how many bytes it
    has when it is decoded, without readers' values; `sizes` are those of each section's listings, by position.
    """

    lines: list[bytes] = field(default_factory=list)
    gaps: list[tuple[int, Slot]] = field(default_factory=list)
    optional: list[tuple[Slot, int, int]] = field(default_factory=list)
    size: int = 0
    sizes: dict[str, dict[int, int]] = field(default_factory=dict)


class _Part(NamedTuple):
    """A listing in its form, ready to be put between others: text before and after its lines, and these."""

    head: bytes
    lines: list[bytes]
    tail: bytes
    gaps: list[tuple[int, Slot]]
    optional: list[tuple[Slot, int, int]]
    size: int

    @classmethod
    def of(cls, whole: Arrangement) -> _Part:
        """Return an arrangement as a part; its first and last line stand by themselves if they are text only."""
        lines, end = whole.lines, len(whole.lines)
        differing = {place for place, _ in whole.gaps}
        differing.update(place for _, start, stop in whole.optional for place in range(start, stop))
        if not differing:
            return cls(b"".join(lines), [], b"", [], [], whole.size)
        first = 1 if 0 not in differing else 0
        last = end - 1 if end > first and end - 1 not in differing else end
        return cls(
            head=b"".join(lines[:first]),
            lines=lines[first:last],
            tail=b"".join(lines[last:]),
            gaps=[(place - first, slot) for place, slot in whole.gaps],
            optional=[(slot, start - first, stop - first) for slot, start, stop in whole.optional],
            size=whole.size,
        )


_Ready: TypeAlias = "Callable[..., dict[tuple[int, Values, bool], _Part]]"


class CompiledPage:
    """A compiled page, which is arranged for one choice after the other. Threads may share it.

    Most choices show listings that others show just so. So a listing's form is kept ready, with the values of the
    slots that stand in it; and so is the frame of the page.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._frames: dict[tuple[object, ...], tuple[_Step, ...]] = {}
        self.is_former = any(isinstance(piece, BlockRun) for piece in _all(pieces))  # a former version made it
        self.ready: _Ready = lru_cache(maxsize=_KINDS_KEPT)(lambda *_: {})

    def arranged(self, sections: Mapping[str, Chosen], values: Mapping[str, str]) -> Arrangement:
        """Return the page for a choice of listings.

        Args:
            sections: what is chosen, by the names of sections; that of no name is for pages of former versions.
            values: of the slots that depend only on the choice.
        """
        if self.is_former:
            return _Arranger(sections).of(self._pieces, values)
        return _Filler(self, sections, values).of(self._frame(sections, values))

    def _frame(self, sections: Mapping[str, Chosen], values: Mapping[str, str]) -> tuple[_Step, ...]:
        shown = [(name, _kind(chosen.values)) for name, chosen in sections.items() if chosen.listings]
        key = (_kind(values), *shown)
        frame = self._frames.get(key)
        if frame is None:
            if len(self._frames) >= _FRAMES_KEPT:
                self._frames.clear()
            self._frames[key] = frame = _Framer(sections).frame(self._pieces, values)
        return frame


def _kind(values: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[bool, ...]]:
    """Return which values there are, and which of them say something: the rest of a page's frame is the same."""
    return tuple(values), tuple(map(bool, values.values()))


def _all(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield pieces and those within them; not those of forms."""
    for piece in pieces:
        yield piece
        if isinstance(piece, When | Section):
            yield from _all(piece.pieces)


def _names(run: Run) -> list[str]:
    """Return the names of all slots in the forms of a run, and between them."""
    parts = (*run.forms.values(), run.between)
    return sorted({name for part in parts for name in _slots(part)})


def _slots(pieces: Iterable[Piece]) -> Iterator[str]:
    """Yield the names of all slots in pieces."""
    for piece in _all(pieces):
        if isinstance(piece, Slot):
            yield piece.name
        elif isinstance(piece, When):
            yield piece.slot.name


class _Shown(NamedTuple):
    """A step of a frame: the value of a slot, of a section or, where `section` is empty, of the choice."""

    section: str
    name: str
    html: bool


class _Listings(NamedTuple):
    """A step of a frame: the listings of a section."""

    section: str
    run: Run
    known: tuple[_Shown, ...]  # which values in their forms are the choice's or the section's


class _Begin(NamedTuple):
    """A step of a frame: from here on to `_END`, all is left out if a reader's value is empty."""

    slot: Slot


_END = "the end of what may be left out"
_Step: TypeAlias = "Text | Slot | _Shown | _Listings | _Begin | str"


class _Framer:
    """Works out which steps lead to a page of some kind."""

    def __init__(self, sections: Mapping[str, Chosen]) -> None:
        self._sections = sections
        self._steps: list[_Step] = []

    def frame(self, pieces: Iterable[Piece], values: Mapping[str, str]) -> tuple[_Step, ...]:
        """Return the steps to a page whose values are empty where these are, and whose sections are these."""
        self._add(pieces, {name: ("", value) for name, value in values.items()}, "")
        return tuple(self._steps)

    def _add(self, pieces: Iterable[Piece], known: dict[str, tuple[str, str]], section: str) -> None:
        """Add the steps of pieces. `known` are the values there, and of which section they are."""
        for piece in pieces:
            if isinstance(piece, Text):
                self._add_text(piece)
            elif isinstance(piece, Slot):
                of = known.get(piece.name)
                self._steps.append(_Shown(of[0], *piece) if of else piece)
            elif isinstance(piece, When):
                self._add_when(piece, known, section)
            elif isinstance(piece, Section):
                chosen = self._sections.get(piece.name)
                if chosen and chosen.listings:
                    theirs = {name: (piece.name, value) for name, value in chosen.values.items()}
                    self._add(piece.pieces, {**known, **theirs}, piece.name)
            elif isinstance(piece, Run):
                names = _names(piece)
                shown = tuple(_Shown(known[name][0], name, html=False) for name in names if name in known)
                self._steps.append(_Listings(section, piece, shown))

    def _add_text(self, text: Text) -> None:
        last = self._steps[-1] if self._steps else None
        if isinstance(last, Text):
            self._steps[-1] = Text(last.encoded + text.encoded, last.size + text.size)
        else:
            self._steps.append(text)

    def _add_when(self, when: When, known: dict[str, tuple[str, str]], section: str) -> None:
        of = known.get(when.slot.name)
        if of is None:
            self._steps.append(_Begin(when.slot))
            self._add(when.pieces, known, section)
            self._steps.append(_END)
        elif of[1]:
            self._add(when.pieces, known, section)


class _Filler:
    """Fills a frame for a choice."""

    def __init__(self, page: CompiledPage, sections: Mapping[str, Chosen], values: Mapping[str, str]) -> None:
        self._compiled, self._sections, self._values = page, sections, values
        self._page = Arrangement()
        self._line: list[bytes] = []

    def of(self, frame: Iterable[_Step]) -> Arrangement:
        """Return the page that a frame leads to."""
        page, line = self._page, self._line
        begun: list[tuple[Slot, int]] = []
        for step in frame:
            if type(step) is Text:
                line.append(step[0])
                page.size += step[1]
            elif type(step) is _Shown:
                text = encoded(self._value(step))[step.html]
                line.append(text[0])
                page.size += text[1]
            elif type(step) is _Listings:
                self._add_listings(step)
            elif type(step) is Slot:
                self._end_line()
                page.gaps.append((len(page.lines), step))
                page.lines.append(b"")
            else:
                self._end_line()
                if type(step) is _Begin:
                    begun.append((step.slot, len(page.lines)))
                else:
                    page.optional.append((*begun.pop(), len(page.lines)))
        self._end_line()
        return page

    def _value(self, shown: _Shown) -> str:
        values = self._sections[shown.section].values if shown.section else self._values
        return values[shown.name]

    def _add_listings(self, step: _Listings) -> None:
        """Add the listings of a section, each in its form, with what stands between it and the one before."""
        page, (section, run, known) = self._page, step
        add, add_gap = self._line.append, page.gaps.append
        sizes = page.sizes.setdefault(section, {})
        outer = {shown.name: self._value(shown) for shown in known}
        ready = self._compiled.ready(id(run), *outer.items())
        for position, values in self._sections[section].listings.items():
            if position not in run.forms:
                continue
            key = position, values, bool(sizes)
            part = ready.get(key)
            if part is None:
                pieces = (*run.between, *run.forms[position]) if sizes else run.forms[position]
                part = _Part.of(_Arranger({}).of(pieces, {**outer, **values}))
                if len(ready) >= _FORMS_KEPT:
                    ready.clear()
                ready[key] = part
            head, lines, tail, gaps, optional, size = part
            add(head)
            if lines:
                self._end_line()
                first = len(page.lines)
                page.lines += lines
                for place, slot in gaps:
                    add_gap((first + place, slot))
                for slot, start, end in optional:
                    page.optional.append((slot, first + start, first + end))
                add(tail)
            sizes[position] = size
            page.size += size

    def _end_line(self) -> None:
        if self._line:
            self._page.lines.append(b"".join(self._line))
            self._line.clear()


class _Arranger:
    """Joins pieces with the values that are known; and whole pages of former versions."""

    def __init__(self, sections: Mapping[str, Chosen]) -> None:
        self._sections = sections
        self._page = Arrangement()
        self._line: list[bytes] = []

    def of(self, pieces: Iterable[Piece], known: Mapping[str, str]) -> Arrangement:
        """Return pieces arranged."""
        self._add(pieces, dict(known))
        self._end_line()
        return self._page

    def _add(self, pieces: Iterable[Piece], known: dict[str, str]) -> None:
        for piece in pieces:
            if isinstance(piece, Text):
                self._add_text(piece)
            elif isinstance(piece, Slot):
                self._add_slot(piece, known)
            elif isinstance(piece, When):
                self._add_when(piece, known)
            elif isinstance(piece, BlockRun):
                self._add_former(piece, known)

    def _add_text(self, text: Text) -> None:
        self._line.append(text.encoded)
        self._page.size += text.size

    def _add_slot(self, slot: Slot, known: Mapping[str, str]) -> None:
        value = known.get(slot.name)
        if value is not None:
            self._add_text(encoded(value)[slot.html])
            return
        self._end_line()
        self._page.gaps.append((len(self._page.lines), slot))
        self._page.lines.append(b"")

    def _add_when(self, when: When, known: dict[str, str]) -> None:
        value = known.get(when.slot.name)
        if value is not None:
            if value:
                self._add(when.pieces, known)
            return
        self._end_line()
        start = len(self._page.lines)
        self._add(when.pieces, known)
        self._end_line()
        self._page.optional.append((when.slot, start, len(self._page.lines)))

    def _add_former(self, run: BlockRun, known: dict[str, str]) -> None:
        chosen = self._sections.get("", Chosen({}))
        shown = (position for position in chosen.listings if position in run.blocks)
        for place, position in enumerate(shown):
            if place:
                self._line.append(run.gaps[place - 1].encoded)
            self._add(run.blocks[position], {**known, **chosen.listings[position]})

    def _end_line(self) -> None:
        if self._line:
            self._page.lines.append(b"".join(self._line))
            self._line = []


def joined(parts: Iterable[bytes | Arrangement]) -> Arrangement:
    """Return parts of a message as one arrangement; sizes are left out, as they are those of a page."""
    whole = Arrangement()
    for part in parts:
        if isinstance(part, bytes):
            whole.lines.append(part)
            continue
        first = len(whole.lines)
        whole.lines += part.lines
        whole.gaps += [(first + place, slot) for place, slot in part.gaps]
        whole.optional += [(slot, first + start, first + end) for slot, start, end in part.optional]
    return whole


def filled(arrangement: Arrangement, values: Mapping[str, str]) -> list[bytes]:
    """Return the lines of an arranged page with a reader's values (by the names of slots), to be joined."""
    ready = {name: line_of(value) for name, value in values.items()}
    lines = arrangement.lines.copy()
    for place, (name, is_html) in arrangement.gaps:
        lines[place] = ready[name][is_html]
    for slot, start, end in arrangement.optional:
        if not values[slot.name]:
            lines[start:end] = [b""] * (end - start)
    return lines
