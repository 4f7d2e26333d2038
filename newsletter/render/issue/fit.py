"""Fits an inlined page to its size budget, so that no mail program clips it.

Templates write each listing at several levels of detail, marked `begin("full", position)` … `end()` and so on.
After inlining, when all sizes are known, one level is chosen for each listing; the other levels and these marks
are removed. Listings at the end of the ranking are shortened first, so that the best papers keep most. A few
leading ones keep their paragraph even if others are left out:

==========  ==================================================================================================
`full`      the whole abstract
`brief`     a short paragraph
`line`      the title with its link, votes and comments
`none`      nothing: the text part and the web version have it
==========  ==================================================================================================

A mark may name several levels, such as `full_brief`. Two blocks depend on the result: `when("detailed")` is kept
if enough listings for a table of contents are at `full` or `brief`, `when("shortened")` if any listing is below.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import IntEnum

from newsletter.render.issue.view import CONTENTS_FROM
from newsletter.render.mime.markers import Markers

BUDGET = 95_000  # bytes; Gmail clips a page after about 102,000
FULL_UP_TO = 8  # listings with whole abstracts; more are tiring to read
LEADERS = 5  # listings that keep a paragraph, unless the page would not fit even without all others

# The most bytes of each of a reader's values, escaped; those of `matched` are known for each listing.
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
    """A place in the page. Its content is shown if its listing is at one of the levels, and its facts hold.

    Outside of all listings `position` is None. `is_ours`: the innermost block belongs to the fitting, not to the
    reader.
    """

    position: int | None = None
    levels: frozenset[Level] = frozenset(Level)
    facts: frozenset[str] = frozenset()
    is_ours: bool = False

    def shown(self, levels: Sequence[Level], facts: AbstractSet[str]) -> bool:
        return self.facts <= facts and (self.position is None or levels[self.position] in self.levels)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of text or a mark, and its bytes in a reader's page."""

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
        marks: the marks of its rendering.
        listings: how many listings it has.
        matched: the most bytes of the slot `matched`, by position; else 0.
        budget: the most bytes of a reader's page, in UTF-8; marks don't count, a reader's values do.
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
    """Lower listings from the last to the first, a level at a time, until the page fits; the leading ones last."""
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
    """Cut a page at its marks; remove those of levels and facts, and keep the others for the reader's page."""
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
    """Return the place inside the block that a mark begins."""
    if kind == "when":
        fact = _FACTS & {rest}
        return replace(outer, facts=outer.facts | fact, is_ours=bool(fact))
    names, _, position = rest.partition(".")
    levels = frozenset(_LEVELS[name] for name in names.split("_") if name in _LEVELS)
    return replace(outer, position=int(position), levels=outer.levels & (levels or _SHOWN), is_ours=bool(levels))
