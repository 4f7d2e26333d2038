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

from newsletter import cli
from tests.e2e import clocked, forked

ROOT = Path(__file__).resolve().parents[2]
NEWSLETTER = Path(sys.executable).parent / "newsletter"

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
    def complaints(self) -> list[str]:
        """Return the lines on stderr that are for the user, and not the log."""
        return [line for line in self.err.splitlines() if line.startswith("newsletter: ")]


@dataclass(slots=True)
class Workplace:
    """A folder in which commands run; `inbox` is the Maildir of the server that its mail goes to.

    `starts_python` tells whether each command is Python started anew, and not forked from a process that has
    loaded the program: where it matters how a process begins and ends, and where coverage is measured.
    """

    folder: Path
    inbox: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    program: tuple[str | Path, ...] = (NEWSLETTER,)
    starts_python: bool = bool(os.environ.get("COVERAGE_PROCESS_CONFIG"))

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
            **self.environment,
        }
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
