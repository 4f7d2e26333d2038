"""Processes of the program as it serves, by a clock that the simulation moves.

`python -m tests.simulation.machine` forks a process for each line of its input, a `Start`, so that a process costs
no imports. That one connects to a socket, reads orders from it and answers each when it is done. Time is that of
the order, and flows ten times as fast as in the world, so that what waits seconds for a relay doesn't take long.
All timers of the event loop go by it: to move the clock by an hour is the same for them as to wait an hour.
"""

from __future__ import annotations

import asyncio
import json
import os
import selectors
import signal
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from types import FrameType

from newsletter import bootstrap
from newsletter.bootstrap import Program
from newsletter.cli import serve, session
from newsletter.composition import signing_up, telling, watching
from newsletter.scheduling.loop import Threads
from newsletter.sources.http.client import HttpClient
from newsletter.store import closing
from newsletter.web.app import public_app
from newsletter.web.limits import Limits
from newsletter.web.server import serving
from tests.delivery.worker import die_at

SPEED = 10.0
_THREADS = 8
_PAGE = 4  # readers that an issue is closed for at a time, so that few make several pages


@dataclass(frozen=True, kw_only=True)
class Start:
    """A process that is to begin: at which moment (ISO 8601), with which port; it connects to `socket`."""

    at: str
    port: int
    socket: str


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to do at which moment: `tick` or `collect`.

    The process dies from then on when it has come to a `point` for the `count`th time; without one it doesn't.
    """

    at: str
    do: str
    point: str = ""
    count: int = 1


def line_of(message: Start | Order) -> bytes:
    """Return a message as a line."""
    return json.dumps(asdict(message)).encode() + b"\n"


class _Selector(selectors.DefaultSelector):
    """Waits a part of the time that it is asked to."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout / SPEED if timeout else timeout)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is the simulated one, in seconds since 1970."""

    def __init__(self) -> None:
        self._ahead = 0.0
        super().__init__(_Selector())

    def time(self) -> float:
        return time.monotonic() * SPEED + self._ahead

    def move_to(self, moment: datetime) -> None:
        """Let it be a moment; never one before the present."""
        self._ahead += max(0.0, moment.timestamp() - self.time())


def go_by(loop: SimulatedLoop) -> None:
    """Let the program know no other clock than the loop's."""

    class Clock(datetime):
        """Tells the loop's time."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # as our code needs it
            return datetime.fromtimestamp(loop.time(), tz)

    bootstrap.datetime = Clock  # type: ignore[attr-defined]
    defaults = HttpClient.__init__.__kwdefaults__
    assert defaults is not None
    defaults["clock"] = loop.time


async def _live(program: Program, start: Start) -> None:
    """Serve pages and do what is ordered until there are no more orders, or SIGTERM comes."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    assert isinstance(loop, SimulatedLoop)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    program.load(has_visitors=True)
    letters, mails = signing_up.in_the_background(program)
    each_tick = (letters, mails, telling.in_the_background(program))
    watch = watching.watch(program)
    site = serve.site_of(program, None, wake_letters=letters.soon, wake_mails=mails.soon)
    async with serving(public_app(site), "127.0.0.1", start.port, limits=Limits()):
        orders, answers = await asyncio.open_unix_connection(start.socket)
        answers.write(f"{os.getpid()}\n".encode())
        dies_at = {""}
        while line := await orders.readline():
            order = Order(**json.loads(line))
            loop.move_to(datetime.fromisoformat(order.at))
            if order.point not in dies_at:
                dies_at.add(order.point)
                die_at(order.point, order.count)
            for background in each_tick:
                background.soon()
            work = program.ticker.tick if order.do == "tick" else program.ticker.collect
            await work(now=session.now(), stop=stop)
            await watch.look(session.now())
            if stop.is_set():
                break
            answers.write(b"done\n")
        for background in each_tick:
            await background.close(within=1)
    answers.close()


async def _main(start: Start) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimulatedLoop)
    loop.set_default_executor(Threads(_THREADS))
    loop.move_to(datetime.fromisoformat(start.at))
    go_by(loop)
    async with bootstrap.build(session.settings()) as program:
        await _live(program, start)


def _bury(_number: int, _frame: FrameType | None) -> None:
    """Take note of those who have ended, so that they are gone."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _serve() -> None:
    """Begin a process for each line of the input, until there are no more."""
    closing.PAGE_OF_SQLITE = closing.PAGE_OF_POSTGRESQL = _PAGE
    signal.signal(signal.SIGCHLD, _bury)
    for line in sys.stdin:
        if os.fork():
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        start = Start(**json.loads(line))
        os.environ["NEWSLETTER_WEB__PORT"] = str(start.port)
        code = 1
        try:
            with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
                runner.run(_main(start))
            code = 0
        except Exception:  # noqa: BLE001 -- what it died of stands in the log, and it must not return
            traceback.print_exc()
        finally:
            os._exit(code)


if __name__ == "__main__":
    _serve()
