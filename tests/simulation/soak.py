"""`newsletter serve` through compressed days: `python -m tests.simulation.soak --seconds 600`.

A real process, whose clock goes on by a quarter of an hour each second. It makes and sends its issues while
readers look at its pages. Memory, tasks, threads and descriptors must be as many at the end as after the first two
minutes, and there must be no warning in its log. The exit code is 1 if it isn't so.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import httpx2

from tests.e2e.test_serve import free_port
from tests.simulation.run import environment, log_of, write_lists
from tests.simulation.story import LISTS, OPERATOR, READERS
from tests.simulation.world import Relay, Sources

_ROOT = Path(__file__).resolve().parents[2]
_FASTER = timedelta(minutes=15)  # a second
_FIRST = datetime(2027, 3, 26, tzinfo=UTC)
_WARM_UP = 120.0  # seconds, or a quarter of all
_EVERY = 10.0
_MORE_MEMORY = 1.1  # times as much at the end
_MORE = 3  # tasks, threads and descriptors that come and go
# Its pages are on loopback, and some answers of its sources are faulty. An issue that is made in four seconds is
# an hour late by this clock, which is an alarm.
_ALLOWED = (
    "error alarm",
    "warning lint",
    "warning mails_link_nowhere",
    "warning request_failed",
    "warning source_failed",
)
_PATHS = ("/", "/europe/", "/europe/archive/", "/europe/feed.atom", "/sydney/", "/-/search?q=matter", "/healthz")


class FileClock:
    """A clock that is ahead of this machine's by what its file says, for the process and for the world."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.move_to(0)

    def move_to(self, seconds: float) -> None:
        """Let so many seconds of the soak have passed."""
        self._ahead = _FIRST + seconds * _FASTER - datetime.now(UTC)
        written = self.file.with_suffix(".new")
        written.write_text(str(self._ahead.total_seconds()))
        written.replace(self.file)

    def now(self) -> datetime:
        """Return what it shows."""
        return datetime.now(UTC) + self._ahead


@dataclass(frozen=True, slots=True)
class Look:
    """How the process is: memory in KiB, and what it has."""

    seconds: float
    memory: int
    descriptors: int
    threads: int
    tasks: int
    objects: int
    mails: int
    kinds: dict[str, int]

    def row(self) -> str:
        """Return it in one line."""
        return (
            f"{self.seconds:6.0f} s {self.memory / 1024:8.1f} MB {self.descriptors:5} descriptors "
            f"{self.threads:4} threads {self.tasks:4} tasks {self.objects:8} objects {self.mails:6} mails"
        )


@dataclass(frozen=True)
class Soak:
    """A process, its clock, and the relay that it sends to."""

    process: asyncio.subprocess.Process
    clock: FileClock
    relay: Relay
    url: str

    async def look(self, seconds: float) -> Look:
        """Return how the process is."""
        told = self.clock.file.with_suffix(".told")
        told.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR1)
        async with asyncio.timeout(30):
            while not told.exists():  # noqa: ASYNC110 (another process makes it)
                await asyncio.sleep(0.05)
        values, folder = json.loads(told.read_text()), Path(f"/proc/{self.process.pid}")
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        return Look(
            seconds,
            int(status["VmRSS"].split()[0]),
            sum(1 for _ in (folder / "fd").iterdir()),
            int(status["Threads"]),
            mails=self.relay.taken,
            **values,
        )

    async def visit(self, client: httpx2.AsyncClient) -> None:
        """Look at its pages, as readers do."""
        for path in _PATHS:
            with suppress(httpx2.HTTPError):
                await client.get(self.url + path)

    async def run(self, seconds: float) -> list[Look]:
        """Let time fly for so long; return how the process was every ten seconds."""
        looks: list[Look] = []
        began = monotonic()
        async with httpx2.AsyncClient(timeout=30) as client:
            while (passed := monotonic() - began) < seconds:
                self.clock.move_to(passed)
                await self.visit(client)
                if not looks or passed - looks[-1].seconds >= _EVERY:
                    looks.append(await self.look(passed))
                    print(looks[-1].row(), flush=True)
                await asyncio.sleep(1)
        return looks


def faults(looks: list[Look], seconds: float) -> list[str]:
    """Return what there is more of at the end than after the warm-up. Memory is compared as it was on average."""
    warm = [look for look in looks if look.seconds >= min(_WARM_UP, seconds / 4)]
    first, last = warm[: len(warm) // 4], warm[-(len(warm) // 4) :]
    if not first:
        return ["it was too short to see anything"]
    found = []
    before, after = (sum(look.memory for look in some) / len(some) for some in (first, last))
    if after > before * _MORE_MEMORY:
        found.append(f"memory grew from {before / 1024:.0f} to {after / 1024:.0f} MB")
        kinds = {kind: count - first[0].kinds.get(kind, 0) for kind, count in last[-1].kinds.items()}
        found.append(f"there are more of these objects: {kinds}")
    for name in ("tasks", "threads", "descriptors"):
        least = [min(getattr(look, name) for look in some) for some in (first, last)]
        if least[1] > least[0] + _MORE:
            found.append(f"{name}: {least[0]} became {least[1]}")
    return found


async def soak(seconds: float, folder: Path) -> bool:
    """Run it, print what came of it, and return whether all was well."""
    clock, port = FileClock(folder / "clock"), free_port()
    async with (
        Sources(clock.now, share=0.05, seed=1) as sources,
        Relay(now=clock.now, operator=OPERATOR) as relay,
    ):
        write_lists(folder, sources.url, LISTS, READERS)
        settings = environment(relay, sources, port) | {
            "NEWSLETTER_WEB__PORT": str(port),
            "NEWSLETTER_SMTP__USERNAME": "",
            "NEWSLETTER_SMTP__PASSWORD": "",
            "NEWSLETTER_SCHEDULE__TICK": "60",
            "NEWSLETTER_SCHEDULE__COLLECT_EVERY": "180",
        }
        with (folder / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.simulation.watched", clock.file, "serve"),
                cwd=folder,
                env=settings,
                stderr=log,
            )
        url = f"http://127.0.0.1:{port}"
        await _until_it_answers(url, process)
        looks = await Soak(process, clock, relay, url).run(seconds)
        began = monotonic()
        process.terminate()
        code = await process.wait()
    print(f"ended {monotonic() - began:.1f} s after SIGTERM with {code}; {relay.taken} mails")
    events = {event: count for event, count in log_of(folder).items() if not event.startswith(_ALLOWED)}
    wrong = faults(looks, seconds) + [f"log: {count} times {event}" for event, count in events.items()]
    wrong += [] if code == 0 else [f"ended with {code}"]
    for line in wrong:
        print(f"WRONG: {line}")
    return not wrong


async def _until_it_answers(url: str, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(60), httpx2.AsyncClient() as client:
        while process.returncode is None:
            with suppress(httpx2.HTTPError):
                if (await client.get(f"{url}/healthz")).is_success:
                    return
            await asyncio.sleep(0.2)


def main() -> int:
    """Read the command line and soak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--folder", type=Path, help="an empty folder, kept afterwards")
    wanted = parser.parse_args()
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # of the relay
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        return 0 if asyncio.run(soak(wanted.seconds, wanted.folder or Path(temporary))) else 1


if __name__ == "__main__":
    sys.exit(main())
