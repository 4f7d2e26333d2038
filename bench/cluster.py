"""How fast the whole program delivers by one process, by two, and by a worker on PostgreSQL, all in one run.

Each contender is the program as its settings say, with a ledger of its own, and sends personalised mails of some
50 KB to the same cheap sink (sink.c). What it takes to start other processes is part of the time. Rounds alternate
between the contenders, so that a busy machine slows all of them; medians are reported. Only ratios carry over to
other machines, and those only where the machine has two cores to spare beside the sink's third. The ceiling is
what these cores could do if they were busy with it all the time, at the processor time that a mail takes of the
program, the sink and PostgreSQL together.

    python bench/cluster.py [--json] [--readers 100000] [--listings 25] [--rounds 3] [--connections 16]
                            [--delay 0] [--only NAME …]

`--delay` is in milliseconds, for each answer of the sink. With few listings the mails are small, and the sink
takes less of the cores that the program needs.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from deliver import compile_sink, fresh, sink
from sqlalchemy import make_url
from whole_settings import environment_of

BENCH = Path(__file__).resolve().parent
WHOLE = [sys.executable, str(BENCH / "contenders/whole.py")]

RATIOS = {  # which row is compared with which other one
    "two processes": ("two processes", "one process"),
    "two processes, PostgreSQL": ("two processes, PostgreSQL", "one process, PostgreSQL"),
    "worker": ("worker", "one process"),
    "worker of two processes": ("worker of two processes", "two processes"),
}


@dataclass(frozen=True)
class Contender:
    """The program with some settings."""

    name: str
    processes: int
    on_postgresql: bool = False
    by_worker: bool = False


CONTENDERS = (
    Contender("one process", 1),
    Contender("two processes", 2),
    Contender("one process, PostgreSQL", 1, on_postgresql=True),
    Contender("two processes, PostgreSQL", 2, on_postgresql=True),
    Contender("worker", 1, on_postgresql=True, by_worker=True),
    Contender("worker of two processes", 2, on_postgresql=True, by_worker=True),
)


@dataclass(frozen=True)
class Result:
    """One round of a contender, with all processes that it has started, the sink and the database."""

    rate: float  # messages per second
    cpu: float  # milliseconds per message, with those of the sink and of PostgreSQL


class Ledgers:
    """Makes an empty ledger for each round. `server` is the URL of a database of PostgreSQL, or empty."""

    def __init__(self, folder: Path, server: str) -> None:
        self._folder, self._server, self._made = folder, server, 0

    def new(self, *, on_postgresql: bool) -> str:
        """Return the URL of an empty database."""
        if not on_postgresql:
            return f"sqlite:///{fresh(self._folder / 'ledger')}/newsletter.db"
        self._made += 1
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE round{self._made}".encode())
        of_round = make_url(self._server).set(database=f"round{self._made}")
        return of_round.render_as_string(hide_password=False)


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a server for as long as the context lasts; gives the URL of a database."""
    command = [sys.executable, str(BENCH / "at_scale/postgresql_server.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


@contextmanager
def worker(environment: Mapping[str, str], *, wanted: bool) -> Iterator[None]:
    """Run `newsletter worker`, if one is wanted, for as long as the context lasts."""
    if not wanted:
        yield
        return
    command = [str(Path(sys.executable).with_name("newsletter")), "worker"]
    log = {"NEWSLETTER_LOG__LEVEL": "info"}
    with subprocess.Popen(command, env={**environment, **log}, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        said = process.stderr.readline()
        if "working" not in said:
            raise SystemExit(f"the worker has ended: {said}")
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate()


def measure(one: Contender, program: Path, delay: int, url: str, arguments: argparse.Namespace) -> Result:
    """Let a contender send to all readers; all must arrive."""
    state = fresh(Path(arguments.folder) / "state")
    environment = dict(
        environment_of(
            state,
            url,
            connections=arguments.connections,
            processes=one.processes,
            dispatcher="procrastinate" if one.by_worker else "inline",
        )
    )
    subprocess.run(
        [*WHOLE, "prepare", str(arguments.readers), str(arguments.listings)], check=True, env=environment
    )
    before, of_server = os.times(), server_cpu(url)
    with sink(program, delay) as (port, taken):
        environment["NEWSLETTER_SMTP__PORT"] = str(port)
        with worker(environment, wanted=one.by_worker):
            sent = subprocess.run(
                [*WHOLE, "send"], env=environment, cwd=state, stdout=subprocess.PIPE, check=False
            )
        after = os.times()
        arrived = taken()
    if sent.returncode or arrived != arguments.readers:
        raise SystemExit(f"{one.name}: exit {sent.returncode}, {arrived} of {arguments.readers} messages arrived")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    cpu += server_cpu(url) - of_server
    return Result(rate=arguments.readers / float(sent.stdout), cpu=1000 * cpu / arguments.readers)


def server_cpu(url: str) -> float:
    """Return the seconds of the processor that the server of a database has taken; 0 for SQLite."""
    if url.startswith("sqlite"):
        return 0.0
    with psycopg.connect(url) as connection:
        [folder] = connection.execute("SHOW data_directory").fetchone() or ("",)
    server = int(Path(folder, "postmaster.pid").read_text(encoding="utf-8").split()[0])
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        # proc(5): the parent is field 4, from 14 on stand the ticks of the process, then those of ended children.
        if int(path.parent.name) == server:
            ticks += sum(map(int, fields[11:15]))
        elif int(fields[1]) == server:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def row(name: str, rounds: list[Result]) -> dict[str, Any]:
    """Return a contender's line of the table."""
    rate, cpu = statistics.median(one.rate for one in rounds), statistics.median(one.cpu for one in rounds)
    most = 1000 * len(os.sched_getaffinity(0)) / cpu  # if all cores were busy all the time, with this alone
    return {
        "contender": name,
        "messages_per_second": round(rate, 1),
        "cpu_ms": round(cpu, 3),
        "ceiling": round(most),
        "of_ceiling": round(rate / most, 2),
    }


def parsed() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--readers", type=int, default=100_000)
    parser.add_argument("--listings", type=int, default=25, help="of the issue; of 25 each reader gets 20: 50 KB")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--delay", type=int, default=0, help="milliseconds for each answer of the sink")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", choices=[one.name for one in CONTENDERS])
    return parser.parse_args()


def main() -> None:
    arguments = parsed()
    timed = [one for one in CONTENDERS if not arguments.only or one.name in arguments.only]
    results: dict[str, list[Result]] = {one.name: [] for one in timed}
    with tempfile.TemporaryDirectory(prefix="bench-cluster-") as name, ExitStack() as running:
        arguments.folder = name
        program = compile_sink(Path(name))
        needs_server = any(one.on_postgresql for one in timed)
        ledgers = Ledgers(Path(name), running.enter_context(postgresql()) if needs_server else "")
        for _ in range(arguments.rounds):
            for one in timed:
                url = ledgers.new(on_postgresql=one.on_postgresql)
                results[one.name].append(measure(one, program, arguments.delay, url, arguments))
    rows = {name: row(name, rounds) for name, rounds in results.items()}
    rates = {name: line["messages_per_second"] for name, line in rows.items()}
    ratios = {
        name: round(rates[ours] / rates[theirs], 2)
        for name, (ours, theirs) in RATIOS.items()
        if ours in rates and theirs in rates
    }
    if arguments.json:
        print(json.dumps({"ratios": ratios, "rows": list(rows.values())}))
        return
    for line in rows.values():
        said = (
            "  {contender:<28} {messages_per_second:>10,}/s {cpu_ms:>8} ms CPU {of_ceiling:>6.0%} of {ceiling:,}/s"
        )
        print(said.format(**line))
    for name, ratio in ratios.items():
        print(f"  {ratio:6.2f} times as fast: {name}")


if __name__ == "__main__":
    main()
