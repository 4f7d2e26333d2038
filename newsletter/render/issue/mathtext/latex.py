"""A reader of the LaTeX in titles and abstracts.

It is total: text that it cannot read stays unchanged. Text outside of mathematics is read with care, as most of it
is not LaTeX: a dollar sign may be part of a price, a brace of a set, an underscore of a name. Groups are read to a
fixed depth, so no input can exhaust the stack.
"""

from __future__ import annotations

import re

from newsletter.render.issue.mathtext import symbols
from newsletter.render.issue.mathtext.call import Mode, Read
from newsletter.render.issue.mathtext.commands import read_command
from newsletter.render.issue.mathtext.prose import (
    LINK,
    PROTECTED,
    dash,
    is_formula,
    may_label,
    quotation,
    repeats,
    tie,
    unescaped,
)

_MAX_DEPTH = 24

_TEXT_MARK = re.compile(rf"(?P<kept>{PROTECTED})|[\\{{}}$^_~]|`+|'{{2,}}|-{{2,}}")
_MATH_MARK = re.compile(rf"(?P<kept>{LINK})|[\\{{}}^_~]")
_LATEX_GROUP = re.compile(r"\\[A-Za-z\"'`^~=.]|,\Z")
_COLOUR = re.compile(r"[A-Za-z]+\{")
_SPACE = re.compile(r"\s*")

# In text `^` and `_` belong to a formula only in these contexts.
_ARGUMENT = re.compile(r"\{|\\[A-Za-z]")
_RAISED_BASE = re.compile(r"[\w)\]}|*]|[^\x00-\x7f]")
_RAISED = re.compile(
    r"[-+]?\d+(?:\.\d+)?|(?:th|st|nd|rd)\b|[*+-](?![A-Za-z0-9])|[^\W\d_](?![A-Za-z])|[\u22a4∞∘⋆\u2032†‡]"
)
_LOWERED_BASE = re.compile(r"(?<![\w.\\/@])(?:[^\W\d_]|log|(?:[A-Z][a-z]?(?:_\d+)?){1,5})\Z|[)\]}]\Z")
_LOWERED = re.compile(r"\d{1,2}(?:\.\d+)?(?![a-z0-9_])|[^\W\d_](?![A-Za-z0-9_])|[∞*⋆]")
_BASE_WINDOW = 16

_LEADING_RELATION = re.compile(rf"^([{symbols.RELATIONS}]) ")


def render(text: str) -> str:
    """Return LaTeX as readable Unicode."""
    return _Reader(text).render(0, len(text), Mode.TEXT)


def _matching_braces(text: str) -> dict[int, int]:
    """Return where the group that opens at a position closes, for each that does."""
    pairs: dict[int, int] = {}
    opened: list[int] = []
    for match in re.finditer(r"\\.|[{}]", text, re.DOTALL):
        if match[0] == "{":
            opened.append(match.start())
        elif match[0] == "}" and opened:
            pairs[opened.pop()] = match.start()
    return pairs


def _tidy(formula: str) -> str:
    """Return a formula without double spaces, and without a space after a relation at its start (`≤30`)."""
    return _LEADING_RELATION.sub(r"\1", re.sub(r"\s+", " ", formula).strip())


def _is_part_of_word(before: str, inner: str, following: str) -> bool:
    """Return whether a group only protects letters of a word (`{D}ual`, `na{i}ve`, `{GPT}s`) or of `{O}(n)`."""
    if len(inner) == 1 and inner.isalpha():
        return before.isalpha() or following.isalpha() or following == "("
    return inner.isalpha() and inner.isupper() and following.isalpha()


class _Reader:
    """Reads a text; positions are indices into it, and nothing after an `end` is read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.closing = _matching_braces(text)
        self.depth = 0

    def render(self, start: int, end: int, mode: Mode) -> str:
        """Return a part of the text as Unicode."""
        if self.depth >= _MAX_DEPTH:
            return self.text[start:end]
        self.depth += 1
        marks = _TEXT_MARK if mode is Mode.TEXT else _MATH_MARK
        pieces: list[str] = []
        while match := marks.search(self.text, start, end):
            piece, after = self._marked(match, end, mode)
            pieces += self.text[start : match.start()], piece
            start = after
        pieces.append(self.text[start:end])
        self.depth -= 1
        return _tidy("".join(pieces)) if mode is Mode.MATH else "".join(pieces)

    def argument(self, position: int, end: int, mode: Mode, *, token: bool = False) -> Read:
        """Read a group or, where `token` allows, one character or command; nothing if there is none."""
        space = _SPACE.match(self.text, position, end)
        start = space.end() if space else position
        close = self.closing.get(start, end)
        if close < end:
            return self.render(start + 1, close, mode), close + 1
        if not token or start >= end or self.depth >= _MAX_DEPTH or self.text[start] in "{}$&":
            return "", position
        if self.text[start] != "\\":
            return self.text[start], start + 1
        self.depth += 1
        read = read_command(self, start, end, mode)
        self.depth -= 1
        return read

    def _marked(self, match: re.Match[str], end: int, mode: Mode) -> Read:
        """Read the construct that begins with a special character."""
        start, after = match.span()
        if match["kept"]:
            return self._kept(match[0], after, end)
        match match[0][0]:
            case "\\":
                read = read_command(self, start, end, mode)
            case "{":
                read = self._group(start, end, mode)
            case "^" | "_":
                read = self._script(start, end, mode)
            case "$":
                read = self._dollar(start, end)
            case "`" | "'":
                read = self._quotation(start, after, end)
            case "~":
                read = (tie(self.text, start) if mode is Mode.TEXT else " "), after
            case "-":
                read = dash(self.text, start, after), after
            case _:
                read = match[0], after
        return read

    def _kept(self, kept: str, after: int, end: int) -> Read:
        r"""Read a link, a path or code unchanged, without the label that a stripped `\href` left after a link."""
        link, close = unescaped(kept), self.closing.get(after, end)
        if close >= end:
            return link, after
        start, stop = after + 1, close
        while (colour := _COLOUR.match(self.text, start, stop)) and self.closing.get(colour.end() - 1) == stop - 1:
            start, stop = colour.end(), stop - 1
        if repeats(link, self.text[start:stop]):
            return link, close + 1
        if not may_label(link, self.text[close + 1 : close + 2]):
            return link, after
        return f"{link} ({self.render(start, stop, Mode.TEXT)})", close + 1

    def _dollar(self, start: int, end: int) -> Read:
        """Read a formula, or a dollar sign."""
        mark = "$$" if self.text.startswith("$$", start) else "$"
        after = start + len(mark)
        close = self.text.find(mark, after, end)
        while close > 0 and self.text[close - 1] == "\\":
            close = self.text.find(mark, close + 1, end)
        following = close + len(mark)
        if close < 0 or not is_formula(self.text[after:close], self.text[following : following + 1]):
            return mark, after
        return self.render(after, close, Mode.MATH), following

    def _quotation(self, start: int, after: int, end: int) -> Read:
        """Read a quotation between ``marks'' of LaTeX, or other such characters."""
        quoted = quotation(self.text, start, end)
        if quoted is None:
            return self.text[start:after], after
        quoting = "\u2018{}\u2019" if quoted.lastindex == 1 else "\u201c{}\u201d"
        inner = self.render(*quoted.span(quoted.lastindex or 0), Mode.TEXT)
        return quoting.replace("{}", inner), quoted.end()

    def _group(self, start: int, end: int, mode: Mode) -> Read:
        """Read a group; in text its braces stay unless they are clearly LaTeX."""
        close = self.closing.get(start, end)
        if close >= end:
            return "{", start + 1
        read, inner = self.render(start + 1, close, mode), self.text[start + 1 : close]
        before, following = self.text[max(start - 1, 0) : start], self.text[close + 1 : close + 2]
        if mode is not Mode.TEXT or _LATEX_GROUP.match(inner) or _is_part_of_word(before, inner, following):
            return read, close + 1
        return f"{{{read}}}", close + 1

    def _script(self, start: int, end: int, mode: Mode) -> Read:
        """Read an exponent or index; in text only in the form of a formula."""
        kind, after = self.text[start], start + 1
        if mode is not Mode.TEXT:
            content, after = self.argument(after, end, Mode.SCRIPT, token=True)
        elif not self._has_base(start):
            return kind, after
        elif token := (_RAISED if kind == "^" else _LOWERED).match(self.text, after, end):
            content, after = token[0], token.end()
        else:
            content, after = self.argument(after, end, Mode.SCRIPT, token=self.text.startswith("\\", after))
        if after == start + 1 or (not content and mode is Mode.TEXT):
            return self.text[start:after], after
        glued = self.text[after : after + 1].isalnum()
        return symbols.scripted(kind, content.strip(), glued=glued), after

    def _has_base(self, start: int) -> bool:
        """Return whether the text before a mark can have an exponent or an index."""
        if self.text[start] == "^" or _ARGUMENT.match(self.text, start + 1):
            return start > 0 and bool(_RAISED_BASE.match(self.text, start - 1))
        return bool(_LOWERED_BASE.search(self.text, max(start - _BASE_WINDOW, 0), start))
