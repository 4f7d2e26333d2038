"""How fast readers are served, beside other senders, all in one run and into the same cheap sink.

Each contender composes a personalised mail of some 60 KB for each reader; this program also keeps its ledger in
SQLite, every intent before and every outcome after. `smtp-source` (Postfix, C) composes and remembers nothing: it
is the limit of the machine. Rounds alternate between the contenders, so that a busy machine slows all of them;
medians are reported, ratios are of messages per second. Only ratios carry over to other machines.

    python bench/deliver.py [--json] [--connections 16] [--rounds 3] [--scale 1.0] [--delay 0] [--only NAME …]
                            [--against REV]

`--delay` is in milliseconds, for each answer of the sink, as over a real network. `--against` measures an older
commit of this program, too.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import render
from older import checkout, python
from whole_settings import environment_of

from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.lint.mail import Mail

BENCH = Path(__file__).resolve().parent
LISTINGS = 25  # as in contenders/program.py
BATCH = 2000  # as the setting

RATIOS = {  # which of this program's rows is compared with which other row
    "aiosmtplib": ("newsletter", "aiosmtplib"),
    "smtplib": ("newsletter", "smtplib"),
    "nodemailer": ("newsletter", "nodemailer"),
    "nodemailer+dkim": ("newsletter+dkim", "nodemailer+dkim"),
    "nodemailer+dkim, from one core": ("newsletter+dkim, one core", "nodemailer+dkim"),
    "nodemailer+dkim, from two processes": ("newsletter+dkim, two processes", "nodemailer+dkim"),
    "smtp-source": ("newsletter", "smtp-source"),
    "older": ("newsletter", "older"),
    "older+dkim": ("newsletter+dkim", "older+dkim"),
}


Command = Callable[[int, int], list[str]]  # makes a command line for a port and a number of readers


@dataclass(frozen=True)
class Contender:
    """One sender."""

    name: str
    readers: int
    command: Command
    needs: str = ""  # a program


@dataclass(frozen=True)
class Result:
    """One round of a contender."""

    rate: float  # messages per second
    cpu: float  # milliseconds per message
    rss: float  # MB at the peak


class Commands:
    """How the contenders are started."""

    def __init__(self, folder: Path, connections: int) -> None:
        self._folder = folder
        self._connections = str(connections)
        self._pages = write_pages(folder)
        self._key = folder / "key.pem"
        self._key.write_bytes(render.PEM)
        self._key.chmod(0o600)
        self._size = str(message_size())

    def program(self, *options: str, root: Path = BENCH.parent) -> Command:
        """Start this program, as it stands in the folder `root`; its ledger is prepared first."""

        def command(port: int, readers: int) -> list[str]:
            script = [*python(root), str(root / "bench/contenders/program.py")]
            database = str(fresh(self._folder / "program") / "newsletter.db")
            subprocess.run([*script, "prepare", database, str(readers)], check=True)
            return [*script, "send", database, str(port), self._connections, str(BATCH), *options]

        return command

    def whole(self, processes: int) -> Command:
        """Start the whole program, which signs and delivers in some processes."""
        script = [sys.executable, str(BENCH / "contenders/whole.py")]

        def command(port: int, readers: int) -> list[str]:
            state = fresh(self._folder / "whole")
            environment = environment_of(
                state,
                f"sqlite:///{state}/newsletter.db",
                connections=int(self._connections),
                processes=processes,
                SMTP__PORT=str(port),
                DKIM__DOMAIN="example.org",
                DKIM__SELECTOR="main",
                DKIM__KEY_FILE=str(self._key),
            )
            subprocess.run([*script, "prepare", str(readers), str(LISTINGS)], check=True, env=environment)
            variables = [f"{name}={value}" for name, value in environment.items()]
            return ["env", "--ignore-environment", f"--chdir={state}", *variables, *script, "send"]

        return command

    def usual(self, library: str) -> Command:
        """Start the usual Python program with aiosmtplib or smtplib."""
        script = [sys.executable, str(BENCH / "contenders/usual.py"), library]

        def command(port: int, readers: int) -> list[str]:
            database = fresh(self._folder / library) / "sent.db"
            return [*script, str(port), str(readers), self._connections, str(self._pages), str(database)]

        return command

    def nodemailer(self, *, signed: bool = False) -> Command:
        """Start nodemailer."""
        script, key = ["node", str(BENCH / "node/send.mjs")], [str(self._key)] if signed else []
        return lambda port, readers: [
            *(*script, str(port), str(readers), self._connections, str(self._pages)),
            *key,
        ]

    def smtp_source(self, port: int, readers: int) -> list[str]:
        """Start Postfix's load generator."""
        sizes = ("-l", self._size, "-m", str(readers), "-s", self._connections)
        addresses = ("-f", "papers@example.org", "-t", "reader@example.org")
        return ["smtp-source", "-d", *sizes, *addresses, f"inet:127.0.0.1:{port}"]


def contenders(commands: Commands, only: Collection[str], older: Path | None = None) -> list[Contender]:
    """Return whom to measure: all, or those of the given names, as far as what they need is installed here.

    Args:
        commands: how they are started.
        only: names; none for all.
        older: where an older commit of this program lies.
    """
    signed = commands.program("dkim")  # on asyncio's own loop, as the program itself chooses
    known = [
        Contender("newsletter", 40_000, commands.program("uvloop")),
        Contender("newsletter, asyncio's own loop", 20_000, commands.program()),
        Contender("newsletter+dkim", 8_000, signed),
        Contender("newsletter+dkim, one core", 6_000, on_one_core(signed), "taskset"),
        Contender("newsletter+dkim, two processes", 40_000, commands.whole(2)),
        Contender("aiosmtplib", 400, commands.usual("aiosmtplib")),
        Contender("smtplib", 400, commands.usual("smtplib")),
        Contender("nodemailer", 1_500, commands.nodemailer(), "node"),
        Contender("nodemailer+dkim", 1_000, commands.nodemailer(signed=True), "node"),
        Contender("smtp-source", 40_000, commands.smtp_source, "smtp-source"),
    ]
    if older:
        known += [
            Contender("older", 40_000, commands.program("uvloop", root=older)),
            Contender("older+dkim", 8_000, commands.program("dkim", root=older)),
        ]
    wanted = [one for one in known if not only or one.name in only]
    return [one for one in wanted if not one.needs or (shutil.which(one.needs) and is_installed(one.needs))]


def on_one_core(command: Command) -> Command:
    """Keep a contender on the first core; the sink may use all."""
    return lambda port, readers: ["taskset", "--cpu-list", "0", *command(port, readers)]


def fresh(folder: Path) -> Path:
    """Return an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def write_pages(folder: Path) -> Path:
    """Write the pages that the others fill in for each reader, with slots as `{{ name }}`."""
    of = render.issue(LISTINGS)
    to = render.deliveries(of, 1)[0]
    message = render.message(TemplateRenderer(None, render.TEMPLATES), of)
    mail = Mail(message.for_reader(to)[1])
    values = {
        render.LINKS.unsubscribe(to.subscriber_key): "unsubscribe_url",
        render.LINKS.feedback_of(to.subscriber_key): "unsubscribe_url",  # a link as long
        to.subscriber.email: "email",
        to.subscriber.name: "name",
    }

    def with_slots(page: str) -> str:
        for value, name in values.items():
            page = page.replace(value, f"{{{{ {name} }}}}")
        return page

    pages = {"subject": of.subject, "html": with_slots(mail.html), "text": with_slots(mail.text)}
    path = folder / "pages.json"
    path.write_text(json.dumps(pages))
    return path


def message_size() -> int:
    """Return how many bytes this program's message has."""
    of = render.issue(LISTINGS)
    message = render.message(TemplateRenderer(None, render.TEMPLATES), of)
    return len(message.for_reader(render.deliveries(of, 1)[0])[1])


def is_installed(program: str) -> bool:
    """Install nodemailer as pinned, for node; tell whether all is there."""
    if program != "node":
        return True
    if not (BENCH / "node/node_modules/nodemailer").exists():
        command = ["npm", "ci", "--silent", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=BENCH / "node", check=False)
    return (BENCH / "node/node_modules/nodemailer").exists()


@contextmanager
def sink(program: Path, delay: int, *, on_last_core: bool = False) -> Iterator[tuple[int, Callable[[], int]]]:
    """Run the sink; gives its port, and a function that ends it and tells how many messages it took.

    Args:
        program: the compiled sink.
        delay: milliseconds for each answer.
        on_last_core: keeps it there, while others may use all cores. Where the system chooses, it puts the sink
            beside a fast sender in some runs and on top of it in others; a relay has a machine of its own.
    """
    last_core = ["taskset", "--cpu-list", str((os.cpu_count() or 1) - 1)]
    before = last_core if on_last_core and shutil.which("taskset") else []
    command = [*before, str(program), "-d", str(delay)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout

    def taken() -> int:
        output, _ = process.communicate()
        return int(json.loads(output)["messages"])

    try:
        yield int(process.stdout.readline()), taken
    finally:
        process.kill()
        process.wait()


def compile_sink(folder: Path) -> Path:
    """Return the compiled sink."""
    program = folder / "sink"
    subprocess.run(["cc", "-O2", "-o", str(program), str(BENCH / "sink.c")], check=True)
    return program


def measure(contender: Contender, program: Path, delay: int, readers: int) -> Result:
    """Let a contender send to all its readers; all must arrive."""
    with sink(program, delay, on_last_core=True) as (port, taken):
        command = contender.command(port, readers)
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        elapsed, cpu = time.perf_counter() - start, usage.ru_utime + usage.ru_stime
        process.returncode = os.waitstatus_to_exitcode(status)
        arrived = taken()
    if process.returncode or arrived != readers:
        raise SystemExit(f"{contender.name}: exit {process.returncode}, {arrived} of {readers} messages arrived")
    if output.strip():  # without what it took to start
        elapsed, *rest = map(float, output.split())
        cpu = rest[0] if rest else cpu  # of a program with many processes, all that they took
    return Result(rate=readers / elapsed, cpu=1000 * cpu / readers, rss=usage.ru_maxrss / 1024)


def row(name: str, rounds: list[Result]) -> dict[str, Any]:
    """Return a contender's line of the table."""
    return {
        "contender": name,
        "messages_per_second": round(statistics.median(one.rate for one in rounds), 1),
        "cpu_ms": round(statistics.median(one.cpu for one in rounds), 3),
        "rss_mb": round(max(one.rss for one in rounds)),
    }


def parsed() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of readers")
    parser.add_argument("--delay", type=int, default=0, help="milliseconds for each answer of the sink")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--against", default="", metavar="REV", help="an older commit to measure beside today's")
    return parser.parse_args()


def main() -> None:
    arguments = parsed()
    with tempfile.TemporaryDirectory(prefix="bench-deliver-") as name:
        folder = Path(name)
        program = compile_sink(folder)
        older = checkout(arguments.against, folder / "older") if arguments.against else None
        timed = contenders(Commands(folder, arguments.connections), arguments.only, older)
        results: dict[str, list[Result]] = {one.name: [] for one in timed}
        for _ in range(arguments.rounds):
            for one in timed:
                readers = max(arguments.connections, int(one.readers * arguments.scale))
                results[one.name].append(measure(one, program, arguments.delay, readers))
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
    print(
        f"{message_size():,} bytes a message, {arguments.connections} connections, {arguments.delay} ms an answer"
    )
    for line in rows.values():
        print("  {contender:<32} {messages_per_second:>10,}/s {cpu_ms:>8} ms CPU {rss_mb:>6} MB".format(**line))
    for name, ratio in ratios.items():
        print(f"  {ratio:6.2f} times as fast as {name}")


if __name__ == "__main__":
    main()
