"""Joins lines that an editor or a mail program wrapped at a column."""

from __future__ import annotations

from itertools import pairwise

_LONGEST_WRAPPED = 200  # characters: a longer line was not wrapped
_NARROWEST = 30
_FEWEST = 3  # consecutive wrapped lines that show that a text is wrapped


class WrappedError(ValueError):
    """A text is wrapped in a way that hides where its paragraphs end."""


def unwrapped(text: str) -> str:
    """Return a text with each paragraph on one line; a text that is not wrapped is unchanged.

    A line was wrapped if the first word of the next line did not fit onto it. There must be blank lines between
    papers.

    Raises:
        WrappedError: there are none.
    """
    blocks = _blocks(text)
    widths = [width for block in blocks if (width := _width(block))]
    if not widths:
        return text
    width = max(widths)
    joined = [_joined(block, width) for block in blocks]
    for before, after in zip(blocks, joined, strict=True):
        paragraphs = [line for line in after if len(line) > _LONGEST_WRAPPED]
        if len(paragraphs) > 1 and len(after) < len(before):
            raise WrappedError(
                f"its lines are broken at {width} characters, and no blank lines stand between its papers; "
                "save it without line breaks, or with blank lines"
            )
    return "\n\n".join("\n".join(block) for block in joined)


def _blocks(text: str) -> list[list[str]]:
    """Return groups of lines between blank lines, with the spaces at their ends."""
    blocks: list[list[str]] = [[]]
    for line in text.split("\n"):
        if line.strip():
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def _width(block: list[str]) -> int:
    """Return the column at which lines of a block are wrapped, or 0 if they aren't."""
    width = max(len(line.rstrip()) for line in block)
    if not _NARROWEST <= width <= _LONGEST_WRAPPED:
        return 0
    run = longest = 1
    for line, following in pairwise(block):
        run = run + 1 if _is_broken(line, following, width) else 1
        longest = max(longest, run)
    return width if longest >= _FEWEST else 0


def _is_broken(line: str, following: str, width: int) -> bool:
    """Return whether a line was wrapped because the next word did not fit."""
    first_word = following.split(maxsplit=1)[0]
    is_full = len(line.rstrip()) + 1 + len(first_word) > width
    return is_full and len(line.rstrip()) <= width and len(line) >= width / 2


def _joined(block: list[str], width: int) -> list[str]:
    """Return the lines of a block, with wrapped lines joined."""
    lines = [block[0].rstrip()]
    for line, following in pairwise(block):
        if len(line) <= _LONGEST_WRAPPED and _is_broken(line, following, width):
            lines[-1] += _seam(line, following, width) + following.strip()
        else:
            lines.append(following.rstrip())
    return lines


def _seam(line: str, following: str, width: int) -> str:
    """Return what to put between joined lines: a space, or nothing after a hyphen or within a word."""
    if line.endswith("-") and following[:1].isalpha():
        return ""
    is_cut_hard = len(line) == width and line == line.rstrip() and len(following) > width
    return "" if is_cut_hard else " "
