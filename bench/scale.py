"""What the whole program costs with a members file of many readers: time, memory, how long others wait for it.

Commands run as their users run them, as processes, in a working folder with one list, and deliver to a sink
that takes everything. Readers leave by the links in their mails. The goals are for 1,000,000 readers and two
cores; with fewer readers, what matters is whether a figure grows with their number.

    python bench/scale.py [--json] [--readers 2000] [--database sqlite|postgresql|both] [--idle 20]
                           [--rounds 3] [--no-start] [--against REV]

Figures are of one run; those of short commands are medians. A process of its own asks for `/healthz`
every 20 ms, another one lets twelve readers leave in each second. A lock is the longest time in which nobody
else could write to SQLite, or the greatest age of a writing transaction in PostgreSQL. "late" is how late that
first process was woken, which is the machine's part of the times. Ratios are goals over figures, and with
`--against` also figures of an older commit over today's: above 1 is good.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import Any

from at_scale.databases import KINDS, empty_database, kinds_of
from at_scale.figures import Row, percentiles, ratios
from at_scale.processes import Ended, Helper, Program, Service, helper
from at_scale.working_folder import Calendar, WorkingFolder
from older import checkout

BENCH = Path(__file__).resolve().parent
PARTS = BENCH / "at_scale"
TODAY = "today"
FEW = 10  # readers of a small ledger
POLL, LEAVE = 0.02, 0.08  # seconds between two visits
LEAVERS = 4  # at most one of so many readers leaves
COLLECTED = "collected"  # what `serve` logs when it has read a source, with which making an issue begins
START = 600.0  # seconds for `serve` to answer
SETTLED = 0.05  # of a core: so little does `serve` use when it has begun


@dataclass(frozen=True)
class Place:
    """A working folder, its ledger, the program that works there and the sink that takes its mail."""

    name: str
    database: str
    url: str  # of the ledger
    folder: WorkingFolder
    program: Program
    sink: Helper
    links: Path  # by which the readers leave, as the sink found them
    rounds: int  # of short commands

    def row(self, step: str, figures: dict[str, float]) -> Row:
        """Return the row of a step."""
        return Row(self.name, self.database, step, figures)

    def sent(self) -> int:
        """Return how many mails have arrived."""
        return int(self.sink.ask()["messages"])

    def watched(self, issues: int) -> AbstractContextManager[Helper]:
        """Return the context of a process that watches the ledger until it has so many closed issues."""
        return helper(sys.executable, PARTS / "ledger_probe.py", self.url, str(issues))

    def visited(self, every: float, *what: str) -> AbstractContextManager[Helper]:
        """Return the context of a process that visits the pages."""
        return helper(sys.executable, PARTS / "page_probe.py", str(self.folder.port), str(every), *what)


def cost(ended: Ended) -> dict[str, float]:
    """Return the figures that each command has."""
    return {"cpu_s": ended.cpu, "wall_s": ended.wall, "rss_mb": ended.rss}


def median(place: Place, command: Callable[[], Ended]) -> dict[str, float]:
    """Return the cost of a short command, the median of some rounds."""
    rounds = [cost(command()) for _ in range(place.rounds)]
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}


def short(place: Place, *words: str, step: str = "") -> Row:
    """Measure a short command of the program."""
    return place.row(step or " ".join(words), median(place, lambda: place.program.run(*words)))


def start_up(place: Place) -> Iterator[Row]:
    """Measure commands that have next to nothing to do; `place` has few readers."""
    place.program.run("db", "upgrade")
    place.program.run("status")  # compiles what was never compiled
    yield place.row("python -c pass", median(place, place.program.nothing))
    yield short(place, "--version")
    yield short(place, "--help")
    run_day(place, place.folder.calendar.first.isoformat())
    yield short(place, "status", step=f"status, {FEW} readers")


def run_day(place: Place, day: str) -> tuple[Ended, dict[str, Any]]:
    """Run the list for a day, and return its report too."""
    ended = place.program.run("run", "--date", day, "--json")
    return ended, json.loads(ended.out)


def runs(place: Place) -> Iterator[Row]:
    """Measure `run`: with all to do, with nothing, and after one row of the members file has changed."""
    calendar = place.folder.calendar
    first, second = calendar.first.isoformat(), calendar.second.isoformat()
    place.program.run("db", "upgrade")  # so that the ledger can be watched
    with place.watched(issues=1) as ledger:
        ended, report = run_day(place, first)
        longest = ledger.end()["longest"]
    deliveries = report["deliveries"]
    if report["status"] != "sent" or deliveries["sent"] != place.sent():
        raise SystemExit(f"the first run sent {place.sent()} mails: {report}")
    locks = {f"lock_{phase}_s": seconds for phase, seconds in longest.items()}
    yield place.row("run, first", {**cost(ended), "sent": deliveries["sent"], **locks})
    yield place.row("run, nothing to do", cost(run_day(place, first)[0]))
    place.folder.write_members(changed=place.folder.readers // 2)
    with place.watched(issues=2) as ledger:
        ended, report = run_day(place, second)
        lock = max(ledger.end()["longest"].values())
    if report["status"] != "nothing_new":
        raise SystemExit(f"a run with nothing new: {report}")
    yield place.row("run, one row changed", {**cost(ended), "lock_s": lock})


def looks(place: Place) -> Iterator[Row]:
    """Measure what an operator looks at."""
    yield short(place, "status")
    yield short(place, "issues", "list")
    yield short(place, "deliveries", "list")


def service(place: Place, idle: float) -> Iterator[Row]:
    """Measure `serve`: with nothing to do for some seconds, then while it closes and sends an issue."""
    with place.program.service("serve") as serve:
        wait_for(serve, place.folder.port)
        yield place.row("serve, idle", idling(place, serve, idle))
        before = place.sent()
        yield from issuing(place, serve)
        arrived = place.sent() - before
        ended = serve.stop()
    states = json.loads(place.program.run("issues", "list", "--json").out)[0]["deliveries"]
    # A mail that leaves in the same moment as its reader may arrive, although its delivery counts as withdrawn.
    if not 0 < states["sent"] <= arrived <= sum(states.values()) == place.folder.readers:
        raise SystemExit(f"{arrived} mails arrived of {states}")
    yield place.row("serve, all told", {**cost(ended), "sent": arrived})


def answers(port: int) -> bool:
    """Return whether the health check answers that all is well."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return b" 200 " in connection.recv(64)
    return False


def wait_for(serve: Service, port: int) -> None:
    """Wait until `serve` answers, and has done what it does at its beginning."""
    end = time.monotonic() + START
    while not answers(port):
        serve.require_alive()
        if time.monotonic() > end:
            raise SystemExit("serve does not answer")
        time.sleep(0.2)
    quiet = False
    while not quiet and time.monotonic() < end:
        before = serve.cpu()
        time.sleep(2)
        quiet = serve.cpu() - before < 2 * SETTLED


def idling(place: Place, serve: Service, seconds: float) -> dict[str, float]:
    """Return what `serve` uses while it has nothing to do, and then, visited, how quickly it answers."""
    before, began = serve.cpu(), time.monotonic()
    time.sleep(seconds)
    cpu, wall = serve.cpu() - before, time.monotonic() - began
    with place.visited(POLL, "/healthz") as visitor:
        time.sleep(seconds)
        seen = visitor.end()
    return {
        "cpu_percent": 100 * cpu / wall,
        "rss_mb": serve.peak(),
        **percentiles("healthz", [taken for _, taken in seen["visits"]]),
        **late(seen),
    }


def issuing(place: Place, serve: Service) -> Iterator[Row]:
    """Let an issue be due, wait until it is sent, and tell apart what it was like while it was closed and sent."""
    with place.watched(issues=2) as ledger, place.visited(POLL, "/healthz") as visitor:
        collected = serve.logged(COLLECTED)
        place.folder.be_due()
        while serve.logged(COLLECTED) == collected:
            serve.require_alive()
            time.sleep(0.05)
        began = time.monotonic()
        with place.visited(LEAVE, "--leave", str(leavers(place))) as leaver:
            while (said := ledger.ask())["sending_since"] is None or said["open"]:
                serve.require_alive()
                time.sleep(0.5)
            ended = time.monotonic()
            left = leaver.end()
        seen, said = visitor.end(), ledger.end()
    closed = said["sending_since"]
    for step, phase, since, until in (
        ("serve, an issue is closed", "closing", began, closed),
        ("serve, an issue is sent", "sending", closed, ended),
    ):
        health, leaving = ([taken for at, taken in one["visits"] if since <= at < until] for one in (seen, left))
        figures = {"wall_s": until - since, "lock_s": said["longest"][phase]}
        figures |= {**percentiles("healthz", health), **percentiles("leaving", leaving), **late(seen)}
        yield place.row(step, figures)


def leavers(place: Place) -> Path:
    """Return a file with the links of some of the readers: enough of them are to stay."""
    some = place.links.with_name("leavers")
    with place.links.open() as links, some.open("w") as file:
        file.writelines(islice(links, place.folder.readers // LEAVERS))
    return some


def late(seen: dict[str, Any]) -> dict[str, float]:
    """Return how late a process was woken that slept."""
    return {name: value for name, value in percentiles("late", seen["late"]).items() if "p99" in name}


@contextmanager
def place(root: Path, name: str, kind: str, folder: Path, readers: int, rounds: int) -> Iterator[Place]:
    """Give a working folder of a program, with a ledger and a sink of its own; it is thrown away at the end."""
    links = folder / "links"
    folder.mkdir(parents=True)
    with empty_database(kind, folder) as url, helper(folder.parent.parent / "sink", "-l", links) as sink:
        work = WorkingFolder.make(folder / "work", readers, Calendar.now())
        program = Program(root, work.path, work.environment(url, int(sink.first)))
        yield Place(name, kind, url, work, program, sink, links, rounds)
    shutil.rmtree(folder)


def measured(root: Path, name: str, kind: str, folder: Path, arguments: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows of a program on a database."""
    if arguments.start:
        with place(root, name, kind, folder / "few", FEW, arguments.rounds) as few:
            yield from start_up(few)
    with place(root, name, kind, folder / "many", arguments.readers, arguments.rounds) as many:
        yield from runs(many)
        yield from service(many, arguments.idle)
        yield from looks(many)


def parsed() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--readers", type=int, default=2000)
    parser.add_argument("--database", choices=KINDS, default="sqlite")
    parser.add_argument("--idle", type=float, default=20, metavar="SECONDS", help="of `serve` without work")
    parser.add_argument("--rounds", type=int, default=3, help="of short commands; medians are reported")
    parser.add_argument(
        "--start", action=argparse.BooleanOptionalAction, default=True, help="commands with next to nothing to do"
    )
    parser.add_argument("--against", default="", metavar="REV", help="an older commit to measure beside today's")
    return parser.parse_args()


def main() -> None:
    arguments = parsed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends with the bench
    kinds = kinds_of(arguments.database)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="bench-scale-") as name:
        folder = Path(name)
        subprocess.run(["cc", "-O2", "-o", folder / "sink", BENCH / "sink.c"], check=True)
        programs = {TODAY: BENCH.parent}
        if arguments.against:
            programs[arguments.against] = checkout(arguments.against, folder / "older")
        for kind, (called, root) in product(kinds, programs.items()):
            show(f"{called}, {kind}, {arguments.readers:,} readers; goals are for 1,000,000", arguments)
            for row in measured(root, called, kind, folder / f"{kind} {called.replace('/', '-')}", arguments):
                rows.append(row)
                show(row.as_text(), arguments)
    if arguments.json:
        found = ratios(rows, arguments.against)
        print(json.dumps({"ratios": found, "rows": [row.as_json() for row in rows]}))


def show(line: str, arguments: argparse.Namespace) -> None:
    """Print a line for people at once: a million readers take long."""
    if not arguments.json:
        print(line, flush=True)


if __name__ == "__main__":
    main()
