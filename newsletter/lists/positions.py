"""On which line each key of a TOML document stands; `tomllib` keeps no positions.

The scanner reads documents that `tomllib` has accepted, so it only tells the parts of the grammar apart
(https://toml.io/en/v1.0.0) and checks nothing. It looks into tables and arrays as deep as list files go and steps
over what is nested deeper, so that neither memory nor the stack depends on a document's depth.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from typing import TypeAlias

# The way to a value: keys of tables and indices of arrays, such as `("subscribers", 3, "topics", 0)`.
KeyPath: TypeAlias = tuple[str | int, ...]

_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*("(?:\\.|[^"\\])*"|'[^']*'|[A-Za-z0-9_-]+)[ \t]*""")
_STRING = re.compile(
    r'"""(?:\\[\s\S]|[^\\])*?"""(?!")'  # up to two quotes may stand right before the closing three
    r"|'''[\s\S]*?'''(?!')"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'"
)
_SCALAR = re.compile(r"[^,\]}#\n]*")
_NESTED = re.compile(rf"(?P<open>[\[{{])|(?P<close>[\]}}])|{_STRING.pattern}|#[^\n]*|[^\[\]{{}}\"'#]+")
DEEPEST = 8  # steps of a path; list files have four, as in `subscribers`, 3, `topics`, 0


def positions(text: str) -> dict[KeyPath, int]:
    """Return the line (from 1) of every key, table and array item of a document whose path is not too long.

    Raises:
        ValueError: the document is not TOML.
    """
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._newlines = [match.start() for match in re.finditer("\n", text)]
        self._lines: dict[KeyPath, int] = {}
        self._sizes: dict[KeyPath, int] = {}  # how many tables each `[[array]]` has so far

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self._match(_GAP)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._match(_GAP)
        return self._lines

    def _match(self, pattern: re.Pattern[str]) -> str:
        """Step over what the pattern finds here, and return its group or all of it."""
        found = pattern.match(self._text, self._at)
        if found is None:
            raise ValueError(f"not valid TOML at character {self._at}")
        self._at = found.end()
        return found[pattern.groups]

    def _note(self, path: KeyPath, start: int) -> KeyPath:
        """Keep the line of a path that is not too deep, unless an earlier line named it already."""
        if len(path) > DEEPEST:
            return path[:DEEPEST]
        self._lines.setdefault(path, bisect_left(self._newlines, start) + 1)
        return path

    def _keys(self) -> list[str]:
        """Read a dotted key."""
        keys = []
        while True:
            key = self._match(_KEY)
            keys.append(tomllib.loads(f"key = {key}")["key"] if key[0] in "\"'" else key)
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _header(self) -> KeyPath:
        """Read `[table]` or `[[array]]`, and return the path of the table that it opens."""
        start, brackets = self._at, 2 if self._text.startswith("[[", self._at) else 1
        self._at += brackets
        *parents, last = self._keys()
        self._at += brackets
        path: KeyPath = ()
        for key in parents:
            path = self._note((*path, key), start)
            if path in self._sizes:
                path = (*path, self._sizes[path] - 1)
        path = self._note((*path, last), start)
        if brackets == 1:
            return path
        self._sizes[path] = self._sizes.get(path, 0) + 1
        return self._note((*path, self._sizes[path] - 1), start)

    def _pair(self, path: KeyPath) -> None:
        start = self._at
        for key in self._keys():
            path = self._note((*path, key), start)
        self._at += 1  # the equals sign
        self._match(_GAP)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        match self._text[self._at]:
            case "[" | "{" if len(path) >= DEEPEST:
                self._step_over()
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case "'" | '"':
                self._match(_STRING)
            case _:
                self._match(_SCALAR)

    def _step_over(self) -> None:
        """Step over an array or an inline table, with all that is in it."""
        depth = 0
        for token in _NESTED.finditer(self._text, self._at):
            depth += (token["open"] is not None) - (token["close"] is not None)
            self._at = token.end()
            if not depth:
                return

    def _more(self, closing: str) -> bool:
        """Step over what stands before an item; return whether there is one, or step over the end."""
        self._match(_GAP)
        if self._text[self._at] == ",":
            self._at += 1
            self._match(_GAP)
        if self._text[self._at] == closing:
            self._at += 1
            return False
        return True

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        while self._more("]"):
            self._value(self._note((*path, index), self._at))
            index += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while self._more("}"):
            self._pair(path)
