"""How fast real mail servers take an issue, in the clear and over STARTTLS.

A thousand readers get a mail of some 60 KB each, by the whole delivery: ledger in SQLite, every intent before and
every outcome after. "joined" writes the next envelope together with the final dot where the server takes that,
"not joined" never does; `--against REV` measures an older commit as it was beside them. Rounds alternate between
all of these, medians are reported, and every reader must have got exactly one mail each time: a run that takes too
long, or in which a mail is missing or doubled, has no rate, and today's code without a rate makes the exit code 1.

Each server runs in a copy of this machine's file system that is thrown away (`bench/servers/begin.sh`), so that
packages that exclude each other can be measured together and nothing is left behind. Needs Linux, root, apt.

    python bench/servers.py [--json] [--only postfix …] [--against 6222dae] [--readers 1000] [--connections 8]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
from older import checkout

BENCH = Path(__file__).resolve().parent
START = 240.0  # seconds for a server to be installed and to answer
SECURITIES = {"clear": "none", "starttls": "starttls"}
NO_TLS = {"opensmtpd"}  # Debian's 6.8 ends each handshake with an internal error of its TLS library
JOINED, UNJOINED = "joined", "not joined"
_RECIPIENT = re.compile(r"reader\d+@example\.org")


@dataclass(frozen=True)
class Server:
    """A running server; `drain` tells who got mail since it was last called."""

    name: str
    port: int
    ca_file: Path
    drain: Callable[[], Counter[str]]


@dataclass(frozen=True)
class Sender:
    """One way of sending: a checkout, and what is changed in its relay."""

    name: str
    checkout: Path
    relay: dict[str, Any]


class Log:
    """A file to which a server adds a line for each recipient of what it takes."""

    def __init__(self, path: Path, line: str) -> None:
        self._path, self._line, self._read = path, re.compile(line), 0

    def __call__(self) -> Counter[str]:
        """Return who got mail since the last call."""
        with self._path.open("rb") as file:
            file.seek(self._read)
            text = file.read().decode("utf-8", "replace")
        whole = text[: text.rfind("\n") + 1]
        self._read += len(whole.encode())
        return Counter(found[1] for found in self._line.finditer(whole))


class Queue:
    """Folders in which a server keeps a file for each message that it has taken; reading them empties them."""

    def __init__(self, folder: Path, control_files: str, line: str) -> None:
        self._folder, self._pattern, self._line = folder, control_files, re.compile(line, re.MULTILINE)

    def __call__(self) -> Counter[str]:
        """Return who got mail since the last call."""
        found = Counter[str]()
        files = [path for path in self._folder.rglob("*") if path.is_file()]
        for path in files:
            if path.match(self._pattern):
                found.update(match[1] for match in self._line.finditer(path.read_text("utf-8", "replace")))
        for path in files:
            path.unlink()
        return found


class Asked:
    """A queue that the server's own tool shows and empties, in the copy, when a file asks for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self) -> Counter[str]:
        """Return who got mail since the last call."""
        (self._folder / "drain").touch()
        wait_until(lambda: not (self._folder / "drain").exists(), 60, "the queue was not shown")
        lines = (self._folder / "queue").read_text().splitlines()
        return Counter(found[0] for line in lines if (found := _RECIPIENT.search(line)))


ADDRESS = r"(reader\d+@example\.org)"
SERVERS: dict[str, Callable[[Path], Callable[[], Counter[str]]]] = {
    "postfix": lambda folder: Log(folder / "log", rf"postfix/discard\[\d+\]: \S+ to=<{ADDRESS}>.*status=sent"),
    "exim": lambda folder: Queue(folder / "input", "*-H", rf"^{ADDRESS}$"),
    "opensmtpd": Asked,
    "sendmail": lambda folder: Queue(folder / "mqueue", "qf*", rf"^R[A-Z]*:<{ADDRESS}>"),
    "haraka": lambda folder: Log(folder / "log", rf"to=<{ADDRESS}>"),
    "courier": lambda folder: Queue(folder / "tmp", "*", rf"^r{ADDRESS}$"),
}


def wait_until(happened: Callable[[], bool], seconds: float, failure: str) -> None:
    """Wait until something has happened."""
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            raise SystemExit(failure)
        time.sleep(0.1)


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def greets(port: int) -> bool:
    """Tell whether an SMTP server answers."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        return connection.recv(4).startswith(b"220")
    return False


@contextmanager
def running(name: str, folder: Path) -> Iterator[Server]:
    """Run a server for as long as the context lasts."""
    folder.mkdir()
    folder.chmod(0o755)
    authority = trustme.CA(key_type=trustme.KeyType.RSA)  # OpenSMTPD's can't do with another
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate = authority.issue_cert("localhost", "127.0.0.1", key_type=trustme.KeyType.RSA)
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    port = free_port()
    (folder / "port").write_text(str(port))
    (folder / "log").touch(mode=0o666)
    begin = ["sh", str(BENCH / "servers/begin.sh"), str(folder), name]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            ["unshare", "--mount", "--uts", "--pid", "--fork", *begin], stdout=output, stderr=output
        )
    try:
        said = folder / "output"
        wait_until(
            lambda: greets(port) or process.poll() is not None, START, f"{name} does not answer: see its output"
        )
        if process.poll() is not None:
            raise SystemExit(f"{name} ended: {said.read_text('utf-8', 'replace')[-2000:]}")
        yield Server(name, port, folder / "ca.pem", SERVERS[name](folder))
    finally:
        # With the first process of a namespace all of its processes go, and its mounts.
        for first in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(first), signal.SIGKILL)
        process.wait()


def send(
    sender: Sender, server: Server, security: str, arguments: argparse.Namespace, folder: Path
) -> float | None:
    """Send an issue to all readers; return messages per second, or None if not each had exactly one in time."""
    program = sender.checkout / "bench/contenders/program.py"
    environment = os.environ | {"PYTHONPATH": str(sender.checkout)}
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    database, readers = str(folder / "newsletter.db"), str(arguments.readers)
    python = [sys.executable, str(program)]
    subprocess.run([*python, "prepare", database, readers], check=True, env=environment, timeout=120)
    relay = {"host": "localhost", "security": SECURITIES[security], "ca_file": str(server.ca_file), **sender.relay}
    over = [sys.executable, str(BENCH / "contenders/over.py"), json.dumps(relay), str(program)]
    command = [*over, "send", database, str(server.port), str(arguments.connections), "2000"]
    if arguments.uvloop:
        command.append("uvloop")
    server.drain()
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=arguments.patience, check=False
        )
    except subprocess.TimeoutExpired:
        print(f"{server.name}, {security}, {sender.name}: took over {arguments.patience} s", file=sys.stderr)
        server.drain()
        return None
    expected = Counter(f"reader{number}@example.org" for number in range(arguments.readers))
    arrived, end = server.drain(), time.monotonic() + 30
    while sum(arrived.values()) < arguments.readers and time.monotonic() < end:
        time.sleep(0.5)
        arrived += server.drain()
    if done.returncode or arrived != expected:
        wrong = f"exit {done.returncode}, {len(arrived)} readers got {sum(arrived.values())} mails"
        print(f"{server.name}, {security}, {sender.name}: {wrong} {done.stderr[-500:]}", file=sys.stderr)
        return None
    *said, figures = done.stdout.splitlines()
    for line in said:
        print(f"{server.name}, {security}, {sender.name}: {line}", file=sys.stderr)
    return float(arguments.readers / float(figures.split()[0]))


def measure(arguments: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Return a row for each server, kind of connection and sender."""
    here = BENCH.parent
    today = [Sender(JOINED, here, {}), Sender(UNJOINED, here, {"pipelining": "envelopes"})]
    senders = [sender for sender in today if sender.name in arguments.sender]
    rows = []
    if arguments.against:
        senders.append(Sender(arguments.against, checkout(arguments.against, folder / "older"), {}))
    for name in arguments.only:
        with running(name, folder / name) as server:
            found = measured(server, senders, arguments, folder / "work")
        print(*(printed(row) for row in found), sep="\n", file=sys.stderr)  # all of them take long
        rows += found
    return rows


def measured(
    server: Server, senders: list[Sender], arguments: argparse.Namespace, folder: Path
) -> list[dict[str, Any]]:
    """Return the rows of one server."""
    results: dict[tuple[str, str], list[float | None]] = {}
    securities = [one for one in arguments.connection if one == "clear" or server.name not in NO_TLS]
    for turn in range(arguments.rounds):
        for security in securities:
            for sender in senders if turn % 2 else senders[::-1]:
                if None in results.get((security, sender.name), []):
                    continue  # it takes as long again, and says no more
                rate = send(sender, server, security, arguments, folder)
                results.setdefault((security, sender.name), []).append(rate)
    rows = []
    for security in securities:
        for sender in senders:
            rates = results[security, sender.name]
            fine = [rate for rate in rates if rate is not None]
            rows.append(
                {
                    "server": server.name,
                    "connection": security,
                    "sender": sender.name,
                    "messages_per_second": round(statistics.median(fine), 1) if len(fine) == len(rates) else None,
                }
            )
    return rows


def ratios(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return how many times as fast joined envelopes are as each of the others, where both have a rate."""
    rates = {(row["server"], row["connection"], row["sender"]): row["messages_per_second"] for row in rows}
    joined = {
        (server, connection): rate for (server, connection, sender), rate in rates.items() if sender == JOINED
    }
    return {
        f"{server}, {connection}, {sender}": round(joined[server, connection] / rate, 2)
        for (server, connection, sender), rate in rates.items()
        if sender != JOINED and rate and joined.get((server, connection))
    }


def printed(row: dict[str, Any]) -> str:
    """Return a row as a line of the table."""
    rate = row["messages_per_second"]
    return f"  {row['server']:<10} {row['connection']:<9} {row['sender']:<12} {rate or 'failed':>8}"


def parsed() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", nargs="+", default=list(SERVERS), choices=SERVERS, metavar="SERVER")
    parser.add_argument("--connection", nargs="+", default=list(SECURITIES), choices=SECURITIES)
    parser.add_argument("--sender", nargs="+", default=[JOINED, UNJOINED], choices=[JOINED, UNJOINED])
    parser.add_argument("--against", default="", metavar="REV", help="an older commit to measure beside today's")
    parser.add_argument("--readers", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--patience", type=float, default=120, help="seconds that a run may take")
    parser.add_argument("--uvloop", action="store_true", help="send on uvloop, not on asyncio's own loop")
    return parser.parse_args()


def main() -> None:
    if os.geteuid() != 0 or not shutil.which("unshare"):
        raise SystemExit("needs root and `unshare` (Linux)")
    arguments = parsed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the servers end with the bench
    with tempfile.TemporaryDirectory(prefix="bench-servers-") as name:
        Path(name).chmod(0o755)
        rows = measure(arguments, Path(name))
    if arguments.json:
        print(json.dumps({"ratios": ratios(rows), "rows": rows}))
    else:
        print(*(printed(row) for row in rows), sep="\n")
        for other, ratio in ratios(rows).items():
            print(f"  joined is {ratio:.2f} times as fast as {other}")
    if any(row["messages_per_second"] is None for row in rows if row["sender"] in {JOINED, UNJOINED}):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
