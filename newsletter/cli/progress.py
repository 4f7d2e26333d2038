"""How far delivering has come: a bar on a terminal, JSON lines for programs."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from newsletter.core.delivery import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress, TaskID

    from newsletter.core.delivery import Outcome

_SETTLED = (DeliveryState.SENT, DeliveryState.DEFERRED, DeliveryState.REFUSED, DeliveryState.UNCERTAIN)


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
def progress(*, as_json: bool = False) -> Iterator[DeliveryProgress | None]:
    """Yield a progress display on a terminal, or JSON lines on stderr if `as_json`; else None."""
    if as_json:
        yield DeliveryProgress(_say_event, every=1)
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

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
