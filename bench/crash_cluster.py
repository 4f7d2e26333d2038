"""Workers that are killed, stopped and lose their database while they deliver: who is lost, who is mailed twice?

Commands run as their users run them, as processes: `newsletter worker` several times over, on a PostgreSQL server
of the bench's own, and `newsletter run`, which closes the issue and is killed then. Every five seconds a worker is
killed, and started again as a service manager does. One is stopped (SIGSTOP) for forty seconds, and goes on. When
half of the readers have their mail, PostgreSQL is stopped as by a crash, and started again. All of it for each
policy (`NEWSLETTER_DELIVERY__UNCERTAIN`). A sink takes all mail and writes down who got it.

    python bench/crash_cluster.py [--json] [--deliveries 2000] [--workers 4] [--policy resend|hold|both]
                                  [--kill-every 5] [--kills 0] [--stop-for 40] [--answer-after 0]

"in flight" are the deliveries that were ever uncertain; only these may come twice, and under `hold` none may. A
worker that is killed or stopped holds some deliveries: "back after" is how long it took until others had the last
of them, or how long nothing came after a crash of the database. The exit code is 1 if anybody was lost or got a
copy too many, or something was back after more than 60 seconds.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from at_scale.processes import Helper, Program, helper
from at_scale.working_folder import Calendar, WorkingFolder
from psycopg.rows import dict_row

BENCH = Path(__file__).resolve().parent
LOOK = 0.1  # seconds between two looks
BACK_WITHIN = 60.0  # seconds: the goal
PATIENCE = 300.0  # seconds without a change, after which the bench gives up
HELD = "claimed_by LIKE %(holder)s"
# Held by the one that was hit, or by nobody although it is due.
LEFT = f"""
    SELECT count(*) FROM deliveries WHERE key = ANY(%(keys)s) AND state IN ('queued', 'deferred', 'sending')
        AND ({HELD} OR claimed_by IS NULL AND ready_at <= clock_timestamp())
"""  # noqa: S608
OPEN = "SELECT count(*) FROM deliveries WHERE state IN ('queued', 'deferred', 'sending')"


@dataclass
class Blow:
    """What was done to a worker, or to the database, and how long it took until all was well again."""

    what: str
    at: float  # seconds since the first mail
    held: int = 0  # deliveries that the worker had claimed
    back_after: float | None = None  # seconds
    keys: list[int] = field(default_factory=list, repr=False)
    holder: str = field(default="", repr=False)


@dataclass
class Found:
    """What became of an issue."""

    policy: str
    deliveries: int
    workers: int
    seconds: float
    kills: int
    in_flight: int
    states: Mapping[str, int]
    lost: int  # they count as sent, and nothing came
    copies: int  # more than one each
    wrong_copies: int  # of deliveries that were never uncertain, or under `hold`
    back_after: float  # the longest
    blows: list[Blow]

    @property
    def is_right(self) -> bool:
        """Return whether nobody was lost, nobody got a copy too many, and all went on in time."""
        settled = sum(self.states.get(state, 0) for state in ("sent", "uncertain"))
        whole = settled == self.deliveries and (self.policy == "hold" or settled == self.states.get("sent"))
        return whole and not self.lost and not self.wrong_copies and self.back_after <= BACK_WITHIN


class Ledger:
    """Looks into the database; None where it cannot be asked just now."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[dict[str, Any]] | None = None

    def ask(self, query: str, **values: Any) -> list[dict[str, Any]] | None:
        """Return the rows of a query."""
        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._url, autocommit=True, row_factory=dict_row)
            return self._connection.execute(query, values).fetchall()
        except psycopg.OperationalError:
            self._connection = None
            return None

    def number(self, query: str, **values: Any) -> int | None:
        """Return the one number that a query finds."""
        rows = self.ask(query, **values)
        return None if rows is None else int(next(iter(rows[0].values())))


class Worker:
    """A worker that is started again whenever it ends."""

    def __init__(self, program: Program, log: Path) -> None:
        self._program, self._log = program, log
        self._running = ExitStack()
        self.is_stopped = False
        self._start()

    def _start(self) -> None:
        self.process = self._running.enter_context(self._program.going_on(self._log, "worker"))

    def look(self) -> None:
        """Start it again if it has ended."""
        if self.process.poll() is not None:
            self._running.close()
            self._start()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)
        self.is_stopped = number is signal.SIGSTOP

    def end(self) -> None:
        """End it for good."""
        self._running.close()


@dataclass
class Crashes:
    """One issue, and what is done to those who deliver it."""

    arguments: argparse.Namespace
    ledger: Ledger
    server: Helper
    sink: Helper
    workers: list[Worker]
    blows: list[Blow] = field(default_factory=list)
    began: float = 0.0
    has_crashed: bool = False  # the database
    chance: random.Random = field(default_factory=lambda: random.Random(20))  # noqa: S311 (not for secrets)

    def messages(self) -> int:
        """Return how many mails came."""
        return int(self.sink.ask()["messages"])

    def now(self) -> float:
        """Return the seconds since the first mail."""
        return time.monotonic() - self.began

    def until_done(self) -> float:
        """Let it go on until nothing is left to deliver; return after how many seconds that was."""
        while not self.messages():
            self._look()
        self.began = time.monotonic()
        kill_at, stop_at = self.arguments.kill_every, 1.5 * self.arguments.kill_every
        stopped: Worker | None = None
        last, moved_at = (0, 0), 0.0
        while (left := self.ledger.number(OPEN)) != 0 or stopped or any(b.back_after is None for b in self.blows):
            came = self.messages()
            if (came, left or 0) != last:
                last, moved_at = (came, left or 0), self.now()
            if self.now() - moved_at > PATIENCE:
                raise SystemExit(f"nothing has moved for {PATIENCE:.0f} s: {left} left, {self.blows}")
            if self.now() >= kill_at and left and self._may_kill():
                kill_at += self.arguments.kill_every
                self._hit(signal.SIGKILL)
            if stop_at <= self.now() and stopped is None and stop_at:
                stop_at, stopped = self.now() + self.arguments.stop_for, self._hit(signal.SIGSTOP)
            elif stopped and self.now() >= stop_at:
                stopped.send(signal.SIGCONT)
                stop_at, stopped = float("inf"), None
            if not self.has_crashed and came >= self.arguments.deliveries / 2:
                self._crash()
            self._look()
        return self.now()

    def _may_kill(self) -> bool:
        most = self.arguments.kills
        return not most or sum(blow.what == "SIGKILL" for blow in self.blows) < most

    def _look(self) -> None:
        time.sleep(LOOK)
        for worker in self.workers:
            worker.look()
        for blow in self.blows:
            if blow.back_after is None and self._is_over(blow):
                blow.back_after = self.now() - blow.at

    def _is_over(self, blow: Blow) -> bool:
        if blow.holder:
            return self.ledger.number(LEFT, keys=blow.keys, holder=blow.holder) == 0
        return self.messages() > blow.held or self.ledger.number(OPEN) == 0

    def _hit(self, number: signal.Signals) -> Worker:
        """Send a signal to one of the workers that are at work."""
        worker = self.chance.choice([one for one in self.workers if not one.is_stopped])
        holder = f"%-{worker.process.pid}-%"
        worker.send(number)
        blow = Blow(number.name, self.now(), holder=holder)
        rows = self.ledger.ask(f"SELECT key FROM deliveries WHERE {HELD}", holder=holder)  # noqa: S608
        blow.keys = [row["key"] for row in rows or []]
        blow.held = len(blow.keys)
        self.blows.append(blow)
        return worker

    def _crash(self) -> None:
        blow = Blow("crash of the database", self.now())
        self.server.ask()
        self.has_crashed = True
        blow.held = self.messages()  # more than so many: it goes on
        self.blows.append(blow)


@contextmanager
def place(folder: Path, policy: str, arguments: argparse.Namespace) -> Iterator[tuple[Crashes, Path]]:
    """Give an issue that is closed, with workers that have begun to deliver it; and the file of who got it."""
    folder.mkdir()
    got = folder / "got"
    server = helper(sys.executable, BENCH / "at_scale" / "postgresql_server.py")
    taking = helper(folder.parent / "sink", "-r", got, "-d", str(arguments.answer_after))
    with server as database, taking as sink, ExitStack() as running:
        work = WorkingFolder.make(folder / "work", arguments.deliveries, Calendar.now())
        settings = {
            "NEWSLETTER_DELIVERY__DISPATCHER": "procrastinate",
            "NEWSLETTER_DELIVERY__UNCERTAIN": policy,
            "NEWSLETTER_DELIVERY__PROCESSES": "1",  # so that a worker is the process that claims
            "NEWSLETTER_SMTP__CONNECTIONS": str(arguments.connections),
        }
        program = Program(
            BENCH.parent, work.path, {**work.environment(database.first, int(sink.first)), **settings}
        )
        program.run("db", "upgrade")
        ledger = Ledger(database.first)
        _close(program, ledger, folder / "run.log", work.calendar)
        workers = [Worker(program, folder / f"worker{number}.log") for number in range(arguments.workers)]
        for worker in workers:
            running.callback(worker.end)
        yield Crashes(arguments, ledger, database, sink, workers), got


def _close(program: Program, ledger: Ledger, log: Path, calendar: Calendar) -> None:
    """Let `run` close an issue, and kill it when it has: workers deliver it."""
    with program.going_on(log, "run", "--date", calendar.first.isoformat()) as process:
        while not ledger.number("SELECT count(*) FROM issues WHERE closing_by IS NULL"):
            if process.poll() is not None:
                raise SystemExit(f"newsletter run: exit {process.returncode}\n{log.read_text()[-2000:]}")
            time.sleep(LOOK)


def found(crashes: Crashes, policy: str, seconds: float, got: Path) -> Found:
    """Hold what came against what the ledger says of it."""
    crashes.sink.ask()  # so that all of it stands in the file
    came = Counter(got.read_text().split())
    rows = crashes.ledger.ask("""
        SELECT lower(email) AS email, state, EXISTS (
            SELECT FROM delivery_events WHERE delivery_key = deliveries.key AND state = 'uncertain'
        ) AS was_uncertain FROM deliveries
    """)
    assert rows is not None
    copies = {email: count - 1 for email, count in came.items() if count > 1}
    allowed = {row["email"] for row in rows if row["was_uncertain"]} if policy == "resend" else set()
    return Found(
        policy=policy,
        deliveries=crashes.arguments.deliveries,
        workers=len(crashes.workers),
        seconds=seconds,
        kills=sum(blow.what == "SIGKILL" for blow in crashes.blows),
        in_flight=sum(row["was_uncertain"] for row in rows),
        states=dict(Counter(row["state"] for row in rows)),
        lost=sum(row["state"] == "sent" and row["email"] not in came for row in rows),
        copies=sum(copies.values()),
        wrong_copies=sum(count for email, count in copies.items() if email not in allowed),
        back_after=max((blow.back_after or 0 for blow in crashes.blows), default=0),
        blows=crashes.blows,
    )


def as_text(one: Found) -> str:
    """Return the table of an issue."""
    states = ", ".join(f"{count:,} {state}" for state, count in sorted(one.states.items()))
    whole = (
        f"{one.policy}: {one.deliveries:,} deliveries by {one.workers} workers in {one.seconds:.0f} s: {states}; "
        f"{one.kills} killed, {one.in_flight:,} in flight, {one.lost:,} lost, {one.copies:,} copies, "
        f"{one.wrong_copies:,} of them wrong; the longest was back after {one.back_after:.1f} s"
    )
    blows = [
        f"  {blow.at:6.1f} s  {blow.what:<22} {f'held {blow.held:,}' if blow.holder else '':<12} "
        f"back after {blow.back_after:.1f} s"
        for blow in one.blows
    ]
    return "\n".join([whole, *blows])


def parsed() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--deliveries", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--policy", choices=("resend", "hold", "both"), default="both")
    parser.add_argument("--kill-every", type=float, default=5, metavar="SECONDS")
    parser.add_argument("--kills", type=int, default=0, help="at most; 0: as many as it takes")
    parser.add_argument("--stop-for", type=float, default=40, metavar="SECONDS")
    parser.add_argument("--answer-after", type=int, default=0, metavar="MILLISECONDS", help="of the sink")
    parser.add_argument("--connections", type=int, default=16, help="of each worker")
    parser.add_argument("--keep", action="store_true", help="keep the logs, and say where they are")
    return parser.parse_args()


def main() -> None:
    arguments = parsed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started ends with the bench
    with ExitStack() as at_the_end:
        folder = Path(tempfile.mkdtemp(prefix="crash-cluster-"))
        if arguments.keep:
            at_the_end.callback(print, f"logs: {folder}", file=sys.stderr)
        else:
            at_the_end.callback(shutil.rmtree, folder, ignore_errors=True)
        subprocess.run(["cc", "-O2", "-o", folder / "sink", BENCH / "sink.c"], check=True)
        rows = []
        for policy in ("resend", "hold") if arguments.policy == "both" else (arguments.policy,):
            with place(folder / policy, policy, arguments) as (crashes, got):
                seconds = crashes.until_done()
                rows.append(found(crashes, policy, seconds, got))
            if not arguments.json:
                print(as_text(rows[-1]), flush=True)
    if arguments.json:
        ratios = {f"{row.policy}, back in time": BACK_WITHIN / max(row.back_after, 0.1) for row in rows}
        print(json.dumps({"ratios": ratios, "rows": [_as_json(row) for row in rows]}))
    if not all(row.is_right for row in rows):
        raise SystemExit("somebody was lost, got a copy too many, or waited for too long")


def _as_json(row: Found) -> dict[str, Any]:
    """Return a row without what it was measured by."""
    blows = [{"what": one.what, "at": one.at, "held": one.held, "back_after": one.back_after} for one in row.blows]
    return {**asdict(row), "blows": blows}


if __name__ == "__main__":
    main()
