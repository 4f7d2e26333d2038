"""How well several processes together keep a rate, of a relay and of a domain: what was seen over what was asked.

Processes deliver one issue from one ledger to a sink that takes everything and notes when each message came. What
comes before all of them send does not count, nor does the first second after it. A ratio of 1 is exact, less is
slower than asked, and more is faster. On a busy machine the processes may not be able to send as fast as asked.

    python bench/rates.py [--json] [--seconds 10] [--processes 1 2 4] [--database sqlite|postgresql|both]
                          [--limits relay:200 relay:5 domain:200] [--connections 4]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from at_scale.databases import KINDS, empty_database, kinds_of

WORKER = Path(__file__).resolve().parent / "contenders" / "rate_worker.py"
UNCOUNTED = 1.0  # seconds after the last process has begun
PATIENCE = 60.0  # seconds for processes to begin, and to end


@dataclass(frozen=True)
class Row:
    """What some processes made of a limit: `most` is how many messages came in the second in which most came."""

    database: str
    processes: int
    limited: str
    asked: float
    seen: float
    most: int

    @property
    def name(self) -> str:
        """Return what the row is called among the ratios."""
        return f"{self.database}, {self.limited} {self.asked:g}/s, {self.processes} processes"

    @property
    def ratio(self) -> float:
        """Return what was seen over what was asked."""
        return round(self.seen / self.asked, 3)


class Sink:
    """An SMTP server that takes everything, and notes when; `all_came` is set when so many clients have come."""

    def __init__(self, clients: int) -> None:
        self.came_at: list[float] = []
        self.all_came = asyncio.Event()
        self._clients = clients
        self._names = set[bytes]()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client until it ends."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):  # it was terminated
            await self._answer(reader, writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            match line[:4].upper():
                case b"EHLO":
                    self._names.add(line)
                    if len(self._names) == self._clients:
                        self.all_came.set()
                    writer.write(b"250-sink\r\n250 PIPELINING\r\n")
                case b"DATA":
                    writer.write(b"354 go on\r\n")
                    await reader.readuntil(b"\r\n.\r\n")
                    self.came_at.append(asyncio.get_running_loop().time())
                    writer.write(b"250 taken\r\n")
                case b"QUIT":
                    break
                case _:
                    writer.write(b"250 ok\r\n")


@asynccontextmanager
async def workers(count: int, *words: str) -> AsyncIterator[None]:
    """Let so many processes send for as long as the context lasts.

    Raises:
        SystemExit: one of them failed.
    """
    started = [await begin("send", *words) for _ in range(count)]
    try:
        yield
        for process in started:
            process.terminate()
        async with asyncio.timeout(PATIENCE):
            if any([await process.wait() for process in started]):
                raise SystemExit("a process failed")
    finally:
        for process in started:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def begin(*words: str) -> asyncio.subprocess.Process:
    """Start a process of `contenders/rate_worker.py`."""
    return await asyncio.create_subprocess_exec(sys.executable, WORKER, *words)


async def measure(url: str, database: str, processes: int, limited: str, rate: float, options: Options) -> Row:
    """Let some processes send for some seconds, and return how fast they were."""
    readers = str(int(rate * (options.seconds + 30)) + 200 * processes)  # some are claimed ahead
    if await (await begin("prepare", url, readers)).wait():
        raise SystemExit("no issue was made")
    sink = Sink(processes)
    async with await asyncio.start_server(sink.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with workers(processes, url, str(port), str(options.connections), limited, str(rate)):
            async with asyncio.timeout(PATIENCE):
                await sink.all_came.wait()
            await asyncio.sleep(UNCOUNTED + options.seconds)
            came_at, now = list(sink.came_at), asyncio.get_running_loop().time()
    counted = sum(moment > now - options.seconds for moment in came_at)
    most = max(sum(begin <= moment < begin + 1 for moment in came_at) for begin in came_at)
    return Row(database, processes, limited, rate, counted / options.seconds, most)


@dataclass(frozen=True)
class Options:
    """How it is measured."""

    seconds: float
    connections: int


def measured(kinds: list[str], processes: list[int], limits: list[str], options: Options) -> Iterator[Row]:
    """Measure all that is asked for, each with an empty database."""
    for kind, count, limit in product(kinds, processes, limits):
        limited, rate = limit.split(":")
        with tempfile.TemporaryDirectory() as folder, empty_database(kind, Path(folder)) as url:
            yield asyncio.run(measure(url, kind, count, limited, float(rate), options))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--database", choices=KINDS, default="both")
    parser.add_argument("--limits", nargs="+", default=["relay:200", "relay:5", "domain:200"])
    parser.add_argument("--connections", type=int, default=4)
    asked = parser.parse_args()
    rows = []
    options = Options(asked.seconds, asked.connections)
    for row in measured(list(kinds_of(asked.database)), asked.processes, asked.limits, options):
        rows.append(row)
        if not asked.json:
            print(
                f"{row.name:<42} {row.seen:8.2f}/s  ratio {row.ratio:.3f}  most in a second {row.most}", flush=True
            )
    if asked.json:
        print(json.dumps({"ratios": {row.name: row.ratio for row in rows}, "rows": [asdict(row) for row in rows]}))


if __name__ == "__main__":
    main()
