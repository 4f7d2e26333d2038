"""Rows under headings: one line a row wherever no terminal limits it, so that `grep` finds whole rows.

On a terminal the columns that hold sentences share what the others leave, and are folded between words. Where they
would become too narrow to read, each row has them on lines of its own below the others, with their headings.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Sequence
from itertools import zip_longest

from rich.cells import cell_len, set_cell_size

from newsletter.core.text import one_line

_GAP = 2  # columns of a terminal between two columns of a table
_NARROWEST = 20  # that a column of sentences is still read well in
_INDENT = "    "


def lines(
    headings: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    folds: Collection[str] = (),
    width: int | None = None,
) -> list[str]:
    """Return a table as lines of text, the headings first.

    Args:
        headings: one for each column.
        rows: the values; None is shown as nothing. What comes from outside may hold anything: control characters
            are left out, so that no value can move the cursor or colour the terminal.
        folds: the headings of the columns that may be folded, the last ones. All others are shown whole.
        width: of the terminal, in columns; None: there is none, and nothing is folded.
    """
    texts = [tuple(headings), *(tuple(_text(value) for value in row) for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*texts, strict=True)]
    if width is None or _sum(widths) <= width:
        return [_line(row, widths) for row in texts]
    fixed = [place for place, heading in enumerate(headings) if heading not in folds]
    folded = [place for place, heading in enumerate(headings) if heading in folds]
    left = width - _sum([widths[place] for place in fixed]) - _GAP * len(folded)
    if folded and left >= _NARROWEST * len(folded):
        shared = _shared(left, [widths[place] for place in folded])
        for place, share in zip(folded, shared, strict=True):
            widths[place] = share
        return [line for row in texts for line in _folded(row, widths)]
    whole = [widths[place] for place in fixed]
    heading = _line([headings[place] for place in fixed], whole)
    room = max(width, _NARROWEST + len(_INDENT))
    return [heading, *(line for row in texts[1:] for line in _below(row, headings, whole, fixed, folded, room))]


def _text(value: object) -> str:
    return "" if value is None else one_line(str(value))


def _sum(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _shared(left: int, wanted: Sequence[int]) -> list[int]:
    """Return how wide columns become that share a width: none is wider than it wants, the rest is shared alike."""
    widths, waiting = list(wanted), len(wanted)
    for place in sorted(range(len(wanted)), key=lambda at: wanted[at]):
        widths[place] = min(wanted[place], left // waiting)
        left, waiting = left - widths[place], waiting - 1
    return widths


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = (set_cell_size(text, size) for text, size in zip(row, widths, strict=True))
    return (" " * _GAP).join(padded).rstrip()


def _folded(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    pieces = (
        [text] if cell_len(text) <= size else textwrap.wrap(text, size)
        for text, size in zip(row, widths, strict=True)
    )
    for line in zip_longest(*pieces, fillvalue=""):
        yield _line(line, widths)


def _below(
    row: Sequence[str],
    headings: Sequence[str],
    widths: Sequence[int],
    fixed: Sequence[int],
    folded: Sequence[int],
    room: int,
) -> Iterator[str]:
    yield _line([row[place] for place in fixed], widths)
    for place in folded:
        if row[place]:
            said = f"{headings[place]}: {row[place]}"
            yield from textwrap.wrap(said, room, initial_indent=_INDENT, subsequent_indent=2 * _INDENT)
