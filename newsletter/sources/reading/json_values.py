"""The objects of a JSON file, in the forms that people and programs write.

The main form is JSON Lines (https://jsonlines.org), an object on each line. An array of objects, objects over
several lines, and an object that holds a list of objects (`{"papers": […]}`) are read too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from newsletter.sources.reading.file_text import UNREADABLE
from newsletter.sources.reading.json_text import short_integer

_MOST_MISTAKES = 100  # of one file
_SPACE = re.compile(r"\s*")
_TRAILING_COMMA = re.compile(r",\s*[\]}]")
_NEAR = 20  # characters before a mistake, in which a comma may be the reason


@dataclass(frozen=True, slots=True)
class Value:
    """An object, or another value in its place, and the line where it, or its list, begins."""

    line: int
    value: object
    number: int = 0

    @property
    def where(self) -> str:
        """Return its place in words."""
        return f"{self.line} record {self.number}" if self.number else f"{self.line}"


@dataclass(frozen=True, slots=True)
class Mistake:
    """A piece that is not JSON: the line where it begins, and the reason."""

    line: int
    reason: str

    @property
    def where(self) -> str:
        """Return its place in words."""
        return f"{self.line}"


def values(text: str) -> Iterator[Value | Mistake]:
    """Return the objects of a text, in order; a mistake replaces the object, or the list, that it is in."""
    decoder = json.JSONDecoder(parse_int=short_integer)
    at, mistakes = 0, 0
    lines = _Lines(text)
    while (at := _skip_blank(text, at)) < len(text):
        line = lines.number(at)
        try:
            value, end = _decoded(decoder, text, at)
        except json.JSONDecodeError as error:
            if text[at : _line_end(text, at)].strip() != UNREADABLE:
                yield Mistake(line, _reason(error, text, line))
                mistakes += 1
            at = _next_start(text, at)
        except RecursionError:
            yield Mistake(line, "it is JSON nested too deeply")
            mistakes += 1
            at = _next_start(text, at)
        else:
            yield from _unfolded(line, value)
            at = end
        if mistakes >= _MOST_MISTAKES:
            yield Mistake(lines.number(at), f"the rest is left out: {mistakes} mistakes so far")
            return


def _decoded(decoder: json.JSONDecoder, text: str, at: int) -> tuple[object, int]:
    """Return the value that begins at an index, and the index of its end, which must be the end of a line.

    Raises:
        json.JSONDecodeError: there is no such value.
    """
    value, end = decoder.raw_decode(text, at)
    if rest := text[end : _line_end(text, end)].strip():
        raise json.JSONDecodeError(_what_follows(rest), text, end)
    return value, end


class _Lines:
    """The line numbers of indices, for indices in growing order."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._line = text, 0, 1

    def number(self, at: int) -> int:
        self._line += self._text.count("\n", self._at, at)
        self._at = at
        return self._line


def _skip_blank(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _next_start(text: str, at: int) -> int:
    """Return the start of the next line at which an object or list may begin; an indented line is inside one."""
    while (at := _line_end(text, at) + 1) < len(text):
        if text[at] in "{[" or text[at : _line_end(text, at)].strip() == UNREADABLE:
            return at
        if text[at] not in " \t\r\n]}":
            return at
    return len(text)


def _what_follows(rest: str) -> str:
    if rest.startswith(","):
        return "a comma after an object; write one object a line and nothing between them"
    return "more text after an object; write one object a line"


def _reason(error: json.JSONDecodeError, text: str, line: int) -> str:
    """Return the mistake in words, with its line unless the object begins on that line."""
    if text.lstrip().startswith("<"):
        return "it is a web page, not JSON"
    near = text[max(error.pos - _NEAR, 0) : error.pos + 1]
    # Python 3.13 names the place of the comma, earlier ones what stands behind it.
    is_comma = _TRAILING_COMMA.search(near) or _TRAILING_COMMA.match(text, error.pos)
    what = "a comma with nothing after it" if is_comma else error.msg
    where = f" in line {error.lineno}" if error.lineno != line else ""
    return f"it is not JSON: {what}{where}, column {error.colno}"


def _unfolded(line: int, value: object) -> Iterator[Value]:
    """Yield the objects of a list, or of an object that holds a single list of objects."""
    held = _held(value)
    if held is None:
        yield Value(line, value)
    else:
        yield from (Value(line, item, number) for number, item in enumerate(held, start=1))


def _held(value: object) -> list[Any] | None:
    if isinstance(value, list):
        return value
    if not isinstance(value, dict) or "title" in value:
        return None
    lists = [
        item
        for item in value.values()
        if isinstance(item, list) and item and all(isinstance(x, dict) for x in item)
    ]
    empty = [item for item in value.values() if item == []]
    return lists[0] if len(lists) == 1 else empty[0] if empty and not lists else None
