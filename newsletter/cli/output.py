"""Where results, progress and errors go: results to stdout, all else to stderr."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from newsletter.core.errors import Mistake


def say(text: str) -> None:
    """Print one line of a result, at once: whoever waits for it may read from a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say_json(value: object) -> None:
    """Print one JSON value on one line, in ASCII where stdout has not all letters: no value is changed."""
    everything = sys.stdout.encoding.lower().replace("-", "").startswith("utf")
    sys.stdout.write(json.dumps(value, ensure_ascii=not everything, default=str) + "\n")
    sys.stdout.flush()


def mistakes_json(mistakes: Iterable[Mistake]) -> list[dict[str, Any]]:
    """Return mistakes in files as JSON shows them."""
    return [{"file": one.file, "line": one.line, "message": one.message} for one in mistakes]


def complain(text: str) -> None:
    """Print an error to stderr."""
    sys.stderr.write(f"newsletter: {text}\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows under headings, as wide as the terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False, soft_wrap=not sys.stdout.isatty())
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        # Subjects and addresses are not ours: they must not be read as markup.
        grid.add_row(*(Text("" if value is None else str(value)) for value in row))
    console.print(grid)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Say on a terminal what is waited for, as long as the context lasts."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(text):
        yield
