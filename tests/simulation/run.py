"""Runs a story: real processes with a real ledger, one moment after the other, in a world on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from tests.e2e.test_serve import free_port
from tests.simulation.expected import QUARTER, List, Reader, due
from tests.simulation.machine import Order, Start, line_of
from tests.simulation.story import OPERATOR, SLOW_DOMAIN, Death, Span, Story
from tests.simulation.world import Relay, Sources

_ROOT = Path(__file__).resolve().parents[2]
_LOGIN = "newsletter", "a token"
_SOCKET = "machines"  # in the folder
_EVERY = timedelta(hours=8)  # a tick, where nothing is due
_AFTERWARDS = timedelta(hours=2)  # after trouble, ticks are often
_COLLECT_AT = (8, 16)
_SECONDS = 120.0  # for a tick; a process that takes longer hangs
_SIGTERM_AFTER = 3  # mails


class MachineDiedError(Exception):
    """A process died in the middle of its work."""


@dataclass(frozen=True)
class Machine:
    """A process of the program: its number, its port, and how to talk to it."""

    number: int
    port: int
    words: asyncio.StreamReader
    orders: asyncio.StreamWriter

    async def do(self, order: Order) -> None:
        """Have it do something, to the end.

        Raises:
            MachineDiedError: it ended meanwhile.
        """
        async with asyncio.timeout(_SECONDS):
            try:
                self.orders.write(line_of(order))
                if not await self.words.readline():
                    raise MachineDiedError
            except ConnectionError as error:
                raise MachineDiedError from error

    def send(self, received: signal.Signals) -> None:
        """Send it a signal, if it lives."""
        with suppress(ProcessLookupError):
            os.kill(self.number, received)

    async def end(self) -> None:
        """Ask it to end, if it lives, and wait until it is gone."""
        self.send(signal.SIGTERM)
        self.orders.close()
        async with asyncio.timeout(_SECONDS):
            while os.path.exists(f"/proc/{self.number}"):  # noqa: ASYNC110, ASYNC240, PTH110 (until it is gone)
                await asyncio.sleep(0.01)


@dataclass
class Simulation:
    """A story on its way. What is left of it at the end is what the relay took, and the log."""

    story: Story
    folder: Path
    relay: Relay
    sources: Sources
    now: datetime
    nursery: asyncio.subprocess.Process
    connected: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
    machines: list[Machine] = field(default_factory=list)
    died: list[tuple[datetime, str]] = field(default_factory=list)
    starts: int = 0
    ticks: int = 0
    left: bool = False
    _written: list[Reader] = field(default_factory=list)
    deaths_to_come: list[Death] = field(default_factory=list)

    async def run(self) -> None:
        """Let all of it happen."""
        self.deaths_to_come = list(self.story.deaths)
        for moment in moments(self.story):
            self.now = moment
            self._write_lists()
            self._disturb()
            await self._processes()
            if self.machines:
                await self._step()
        await self._end_all()

    def _write_lists(self) -> None:
        """Write the list files where they are to be others than they are."""
        readers = self.story.readers_at(self.now)
        if readers != self._written:
            self._written = readers
            write_lists(self.folder, self.sources.url, self.story.lists, readers)

    def _disturb(self) -> None:
        story, relay = self.story, self.relay
        relay.works_again()
        if _within(self.now, story.relay_down):
            relay.answer("GREETING", "421 4.3.2 closed for repairs")
        if _within(self.now, story.domain_down):
            for reader in story.readers_at(self.now):
                if reader.address.endswith(SLOW_DOMAIN):
                    relay.answer("RCPT", "451 4.4.1 the provider does not answer", address=reader.address)
        relay.login = ("newsletter", "another") if _within(self.now, story.login_expired) else _LOGIN

    async def _processes(self) -> None:
        """Let as many processes run as there should be."""
        wanted = (1 + _within(self.now, self.story.twins)) if self.story.is_up(self.now) else 0
        while len(self.machines) > wanted:
            await self.machines.pop().end()
        while len(self.machines) < wanted:
            self.machines.append(await self._start(free_port()))

    async def _start(self, port: int) -> Machine:
        self.starts += 1
        assert self.nursery.stdin
        start = Start(at=self.now.isoformat(), port=port, socket=str(self.folder / _SOCKET))
        self.nursery.stdin.write(line_of(start))
        async with asyncio.timeout(_SECONDS):
            words, orders = await self.connected.get()
            return Machine(int(await words.readline()), port, words, orders)

    async def _step(self) -> None:
        """Have all processes do what is to be done at this moment, and whom they lose be replaced."""
        await self._tick()
        if self.now.hour in _COLLECT_AT and not self.now.minute and self.machines:
            await self.machines[0].do(self._order("collect"))
        if self.story.leaves and self.story.leaves <= self.now and not self.left:
            self.left = True
            await self._leave()

    async def _tick(self) -> None:
        self.ticks += 1
        death = next((death for death in self.deaths_to_come if death.since <= self.now), None)
        point, count = (death.point, death.count) if death else ("", 1)
        interrupting = asyncio.create_task(self._interrupt()) if death and not point else None
        orders = [self._order("tick", point, count), *(self._order("tick") for _ in self.machines[1:])]
        ended = await asyncio.gather(
            *(machine.do(order) for machine, order in zip(self.machines, orders, strict=True)),
            return_exceptions=True,
        )
        for trouble in ended:
            if trouble is not None and not isinstance(trouble, MachineDiedError):
                raise trouble
        is_over = ended[0] is not None or (interrupting is not None and interrupting.done())
        if interrupting:
            interrupting.cancel()
        if not is_over:
            return
        assert death, "a process died by itself"
        self.deaths_to_come.remove(death)
        self.died.append((self.now, point or "SIGTERM"))
        await self.machines.pop(0).end()
        await self._processes()
        for machine in self.machines:
            await machine.do(self._order("tick"))

    def _order(self, what: str, point: str = "", count: int = 1) -> Order:
        return Order(at=self.now.isoformat(), do=what, point=point, count=count)

    async def _interrupt(self) -> None:
        """Ask the first process to end when it has sent some mails of this tick."""
        await self.relay.until_taken(self.relay.taken + _SIGTERM_AFTER)
        self.machines[0].send(signal.SIGTERM)

    async def _leave(self) -> None:
        """Take those off their lists who leave, by one click in their newest mail."""
        async with httpx2.AsyncClient() as client:
            for address, url in self.relay.leave.items():
                if address.startswith("leaves"):
                    here = f"http://127.0.0.1:{self.machines[0].port}{urlsplit(url).path}"
                    done = await client.post(here, data={"List-Unsubscribe": "One-Click"})
                    done.raise_for_status()

    async def _end_all(self) -> None:
        while self.machines:
            await self.machines.pop().end()


@asynccontextmanager
async def simulated(story: Story, folder: Path) -> AsyncIterator[Simulation]:
    """Prepare a story in an empty folder."""
    made: list[Simulation] = []

    def now() -> datetime:
        return made[0].now

    connected: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    async with (
        Sources(now, share=story.faults, seed=story.seed) as sources,
        Relay(now=now, operator=OPERATOR, login=_LOGIN) as relay,
        await asyncio.start_unix_server(lambda *both: connected.put_nowait(both), folder / _SOCKET),
    ):
        nursery = await _nursery(folder, environment(relay, sources, free_port()))
        made.append(Simulation(story, folder, relay, sources, story.first, nursery, connected))
        try:
            yield made[0]
        finally:
            for machine in made[0].machines:
                machine.send(signal.SIGKILL)
            assert nursery.stdin
            nursery.stdin.close()
            await nursery.wait()


async def _nursery(folder: Path, settings: dict[str, str]) -> asyncio.subprocess.Process:
    """Start what begins processes; all of them log into a file."""
    with (folder / "log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.simulation.machine"),
            cwd=folder,
            env=settings,
            stdin=asyncio.subprocess.PIPE,
            stderr=log,
        )


def environment(relay: Relay, sources: Sources, port: int) -> dict[str, str]:
    """Return the environment of a process whose pages are at a port, without settings of anybody else."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    return others | {
        "PYTHONPATH": str(_ROOT),
        "NEWSLETTER_SMTP__HOST": "127.0.0.1",
        "NEWSLETTER_SMTP__PORT": str(relay.port),
        "NEWSLETTER_SMTP__SECURITY": "none",
        "NEWSLETTER_SMTP__USERNAME": _LOGIN[0],
        "NEWSLETTER_SMTP__PASSWORD": _LOGIN[1],
        "NEWSLETTER_SMTP__GREETING_TIMEOUT": "120",
        "NEWSLETTER_HUGGINGFACE__URL": sources.url,
        "NEWSLETTER_HTTP__ALLOW_PRIVATE": "true",
        "NEWSLETTER_HTTP__PICTURES": "false",
        "NEWSLETTER_HTTP__RETRIES": "1",
        "NEWSLETTER_HTTP__TIMEOUT": "100",
        "NEWSLETTER_WEB__PUBLIC_URL": f"http://127.0.0.1:{port}",
        "NEWSLETTER_ALARM__TO": OPERATOR,
        "NEWSLETTER_LOG__LEVEL": "warning",
        "NEWSLETTER_LOG__FORMAT": "json",
    }


def write_lists(folder: Path, source: str, lists: Sequence[List], readers: Sequence[Reader]) -> None:
    """Write the list files, each at once; `source` is where the feed is."""
    for one in lists:
        file = folder / "subscribers" / f"{one.name}.toml"
        file.parent.mkdir(exist_ok=True)
        text = one.toml().replace("FEED", f"{source}/feed.json")
        text += "".join(reader.toml() for reader in readers if reader.list == one.name)
        file.with_suffix(".new").write_text(text)
        file.with_suffix(".new").replace(file)


def log_of(folder: Path) -> Counter[str]:
    """Return how often each event stands in the log; what is no event of ours is counted by its text."""
    events: Counter[str] = Counter()
    for line in (folder / "log").read_text().splitlines():
        try:
            entry = json.loads(line)
            events[f"{entry['level']} {entry['event']}"] += 1
        except (ValueError, KeyError):
            events[line] += 1
    return events


def moments(story: Story) -> list[datetime]:
    """Return when ticks are: when something is due, half an hour after a slot, and now and then."""
    found = set()
    day = story.first.date() - timedelta(days=2)
    of = {one.name: one for one in story.lists}
    slots = {name: one.slots(day, story.last.date() + timedelta(days=1), weekly=False) for name, one in of.items()}
    for reader in {one for since, _ in (*story.moves, (story.first, "")) for one in story.readers_at(since)}:
        found |= {due(reader, of[reader.list], slot) for _, slot in slots[reader.list]}
    for dates in slots.values():
        found |= {slot + late * QUARTER for _, slot in dates for late in (0, 2)}
    found |= set(_often(Span(story.first, story.last), _EVERY))
    for span in (*story.relay_down, *story.login_expired, *story.domain_down):
        found |= set(_often(Span(span.since, span.until + _AFTERWARDS), 2 * QUARTER))
    found |= {span.until for span in (*story.down, *story.twins)}
    return sorted(moment for moment in found if story.first <= moment < story.last)


def _often(span: Span, every: timedelta) -> Iterator[datetime]:
    moment = span.since
    while moment < span.until:
        yield moment
        moment += every


def _within(moment: datetime, spans: tuple[Span, ...]) -> bool:
    return any(moment in span for span in spans)
