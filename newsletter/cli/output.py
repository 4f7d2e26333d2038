"""Where results, progress and errors go: results to stdout, all else to stderr."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from datetime import date
from io import TextIOWrapper
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import TextIO

    from newsletter.core.errors import Mistake

# SGR codes (ECMA-48, 8.3.117), as the log has them.
_RED, _YELLOW, _BOLD = "31;1", "33;1", "1"


_PRIVATE = 0o600  # it holds people's addresses


def say(text: str) -> None:
    """Print one line of a result, at once: whoever waits for it may read from a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say_json(value: object) -> None:
    """Print one JSON value on one line, in ASCII where stdout has not all letters: no value is changed."""
    write_json(value, sys.stdout)
    sys.stdout.flush()


def write_json(value: object, file: TextIO) -> None:
    """Write one JSON value on one line; see `say_json`."""
    file.write(json.dumps(value, ensure_ascii=not _has_all_letters(file), default=plain) + "\n")


class JsonArray:
    """A JSON array on one line that is printed as its values come, however many; see `say_json`."""

    def __init__(self, file: TextIO) -> None:
        """Begin with `file`, to which the array goes."""
        self._file = file
        self._ascii = not _has_all_letters(file)
        self._between = "["

    def add(self, values: Iterable[object]) -> None:
        """Print some values."""
        for value in values:
            self._file.write(self._between + json.dumps(value, ensure_ascii=self._ascii, default=plain))
            self._between = ", "

    def end(self) -> None:
        """Print the end, also where there was no value."""
        self._file.write(self._between.strip(", ") + "]\n")
        self._file.flush()


def _has_all_letters(file: TextIO) -> bool:
    return file.encoding.lower().replace("-", "").startswith("utf")


def file_on_stdout() -> TextIO:
    """Return stdout for the content of a file, such as CSV: in UTF-8, as `import` reads it.

    A terminal keeps its own encoding. In another one, letters of an address or a name would be lost.
    """
    if isinstance(sys.stdout, TextIOWrapper) and not sys.stdout.isatty():
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    return sys.stdout


def plain(value: object) -> str:
    """Return a value as JSON and CSV show it: days and times in ISO 8601, with `T` and the offset from UTC."""
    return value.isoformat() if isinstance(value, date) else str(value)


def mistakes_json(mistakes: Iterable[Mistake]) -> list[dict[str, Any]]:
    """Return mistakes in files as JSON shows them."""
    return [{"file": one.file, "line": one.line, "message": one.message} for one in mistakes]


def complain(text: str) -> None:
    """Print an error to stderr, on a terminal in the colour of the log's errors."""
    sys.stderr.write(f"{in_colour('newsletter:', _RED, sys.stderr)} {text}\n")


def warn(text: str) -> None:
    """Print a warning to stderr, on a terminal in the colour of the log's warnings."""
    sys.stderr.write(f"{in_colour('warning:', _YELLOW, sys.stderr)} {text}\n")


def in_colour(text: str, code: str, stream: TextIO) -> str:
    """Return text with the escape codes of a colour, where the stream is a terminal that is to show colours."""
    from newsletter.logs import shows_colour

    return f"\x1b[{code}m{text}\x1b[0m" if shows_colour(stream) else text


def fold(line: str, *, indent: int) -> str:
    """Return a line folded between words for a terminal, with an indent for all but the first; else as it is."""
    if not sys.stdout.isatty():
        return line
    from textwrap import TextWrapper

    wrapper = TextWrapper(get_terminal_size().columns, break_long_words=False, break_on_hyphens=False)
    wrapper.subsequent_indent = " " * indent
    return "\n".join(wrapper.wrap(line))


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, folds: Collection[str] = ()) -> None:
    """Print rows under headings: each on one line, unless stdout is a terminal and too narrow for that.

    Args:
        headings: one for each column.
        rows: the values.
        folds: the headings of the columns that may be folded on a terminal, the last ones.
    """
    from newsletter.cli.tables import lines

    is_terminal = sys.stdout.isatty()
    width = get_terminal_size().columns if is_terminal else None
    heading, *others = lines(headings, list(rows), folds=folds, width=width)
    for line in (in_colour(heading, _BOLD, sys.stdout), *others):
        say(line)


def say_left_out(shown: int, total: int, noun: str, *, is_result: bool) -> None:
    """Say that rows were left out, if some were.

    Args:
        shown: how many rows were printed.
        total: how many there are.
        noun: what they are, in the plural.
        is_result: whether the rows are for people; the line comes after them. Else it goes to stderr, as stdout is
            read by a program.
    """
    if shown >= total:
        return
    line = f"{shown:,} of {total:,} {noun}; --limit {total} shows all"
    if is_result:
        say(line)
    else:
        complain(line)


@contextmanager
def text_file(path: Path | None) -> Iterator[TextIO]:
    """Give stdout, or a file that is there whole or not at all and that its owner alone can read.

    Raises:
        UsageError: the file cannot be written.
    """
    if path is None:
        yield file_on_stdout()
        return
    from newsletter.core.errors import UsageError
    from newsletter.whole_files import whole_file

    try:
        if path.exists() and not path.is_file():  # a device or a pipe, which must stay what it is
            with path.open("w", encoding="utf-8", newline="") as special:
                yield special
            return
        with whole_file(path, mode=_PRIVATE) as file:
            text = TextIOWrapper(file, "utf-8", newline="", write_through=True)
            yield text
            text.detach()
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None


@contextmanager
def waiting(text: str) -> Iterator[Callable[[int, int], object]]:
    """Say on a terminal what is waited for, as long as the context lasts.

    Yields:
        What shows how much is done: it takes how many are done and how many there are.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None  # noqa: ARG005 (names say what they are)
        return
    from rich.console import Console

    with Console(stderr=True).status(text) as shown:
        yield lambda done, total: shown.update(f"{text}: {done} of {total}")
