"""A working folder with the program as its users have it: files, settings, commands in their own processes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from newsletter import cli
from tests.e2e import clocked, forked

ROOT = Path(__file__).resolve().parents[2]
NEWSLETTER = Path(sys.executable).parent / "newsletter"
_DELIVERING = {"run", "serve"}

LIST = """\
title = "Daily Papers"
sender = "Daily Papers <papers@example.org>"
postal_address = "Example Institute, Example Town"
sources = {sources}
max_listings = 0
days = ["mon", "tue", "wed", "thu", "fri"]
hour = "{hour}"
timezone = "UTC"

[[subscribers]]
email = "ann@example.org"
name = "Ann"
"""


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return what it printed, read as JSON."""
        return json.loads(self.out)

    @property
    def json_lines(self) -> list[Any]:
        """Return the values that it printed, each on a line as JSON."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def complaints(self) -> list[str]:
        """Return the lines on stderr that are for the user, and not the log."""
        return [line for line in self.err.splitlines() if line.startswith("newsletter: ")]


@dataclass(slots=True)
class Workplace:
    """A folder in which commands run; `inbox` is the Maildir of the server that its mail goes to.

    With `cluster_url`, the ledger is in PostgreSQL there, and two workers deliver, by the settings and clock of
    the commands.

    `starts_python` tells whether each command is Python started anew, and not forked from a process that has
    loaded the program: where it matters how a process begins and ends, and where coverage is measured.
    """

    folder: Path
    inbox: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    program: tuple[str | Path, ...] = (NEWSLETTER,)
    starts_python: bool = bool(os.environ.get("COVERAGE_PROCESS_CONFIG"))
    cluster_url: str | None = None
    workers: list[asyncio.subprocess.Process] = field(default_factory=list)
    _workers_have: object = None

    def list_file(self, sources: list[str], *, name: str = "daily", hour: str = "08:00", more: str = "") -> None:
        """Write a list with one subscriber."""
        path = self.folder / "subscribers" / f"{name}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(LIST.format(sources=json.dumps(sources), hour=hour) + more)

    def set_clock(self, now: datetime) -> None:
        """Let it be `now` for all commands, those that run already included if they began with a set clock."""
        path = self.folder.with_name("clock")
        written = path.with_suffix(".new")
        written.write_text(str((now - datetime.now(UTC)).total_seconds()))
        written.replace(path)
        self.program = (sys.executable, "-m", "tests.e2e.clocked", path)

    @property
    def of_cluster(self) -> dict[str, str]:
        """Return the settings that lead to the ledger of the workers, where there are any."""
        return {"NEWSLETTER_DATABASE__URL": self.cluster_url} if self.cluster_url else {}

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        """Start a command."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")},
            "NEWSLETTER_SMTP__HOST": "127.0.0.1",
            "NEWSLETTER_SMTP__PORT": str(self.port),
            "NEWSLETTER_SMTP__SECURITY": "none",
            "NEWSLETTER_LOG__LEVEL": "warning",
            "NEWSLETTER_HTTP__PICTURES": "false",  # those of recorded papers are on the Internet
            "PYTHONPATH": str(ROOT),
            **self.of_cluster,
            **self.environment,
        }
        if self.cluster_url and _DELIVERING & {*words}:
            await self._attend(environment)
        return await self._started(words, environment)

    async def _attend(self, environment: dict[str, str]) -> None:
        """See to it that two workers are at work by these settings."""
        if self._workers_have != (environment, self.program):
            await self.dismiss_workers()
            self._workers_have = environment, self.program
            self.workers = [await self._started(("worker",), environment) for _ in range(2)]
            await self._are_ready()

    async def _are_ready(self) -> None:
        """Wait until the workers have registered, or have ended as their settings are wrong."""
        assert self.cluster_url is not None
        async with await psycopg.AsyncConnection.connect(self.cluster_url, autocommit=True) as connection:
            for _ in range(600):
                found = await connection.execute(
                    "SELECT count(*) FROM workers WHERE queues <> '' AND seen_at > now() - interval '5 seconds'"
                )
                row = await found.fetchone()
                ended = sum(worker.returncode is not None for worker in self.workers)
                if row is not None and row[0] + ended >= len(self.workers):
                    return
                await asyncio.sleep(0.05)
        raise AssertionError("the workers do not begin")

    async def dismiss_workers(self) -> None:
        """End the workers; what they log must hold no traceback."""
        workers, self.workers = self.workers, []
        for worker in workers:
            if worker.returncode is None:
                worker.terminate()
        for worker in workers:
            await self.end(worker)

    async def _started(self, words: tuple[str, ...], environment: dict[str, str]) -> asyncio.subprocess.Process:
        if not self.starts_python and (run := self._what_forks()):
            return await forked.start(run, ["newsletter", *words], self.folder, environment)
        return await asyncio.create_subprocess_exec(
            *self.program,
            *words,
            cwd=self.folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    def _what_forks(self) -> Callable[[], None] | None:
        """Return what runs the program in a process that has loaded it; None where that is another program."""
        match self.program:
            case (program,) if program == NEWSLETTER:
                return cli.main
            case (_, "-m", "tests.e2e.clocked", Path() as clock):
                return partial(clocked.run, clock)
        return None

    async def run(self, *words: str) -> Done:
        """Run a command to its end."""
        return await self.end(await self.start(*words))

    async def end(self, process: asyncio.subprocess.Process) -> Done:
        """Wait for the end of a command that was started."""
        out, err = await process.communicate()
        assert process.returncode is not None
        done = Done(process.returncode, out.decode(), err.decode())
        assert "Traceback" not in done.err, done.err
        return done

    def mails(self) -> list[EmailMessage]:
        """Return what arrived, oldest first."""
        paths = sorted((self.inbox / "new").iterdir())
        return [message_from_bytes(path.read_bytes(), policy=default) for path in paths]


def part(mail: EmailMessage, subtype: str) -> str:
    """Return the text of the `html` or `plain` part."""
    body = mail.get_body((subtype,))
    assert body is not None
    return str(body.get_content())
