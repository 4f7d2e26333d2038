"""Where results, progress and errors go: results to stdout, all else to stderr."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from newsletter.core.delivery import Outcome


def say(text: str) -> None:
    """Print one line of a result, at once: whoever waits for it may read from a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say_json(value: object) -> None:
    """Print one JSON value on one line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


def complain(text: str) -> None:
    """Print an error to stderr."""
    sys.stderr.write(f"newsletter: {text}\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows under headings, as wide as the terminal."""
    console = Console(file=sys.stdout, highlight=False, soft_wrap=not sys.stdout.isatty())
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        # Subjects and addresses are not ours: they must not be read as markup.
        grid.add_row(*(Text("" if value is None else str(value)) for value in row))
    console.print(grid)


class DeliveryProgress:
    """Shows deliveries as they are settled: readers, rate, time left."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("delivering", total=None, visible=False)
        self._done = 0

    def delivered(self, outcome: Outcome, remaining: int) -> None:
        """Note one more delivery that was settled."""
        self._done += 1
        self._bar.update(
            self._task,
            completed=self._done,
            total=self._done + remaining,
            visible=True,
            description=f"delivering ({outcome.state})",
        )


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Say on a terminal what is waited for, as long as the context lasts."""
    with Console(stderr=True).status(text) if sys.stderr.isatty() else nullcontext():
        yield


@contextmanager
def progress() -> Iterator[DeliveryProgress | None]:
    """Give a progress display on a terminal, None elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield DeliveryProgress(bar)
