"""Ready pieces of a page, joined for each reader.

What differs between readers is of two kinds. The selection and order of the pieces depend only on what was chosen
for a reader, so they are worked out once for each choice. A reader's own values become lines between these pieces.

    compiled(page) ──once an issue──▶ arranged(pieces) ──once a choice──▶ filled(arrangement), for each reader
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from newsletter.render.mime.pieces import BlockRun, Piece, Run, Section, Slot, Text, When, encoded, line_of


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a section of a page shows: positions of listings in their order, and values of slots.

    Args:
        listings: for each position the values of the slots in its form.
        values: of slots of the section.
    """

    listings: Mapping[int, Mapping[str, str]]
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Arrangement:
    """A page for a choice of listings, complete except for the reader's values.

    `lines` are its bytes, empty at the places of values; `gaps` name these places and the values. `optional` are
    ranges of lines (the end is not included) that are left out if a value is empty. `size` is how many bytes it has
    when it is decoded, without readers' values; `sizes` are those of each section's listings, in their order.
    """

    lines: list[bytes] = field(default_factory=list)
    gaps: list[tuple[int, Slot]] = field(default_factory=list)
    optional: list[tuple[Slot, int, int]] = field(default_factory=list)
    size: int = 0
    sizes: dict[str, list[int]] = field(default_factory=dict)


def arranged(pieces: Iterable[Piece], sections: Mapping[str, Chosen], values: Mapping[str, str]) -> Arrangement:
    """Return the page for a choice of listings.

    Args:
        pieces: a compiled page.
        sections: what is chosen, by the names of sections. That of no name is shown by pages of former versions.
        values: of the slots that depend only on the choice.
    """
    arranger = _Arranger(sections)
    arranger.add(pieces, dict(values), "")
    return arranger.done()


class _Arranger:
    """Joins the pieces of a page."""

    def __init__(self, sections: Mapping[str, Chosen]) -> None:
        self._sections = sections
        self._page = Arrangement()
        self._line: list[bytes] = []

    def done(self) -> Arrangement:
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
                if piece.name in known:
                    text = encoded(known[piece.name])[piece.html]
                    self._line.append(text.encoded)
                    page.size += text.size
                else:
                    self._end_line()
                    page.gaps.append((len(page.lines), piece))
                    page.lines.append(b"")
            elif type(piece) is When:
                self._add_when(piece, known, section)
            elif type(piece) is Section:
                chosen = self._sections.get(piece.name)
                if chosen and chosen.listings:
                    self.add(piece.pieces, known | chosen.values, piece.name)
            elif type(piece) is Run:
                self._add_run(piece, known, section)
            else:
                self._add_former(piece, known)

    def _add_when(self, when: When, known: dict[str, str], section: str) -> None:
        name = when.slot.name
        if name in known:
            if known[name]:
                self.add(when.pieces, known, section)
            return
        self._end_line()
        start = len(self._page.lines)
        self.add(when.pieces, known, section)
        self._end_line()
        self._page.optional.append((when.slot, start, len(self._page.lines)))

    def _add_run(self, run: Run, known: dict[str, str], section: str) -> None:
        sizes = self._page.sizes.setdefault(section, [])
        for position, values in self._sections[section].listings.items():
            before = self._page.size
            if sizes:
                self.add(run.between, known, section)
            self.add(run.forms[position], known | values, section)
            sizes.append(self._page.size - before)

    def _add_former(self, run: BlockRun, known: dict[str, str]) -> None:
        chosen = self._sections.get("", Chosen({}))
        shown = (position for position in chosen.listings if position in run.blocks)
        for place, position in enumerate(shown):
            if place:
                self._line.append(run.gaps[place - 1].encoded)
            self.add(run.blocks[position], known | chosen.listings[position], "")

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
