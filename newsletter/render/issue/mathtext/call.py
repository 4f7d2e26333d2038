"""A LaTeX command in its text, and what it needs from the reader."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

Read = tuple[str, int]  # the text read, and the index where reading goes on

_SPACE = re.compile(r"\s*")
_OPTION = re.compile(r"\s*\[([^\[\]]{0,80})\]")


class Mode(Enum):
    """How a part of a text is read."""

    TEXT = auto()
    MATH = auto()
    SCRIPT = auto()  # mathematics without spaces: exponents and indices


class Reader(Protocol):
    """The reader, as commands need it. Positions are indices into `text`; nothing after an `end` is read."""

    @property
    def text(self) -> str:
        """Return the whole text."""

    @property
    def closing(self) -> Mapping[int, int]:
        """Return the index of each group's closing brace, by the index of its opening brace."""

    def render(self, start: int, end: int, mode: Mode) -> str:
        """Return a part of the text as Unicode."""

    def argument(self, position: int, end: int, mode: Mode, *, token: bool = False) -> Read:
        """Read a group or, if `token`, a single character or command; nothing if there is none."""


@dataclass(frozen=True, slots=True)
class Call:
    """A command: `start` is the index of its backslash, `after` the index after its name."""

    reader: Reader
    name: str
    start: int
    after: int
    end: int
    mode: Mode

    @property
    def text(self) -> str:
        """Return the whole text."""
        return self.reader.text

    @property
    def raw(self) -> str:
        """Return the source of the command, without arguments."""
        return self.text[self.start : self.after]

    @property
    def before(self) -> str:
        """Return the character before the command."""
        return self.text[max(self.start - 1, 0) : self.start]

    @property
    def following(self) -> str:
        """Return the character after the name."""
        return self.text[self.after : self.after + 1]

    @property
    def in_text(self) -> bool:
        """Return whether the command is outside of mathematics."""
        return self.mode is Mode.TEXT

    @property
    def formula(self) -> Mode:
        """Return the mode of an argument that is mathematics."""
        return Mode.SCRIPT if self.mode is Mode.SCRIPT else Mode.MATH

    def past_space(self) -> int:
        """Return the index after the white space that ends a command."""
        space = _SPACE.match(self.text, self.after, self.end)
        return space.end() if space else self.after

    def past_braces(self, position: int) -> int:
        """Return the index after an empty group (`{}`) that may end a command."""
        return position + 2 if self.text.startswith("{}", position) else position

    def argument(self, mode: Mode, position: int | None = None, *, token: bool = False) -> Read:
        """Read an argument: the first one, or the one at a position."""
        return self.reader.argument(self.after if position is None else position, self.end, mode, token=token)

    def two_formulas(self) -> tuple[str, str, int]:
        """Read two arguments that are mathematics."""
        first, after = self.argument(self.formula, token=True)
        second, after = self.argument(self.formula, after, token=True)
        return first, second, after

    def option(self) -> Read:
        """Read the optional argument in brackets."""
        match = _OPTION.match(self.text, self.after, self.end)
        return (match[1].strip(), match.end()) if match else ("", self.after)

    def verbatim(self, position: int) -> Read:
        """Read an argument that is not LaTeX, such as an address."""
        close = self.reader.closing.get(position, self.end)
        return (self.text[position + 1 : close], close + 1) if close < self.end else ("", position)
