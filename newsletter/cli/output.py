"""Where results, progress and errors go: results to stdout, all else to stderr."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager, nullcontext
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from newsletter.core.delivery import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rich.progress import TaskID

    from newsletter.core.delivery import Outcome
    from newsletter.core.errors import Mistake

_SETTLED = (DeliveryState.SENT, DeliveryState.DEFERRED, DeliveryState.REFUSED, DeliveryState.UNCERTAIN)


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
    console = Console(file=sys.stdout, highlight=False, soft_wrap=not sys.stdout.isatty())
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        # Subjects and addresses are not ours: they must not be read as markup.
        grid.add_row(*(Text("" if value is None else str(value)) for value in row))
    console.print(grid)


class DeliveryProgress:
    """Shows how far delivering has come: at intervals, and at the end of an issue."""

    def __init__(self, show: Callable[[dict[str, Any]], None], *, every: float) -> None:
        """Begin to count.

        Args:
            show: is called with the settled deliveries by state, the remaining ones, and their rate.
            every: the least number of seconds between two calls of `show`.
        """
        self._show = show
        self._every = every
        self._states = dict.fromkeys(_SETTLED, 0)
        self._began = self._shown = monotonic()

    def delivered(self, outcome: Outcome, remaining: int) -> None:
        """Count a delivery that was settled."""
        self._states[outcome.state] += 1
        now = monotonic()
        if remaining and now - self._shown < self._every:
            return
        self._shown = now
        rate = sum(self._states.values()) / max(now - self._began, 0.001)
        states = {state.value: count for state, count in self._states.items()}
        left = round(remaining / rate, 1)
        self._show({**states, "remaining": remaining, "per_second": round(rate, 1), "seconds_left": left})


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Say on a terminal what is waited for, as long as the context lasts."""
    with Console(stderr=True).status(text) if sys.stderr.isatty() else nullcontext():
        yield


@contextmanager
def progress(*, as_json: bool = False) -> Iterator[DeliveryProgress | None]:
    """Yield a progress display on a terminal, or JSON lines on stderr if `as_json`; else None."""
    if as_json:
        yield DeliveryProgress(_say_event, every=1)
    elif sys.stderr.isatty():
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            yield DeliveryProgress(partial(_move, bar, bar.add_task("delivering", visible=False)), every=0.1)
    else:
        yield None


def _say_event(state: dict[str, Any]) -> None:
    sys.stderr.write(json.dumps({"event": "delivering", **state}) + "\n")


def _move(bar: Progress, task: TaskID, state: dict[str, Any]) -> None:
    done = sum(state[name] for name in _SETTLED)
    description = f"delivering, {state['per_second']:,.0f} a second"
    bar.update(task, completed=done, total=done + state["remaining"], visible=True, description=description)
