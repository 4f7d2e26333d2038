"""Fits an inlined page to its size budget, so that no mail client clips it.

Templates write each listing at several levels of detail, marked `begin("full", position)` … `end()` and so on.
After the inlining, when every byte is known, one level is chosen for each listing and the others go, and with them
these marks. What gives way first is the end of the ranking, so that the best papers keep most; a few leaders keep
their paragraphs even where others have to go:

==========  ==================================================================================================
`full`      the whole abstract
`brief`     one short paragraph
`line`      the title with its link, votes and comments
`none`      nothing: the text part and the web version have it
==========  ==================================================================================================

A mark may name several levels, such as `full_brief`. Blocks tell of the outcome: `when("detailed")` is there if
enough listings for a table of contents are at `full` or `brief`, `when("shortened")` if any is below.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import IntEnum

from newsletter.render.issue.view import CONTENTS_FROM
from newsletter.render.mime.markers import Markers

BUDGET = 95_000  # bytes, of which a page stays short: Gmail clips one behind about 102,000
FULL_UP_TO = 8  # listings whose whole abstracts are still a pleasant read
LEADERS = 5  # listings that keep a paragraph, save where the page would not fit without the others either

# The most bytes that a reader's values take, escaped; those of what matches are known by listing.
_ROOM = {
    "subject": 500,
    "preheader": 640,
    "shown": 40,
    "left_out": 5,
    "number": 3,
    "name": 360,
    "email": 600,
    "unsubscribe_url": 300,
    "preferences_url": 300,
}


class Level(IntEnum):
    """How much of a listing is shown, least first."""

    NONE = 0
    LINE = 1
    BRIEF = 2
    FULL = 3


_LEVELS = {level.name.lower(): level for level in Level}
_SHOWN = frozenset({Level.LINE, Level.BRIEF, Level.FULL})
_FACTS = frozenset({"detailed", "shortened"})


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the page something stands: it is shown if its listing is at one of the levels and its facts hold.

    Outside of all listings `position` is None. `is_ours` says whether the innermost block is one of the fitting's.
    """

    position: int | None = None
    levels: frozenset[Level] = frozenset(Level)
    facts: frozenset[str] = frozenset()
    is_ours: bool = False

    def shown(self, levels: Sequence[Level], facts: AbstractSet[str]) -> bool:
        return self.facts <= facts and (self.position is None or levels[self.position] in self.levels)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of text or a mark, and the bytes that it will take in a reader's page."""

    text: str
    size: int
    place: _Place


def fitted(
    html: str,
    marks: Markers,
    listings: int,
    *,
    matched: Sequence[int] = (),
    budget: int = BUDGET,
) -> tuple[str, frozenset[int]]:
    """Return the page within the budget, and the positions of the listings that are left out.

    Args:
        html: the inlined page with its listings at all levels.
        marks: the marks that it was rendered with.
        listings: how many listings it has.
        matched: the most bytes that the slot `matched` takes, by position; else it takes none.
        budget: the bytes that a reader's page stays short of, in UTF-8; marks don't count, a reader's values do.
    """
    pieces = list(_pieces(html, marks, matched))
    levels = _levels(pieces, listings, budget)
    outcome = {
        "detailed": sum(level >= Level.BRIEF for level in levels) >= CONTENTS_FROM,
        "shortened": any(level < Level.BRIEF for level in levels),
    }
    facts = {fact for fact, holds in outcome.items() if holds}
    page = "".join(piece.text for piece in pieces if piece.place.shown(levels, facts))
    return page, frozenset(position for position, level in enumerate(levels) if level is Level.NONE)


def _levels(pieces: Iterable[_Piece], listings: int, budget: int) -> list[Level]:
    """Lower listings from the last one up, by one level at a time, until the page fits; the leaders last."""
    sizes: dict[tuple[int, Level], int] = defaultdict(int)
    total = 0
    for piece in pieces:
        if piece.place.position is None:
            total += piece.size
        else:
            for level in piece.place.levels:
                sizes[piece.place.position, level] += piece.size
    levels = [Level.FULL if listings <= FULL_UP_TO else Level.BRIEF] * listings
    total += sum(sizes[position, level] for position, level in enumerate(levels))
    steps = ((Level.BRIEF, 0), (Level.LINE, LEADERS), (Level.NONE, LEADERS), (Level.LINE, 0), (Level.NONE, 0))
    for lower, first in steps:
        for position in reversed(range(first, listings)):
            if total < budget:
                return levels
            if levels[position] > lower:
                total += sizes[position, lower] - sizes[position, levels[position]]
                levels[position] = lower
    return levels


def _pieces(html: str, marks: Markers, matched: Sequence[int]) -> Iterator[_Piece]:
    """Cut a page at its marks. Those of levels and facts go; the others stay, for the reader's page."""
    places = [_Place()]
    start = 0
    for match in marks.pattern.finditer(html):
        yield _text(html[start : match.start()], places[-1])
        start = match.end()
        kind, _, rest = match[1].partition(".")
        if kind == "slot":
            yield _Piece(match[0], _room(rest, places[-1], matched), places[-1])
            continue
        if kind != "end":
            places.append(_entered(places[-1], kind, rest))
        if not places[-1].is_ours:
            yield _Piece(match[0], 0, places[-1])
        if kind == "end":
            places.pop()
    yield _text(html[start:], places[-1])


def _room(slot: str, place: _Place, matched: Sequence[int]) -> int:
    if slot == "matched" and place.position is not None and matched:
        return matched[place.position]
    return _ROOM.get(slot, 0)


def _text(text: str, place: _Place) -> _Piece:
    return _Piece(text, len(text.encode()) + text.count("\n"), place)  # line ends will be CRLF


def _entered(outer: _Place, kind: str, rest: str) -> _Place:
    """Return the place within the block that a mark begins."""
    if kind == "when":
        fact = _FACTS & {rest}
        return replace(outer, facts=outer.facts | fact, is_ours=bool(fact))
    names, _, position = rest.partition(".")
    levels = frozenset(_LEVELS[name] for name in names.split("_") if name in _LEVELS)
    return replace(outer, position=int(position), levels=outer.levels & (levels or _SHOWN), is_ours=bool(levels))
