"""Ready pieces of a page, joined for each reader.

What differs between readers is of two kinds. The selection and order of the pieces depend only on what was chosen
for a reader, so they are worked out once for each choice. A reader's own values become lines between these pieces.

    compiled(page) ──once an issue──▶ CompiledPage.arranged ──once a choice──▶ filled, for each reader
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from newsletter.render.mime.pieces import BlockRun, Piece, Run, Section, Slot, Text, When, encoded, line_of

_FORMS_KEPT, _KINDS_KEPT = 2048, 16  # listings in a form, some 2 KB each; and of how many sections


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


_Ready: TypeAlias = "Callable[..., dict[tuple[int, Values], Arrangement]]"


class CompiledPage:
    """A compiled page, which is arranged for one choice after the other. Threads may share it.

    Most choices show listings that others show just so. So a listing's form is kept ready, with the values of the
    slots that stand in it.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._names: dict[int, tuple[str, ...]] = {}
        self.ready: _Ready = lru_cache(maxsize=_KINDS_KEPT)(lambda *_: {})

    @property
    def is_former(self) -> bool:
        """Return whether a former version made it."""
        return any(isinstance(piece, BlockRun) for piece in _all(self._pieces))

    def arranged(self, sections: Mapping[str, Chosen], values: Mapping[str, str]) -> Arrangement:
        """Return the page for a choice of listings.

        Args:
            sections: what is chosen, by the names of sections; that of no name is for pages of former versions.
            values: of the slots that depend only on the choice.
        """
        return _Arranger(self, sections).of(self._pieces, values)

    def names(self, run: Run) -> tuple[str, ...]:
        """Return the names of all slots in the forms of a run."""
        key = id(run.forms)
        if key not in self._names:
            self._names[key] = tuple(sorted({name for form in run.forms.values() for name in _slots(form)}))
        return self._names[key]


def _all(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield pieces and those within them; not those of forms."""
    for piece in pieces:
        yield piece
        if isinstance(piece, When | Section):
            yield from _all(piece.pieces)


def _slots(pieces: Iterable[Piece]) -> Iterator[str]:
    """Yield the names of all slots in pieces."""
    for piece in _all(pieces):
        if isinstance(piece, Slot):
            yield piece.name
        elif isinstance(piece, When):
            yield piece.slot.name


class _Arranger:
    """Joins the pieces of a page."""

    def __init__(self, page: CompiledPage, sections: Mapping[str, Chosen]) -> None:
        self._compiled, self._sections = page, sections
        self._page = Arrangement()
        self._line: list[bytes] = []

    def of(self, pieces: Iterable[Piece], known: Mapping[str, str]) -> Arrangement:
        """Return pieces arranged."""
        self.add(pieces, dict(known), "")
        self._end_line()
        return self._page

    def add(self, pieces: Iterable[Piece], known: dict[str, str], section: str) -> None:
        """Add pieces with the values that are known where they stand."""
        page = self._page
        for piece in pieces:
            if type(piece) is Text:
                self._line.append(piece[0])
                page.size += piece[1]
            elif type(piece) is Slot:
                self._add_slot(piece, known)
            elif type(piece) is When:
                self._add_when(piece, known, section)
            elif type(piece) is Section:
                chosen = self._sections.get(piece.name)
                if chosen and chosen.listings:
                    self.add(piece.pieces, {**known, **chosen.values}, piece.name)
            elif type(piece) is Run:
                self._add_run(piece, known, section)
            elif type(piece) is BlockRun:
                self._add_former(piece, known)

    def _add_slot(self, slot: Slot, known: Mapping[str, str]) -> None:
        value = known.get(slot.name)
        if value is not None:
            text = encoded(value)[slot.html]
            self._line.append(text.encoded)
            self._page.size += text.size
            return
        self._end_line()
        self._page.gaps.append((len(self._page.lines), slot))
        self._page.lines.append(b"")

    def _add_when(self, when: When, known: dict[str, str], section: str) -> None:
        value = known.get(when.slot.name)
        if value is not None:
            if value:
                self.add(when.pieces, known, section)
            return
        self._end_line()
        start = len(self._page.lines)
        self.add(when.pieces, known, section)
        self._end_line()
        self._page.optional.append((when.slot, start, len(self._page.lines)))

    def _add_run(self, run: Run, known: dict[str, str], section: str) -> None:
        """Add the listings of a section, each in its form."""
        page, names = self._page, self._compiled.names(run)
        sizes = page.sizes.setdefault(section, {})
        outer: dict[str, str] = {name: known[name] for name in names if name in known}
        ready = self._compiled.ready(id(run.forms), *outer.values())
        between = _Arranger(self._compiled, {}).of(run.between, known)
        for position, values in self._sections[section].listings.items():
            if position not in run.forms:
                continue
            before = page.size
            if sizes:
                self._add_ready(between)
            part = ready.get((position, values))
            if part is None:
                part = _Arranger(self._compiled, {}).of(run.forms[position], {**outer, **values})
                if len(ready) >= _FORMS_KEPT:
                    ready.clear()
                ready[position, values] = part
            self._add_ready(part)
            sizes[position] = page.size - before

    def _add_ready(self, part: Arrangement) -> None:
        page = self._page
        page.size += part.size
        if not part.gaps and not part.optional:
            self._line += part.lines
            return
        self._end_line()
        first = len(page.lines)
        page.lines += part.lines
        page.gaps += [(first + place, slot) for place, slot in part.gaps]
        page.optional += [(slot, first + start, first + end) for slot, start, end in part.optional]

    def _add_former(self, run: BlockRun, known: dict[str, str]) -> None:
        chosen = self._sections.get("", Chosen({}))
        shown = (position for position in chosen.listings if position in run.blocks)
        for place, position in enumerate(shown):
            if place:
                self._line.append(run.gaps[place - 1].encoded)
            self.add(run.blocks[position], {**known, **chosen.listings[position]}, "")

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
