"""A TOML file with its data and the line of each key, for mistakes that point at the right place."""

from __future__ import annotations

import re
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any

from newsletter.core.errors import ListFileError, Mistake
from newsletter.lists.positions import DEEPEST, KeyPath, positions

# A key of more parts than makes sense: tomllib takes the square of their number, in time and memory.
_PART = r"""(?:"[^"\n]{0,80}"|'[^'\n]{0,80}'|[A-Za-z0-9_-]+)"""
_ENDLESS_KEY = re.compile(rf"(?<![A-Za-z0-9_-]){_PART}(?:[ \t]*\.[ \t]*{_PART}){{100}}")
_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")


def shown(path: Path) -> str:
    """Return a path as messages name it: relative to the working directory if it lies below."""
    absolute, here = path.absolute(), Path.cwd()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)


def file_below(folder: Path, name: str) -> Path:
    """Return the path of a file that stands in a folder or below.

    Raises:
        ValueError: it lies elsewhere, or is not there.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{name!r} lies outside the list file's folder: move it in there")
    if not path.is_file():
        raise ValueError(f"there is no file {shown(path)}: create it, or remove its name here")
    return path


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, without a byte order mark, line ends as they are.

    Raises:
        ListFileError: the file cannot be read, or is in another encoding.
    """
    if path.is_fifo() or path.is_char_device():  # which may never end
        raise ListFileError((Mistake(shown(path), 1, "cannot be read: it is no ordinary file"),))
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or error
        raise ListFileError((Mistake(shown(path), 1, f"cannot be read: {reason}"),)) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ListFileError((Mistake(shown(path), line, "is not UTF-8 text: save it in that encoding"),)) from None


class Document:
    """A TOML file that was read."""

    def __init__(self, path: Path) -> None:
        """Read a file.

        Raises:
            ListFileError: the file cannot be read, is not TOML, or is nested too deeply.
        """
        self.path = path
        self._text = read_text(path).replace("\r\n", "\n")
        if endless := _ENDLESS_KEY.search(self._text):
            line = self._text.count("\n", 0, endless.start()) + 1
            raise ListFileError((Mistake(shown(path), line, "has a key of more than 100 parts: remove it"),))
        try:
            self.data: dict[str, Any] = tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            raise ListFileError((self._syntax_mistake(str(error)),)) from None
        except RecursionError:
            raise ListFileError((Mistake(shown(path), 1, "is nested too deeply"),)) from None

    def _syntax_mistake(self, message: str) -> Mistake:
        place = _PLACE.search(message)
        line = int(place["line"]) if place and place["line"] else self._text.rstrip().count("\n") + 1
        reason = _PLACE.sub(lambda found: f" (column {found['column']})" if found["line"] else "", message)
        is_bare = reason.startswith(("Invalid value", "Expected newline"))  # most often a text without quotes
        hint = '; texts stand in quotes, as in hour = "08:00"' if is_bare else ""
        return Mistake(shown(self.path), line, f"is not valid TOML: {reason}{hint}")

    @cached_property
    def _lines(self) -> dict[KeyPath, int]:
        return positions(self._text)

    def line(self, *path: str | int) -> int:
        """Return the line of a key, or of the nearest table around it that has one."""
        path = path[:DEEPEST]
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def mistake(self, path: KeyPath, message: str) -> Mistake:
        """Return a mistake at a key."""
        return Mistake(shown(self.path), self.line(*path), message)
