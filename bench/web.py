"""How the public pages hold up while an issue goes out and readers sign up, all in one run.

`wrk` asks for pages of a list's archive 500 times a second. Beside it `newsletter serve` sends an issue to a sink
that takes everything, and two readers sign up each second. The issue goes out once without visitors, once with
them, and once more with the pages in a process of their own (`newsletter web`), each time in a new working folder.

    python bench/web.py [--json] [--readers 4000] [--rate 500] [--page archive/]

Ratios are figures over goals: pages a second over 500, 100 ms over the 99th percentile, the speed of delivery
beside visitors over that without them (the goal is 0.9), sign-ups that were kept over those that were answered.
Above 1, or 0.9, is good. `wrk` and the sink share the machine's cores with what is measured.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from at_scale.databases import empty_database
from at_scale.processes import Helper, Program, Service, helper
from at_scale.working_folder import LIST, Calendar, WorkingFolder
from scale import BENCH, PARTS, Place, run_day, wait_for

CONNECTIONS = 100
GOAL_RATE, GOAL_MS = 500, 100
SIGN_UP_EVERY = 0.5  # seconds
WARM = 5  # seconds of visits before the issue is due
_CLOSED = "SELECT count(*) = 2 FROM issues WHERE closing_by IS NULL"
_SENT = """SELECT NOT EXISTS (SELECT 1 FROM deliveries WHERE ready_at IS NOT NULL)
AND NOT EXISTS (SELECT 1 FROM deliveries WHERE claimed_by IS NOT NULL)"""
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
# Each connection waits so long, on average, before it asks again: together they ask at the rate.
_PACED = """
local pause = {pause}
function delay() return math.random(0, math.floor(2 * pause)) end
"""


@dataclass(frozen=True)
class Visits:
    """What wrk says."""

    rate: float  # per second
    p50: float  # ms
    p99: float
    most: float
    failed: int


@dataclass(frozen=True)
class Round:
    """One issue that went out."""

    name: str
    seconds: float
    rate: float  # mails per second
    visits: Visits | None
    asked: int  # sign-ups that were answered
    kept: int

    def as_text(self) -> str:
        """Return it for people."""
        said = f"  {self.name:<34} {self.rate:,.0f} mails/s in {self.seconds:.1f} s"
        if self.visits:
            seen = self.visits
            said += f" · {seen.rate:,.0f} pages/s, p50 {seen.p50:.1f}, p99 {seen.p99:.1f}, max {seen.most:.0f} ms"
            said += f", {seen.failed} failed · {self.kept} of {self.asked} sign-ups kept"
        return said


class Wrk:
    """`wrk` at a steady rate, until it is told to end."""

    def __init__(self, url: str, rate: int, folder: Path) -> None:
        script = folder / "paced.lua"
        script.write_text(_PACED.format(pause=1000 * CONNECTIONS / rate))
        options = ["-t1", f"-c{CONNECTIONS}", "-d3600", "--timeout", "30", "--latency", "-s", str(script)]
        self._process = subprocess.Popen(["wrk", *options, url], stdout=subprocess.PIPE, text=True)

    def end(self) -> Visits:
        """Let it end, and return what it saw."""
        self._process.send_signal(signal.SIGINT)
        out, _ = self._process.communicate(timeout=60)
        shares = {share: _ms(value) for share, value in re.findall(r"(\d+)%\s+([\d.]+\w+)", out)}
        slowest = re.search(r"Latency\s+\S+\s+\S+\s+(\S+)", out)
        rate = re.search(r"Requests/sec:\s+([\d.]+)", out)
        if not (slowest and rate and shares):
            raise SystemExit(f"wrk said:\n{out}")
        errors = sum(map(int, re.findall(r"(?:connect|read|write|timeout|responses:) (\d+)", out)))
        return Visits(float(rate[1]), shares["50"], shares["99"], _ms(slowest[1]), errors)


def _ms(said: str) -> float:
    found = re.fullmatch(r"([\d.]+)(us|ms|s|m)", said)
    if found is None:
        raise SystemExit(f"wrk said {said}")
    return float(found[1]) * _UNITS.get(found[2], 60_000.0)


@contextmanager
def place(folder: Path, readers: int) -> Iterator[Place]:
    """Give a working folder with an issue that went out already, on a list that takes sign-ups."""
    links = folder / "links"
    folder.mkdir()
    with empty_database("sqlite", folder) as url, helper(folder.parent / "sink", "-l", links) as sink:
        work = WorkingFolder.make(folder / "work", readers, Calendar.now(), signup="open")
        environment = work.environment(url, int(sink.first)) | {
            "NEWSLETTER_SIGNUP__PER_CLIENT": "1000000",
            "NEWSLETTER_SIGNUP__PER_DOMAIN": "1000000",
            "NEWSLETTER_SIGNUP__PER_HOUR": "1000000",
        }
        program = Program(BENCH.parent, work.path, environment)
        made = Place("today", "sqlite", url, work, program, sink, links, 1)
        program.run("db", "upgrade")
        run_day(made, work.calendar.first.isoformat())
        yield made
    shutil.rmtree(folder)


def going_out(place: Place, name: str, page: str, rate: int, *, pages_apart: bool) -> Round:
    """Let an issue be due and go out, beside visitors if there is a rate; return how it went."""
    with ExitStack() as stack:
        serve = stack.enter_context(place.program.service("serve"))
        port = place.folder.port
        wait_for(serve, port)
        if pages_apart:
            port += 1
            stack.enter_context(_apart(place, port))
        visitors = Wrk(f"http://127.0.0.1:{port}/{page}", rate, place.folder.path) if rate else None
        readers = stack.enter_context(_signing_up(port)) if rate else None
        if rate:
            time.sleep(WARM)
        seconds = until_sent(place, serve)
        seen = visitors.end() if visitors else None
        asked = readers.end()["made"] if readers else 0
        serve.stop()
    status = json.loads(place.program.run("status", "--json").out)[0]
    states = json.loads(place.program.run("issues", "list", "--json").out)[0]["deliveries"]
    if states["sent"] < place.folder.readers:
        raise SystemExit(f"not all mails went out: {states}")
    kept = status["signups"]["asked"]
    return Round(name, seconds, states["sent"] / seconds, seen, asked, kept)


@contextmanager
def _apart(place: Place, port: int) -> Iterator[Service]:
    with place.program.service("web", "--port", str(port)) as web:
        wait_for(web, port)
        yield web


def _signing_up(port: int) -> AbstractContextManager[Helper]:
    return helper(sys.executable, PARTS / "page_probe.py", str(port), str(SIGN_UP_EVERY), "--sign-up", LIST)


def until_sent(place: Place, serve: Service) -> float:
    """Let the issue be due; return how many seconds pass from its closing until its last mail is noted."""
    ledger = sqlite3.connect(f"file:{place.url.partition('///')[2]}?mode=ro", uri=True, timeout=60)
    with closing(ledger):
        place.folder.be_due()
        began = _when(ledger, _CLOSED, serve)
        return _when(ledger, _SENT, serve) - began


def _when(ledger: sqlite3.Connection, query: str, serve: Service) -> float:
    """Return the moment at which a query says that it is so."""
    while not ledger.execute(query).fetchone()[0]:
        serve.require_alive()
        time.sleep(0.05)
    return time.monotonic()


def ratios(alone: Round, beside: list[Round], rate: int) -> dict[str, float]:
    """Return goals over figures."""
    found = {}
    for one in beside:
        assert one.visits is not None
        found[f"{one.name}: pages a second"] = one.visits.rate / min(rate, GOAL_RATE)
        found[f"{one.name}: p99"] = GOAL_MS / one.visits.p99
        found[f"{one.name}: delivery"] = one.rate / alone.rate
        found[f"{one.name}: sign-ups"] = one.kept / one.asked if one.asked else 0.0
    return {name: round(value, 3) for name, value in found.items()}


def parsed() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--readers", type=int, default=4000)
    parser.add_argument("--rate", type=int, default=GOAL_RATE, help="requests a second")
    parser.add_argument("--page", default="archive/", help="which page of the list is asked for")
    return parser.parse_args()


def main() -> None:
    arguments = parsed()
    if not shutil.which("wrk"):
        raise SystemExit("wrk is missing: `apt-get install wrk`")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends with the bench
    rounds: list[Round] = []
    page = f"{LIST}/{arguments.page}"
    with tempfile.TemporaryDirectory(prefix="bench-web-") as name:
        folder = Path(name)
        subprocess.run(["cc", "-O2", "-o", folder / "sink", BENCH / "sink.c"], check=True)
        for number, (called, rate, pages_apart) in enumerate(
            (
                ("alone", 0, False),
                ("beside visitors of serve", arguments.rate, False),
                ("beside visitors of web", arguments.rate, True),
            )
        ):
            with place(folder / str(number), arguments.readers) as made:
                rounds.append(going_out(made, called, page, rate, pages_apart=pages_apart))
            if not arguments.json:
                print(rounds[-1].as_text(), flush=True)
    found = ratios(rounds[0], rounds[1:], arguments.rate)
    if arguments.json:
        print(json.dumps({"ratios": found, "rows": [one.__dict__ for one in rounds]}, default=vars))
    else:
        print("\n".join(f"  {value:>6.2f}  {name}" for name, value in found.items()))


if __name__ == "__main__":
    main()
