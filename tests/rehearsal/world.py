"""What a rehearsal happens in: a repository with a list, readers all over the world, a mailbox, a clock."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from importlib.resources import files
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from newsletter.demo.catch_all import catch_all
from tests.forking_server import command
from tests.git_remote import clone, git, remote
from tests.inbound.dovecot import PASSWORD, USER, Dovecot, dovecot
from tests.rehearsal.workflow import Machine, Ran
from tests.smtp_server import Certificates

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = (files("newsletter.scaffold") / "files" / "newsletter.yml").read_text(encoding="utf-8")

# With hours of their own: at each hour of the day somebody's mail is due.
READERS = {
    "tokyo@example.org": "Asia/Tokyo",
    "kolkata@example.org": "Asia/Kolkata",
    "london@example.org": "Europe/London",
    "york@example.org": "America/New_York",
    "angeles@example.org": "America/Los_Angeles",
    "adelaide@example.org": "Australia/Adelaide",
}

_LIST = """\
title = "Daily Papers"
sender = "Daily Papers <{sender}>"
postal_address = "Example Institute, Example Town"
sources = ["jsonl:../papers-*.jsonl"]
max_listings = 0
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
hour = "05:00"
timezone = "UTC"
"""
_READER = """
[[subscribers]]
email = "{email}"
timezone = "{timezone}"
hour = "07:30"
"""
_SECRET = "the secret key of a rehearsal"


@dataclass(slots=True)
class World:
    """The repository, the machines that run its workflow, and the mail that they send and read."""

    folder: Path
    repository: Path
    inbox: Path
    mailbox: Dovecot
    given: dict[str, str]
    offset: timedelta = timedelta()
    _numbers: count[int] = field(default_factory=count)

    def set_clock(self, now: datetime) -> None:
        """Let it be `now` for all commands that begin from here on."""
        self.offset = now - datetime.now(UTC)
        written = self.folder / "clock.new"
        written.write_text(str(self.offset.total_seconds()))
        written.replace(self.folder / "clock")

    async def run(self, *, dies_after: str = "", **inputs: str) -> Ran:
        """Let a machine run the workflow, and forget the machine."""
        folder = self.folder / f"machine{next(self._numbers)}"
        given = self.given | {f"inputs.{name}": value for name, value in inputs.items()}
        machine = Machine(folder, self.repository, self.folder / "program", given, dies_after)
        try:
            return await machine.run(WORKFLOW)
        finally:
            shutil.rmtree(folder)

    def mails(self) -> list[EmailMessage]:
        """Return all mails that were sent, the oldest first."""
        paths = sorted((self.inbox / "new").iterdir(), key=lambda path: path.stat().st_mtime_ns)
        return [message_from_bytes(path.read_bytes(), policy=default) for path in paths]

    def issues(self) -> Counter[tuple[str, str]]:
        """Return how often each reader got each issue, by address and subject."""
        mails = (mail for mail in self.mails() if mail["List-Unsubscribe"])
        return Counter((str(mail["To"].addresses[0].addr_spec), str(mail["Subject"])) for mail in mails)

    def got(self, day: int) -> dict[str, int]:
        """Return how often each reader got the issue with the papers of a day, by the number of the day."""
        found = (
            (to.partition("@")[0], number)
            for (to, subject), number in self.issues().items()
            if subject == f"Paper 0 of day {day}"
        )
        return dict(found)

    def leave(self, reader: str) -> None:
        """Let a reader leave by the link in the newest mail they got."""
        mail = next(one for one in reversed(self.mails()) if one["To"].addresses[0].addr_spec == reader)
        link = re.search(r"<(mailto:[^>]+)>", str(mail["List-Unsubscribe"]))
        assert link
        target = urlsplit(link[1])
        request = EmailMessage()
        request["From"], request["To"] = reader, unquote(target.path)
        request["Subject"] = parse_qs(target.query)["subject"][0]
        request["Date"], request["Message-ID"] = "Mon, 09 Mar 2026 12:00:00 +0000", f"<{reader}>"
        request.set_content("I would like to leave.")
        self.mailbox.put(f"{next(self._numbers)}.leave", request.as_bytes())


@asynccontextmanager
async def world(folder: Path, days: list[date]) -> AsyncIterator[World]:
    """Give a world whose sources list new papers on each of some days."""
    repository = _repository(folder, days)
    certificates = Certificates()
    async with AsyncExitStack() as open_:
        await open_.enter_async_context(_program(folder))
        port = await open_.enter_async_context(catch_all(folder / "inbox"))
        mailbox = await open_.enter_async_context(dovecot(certificates, "http://127.0.0.1:9/"))
        settings = {
            "SMTP__HOST": "127.0.0.1",
            "SMTP__PORT": str(port),
            "SMTP__SECURITY": "none",
            "HTTP__PICTURES": "false",
            "LOG__LEVEL": "warning",
            "INBOUND__IMAP_HOST": "localhost",
            "INBOUND__IMAP_PORT": str(mailbox.port),
            "INBOUND__IMAP_USERNAME": USER,
            "INBOUND__IMAP_CA_FILE": str(certificates.write(folder)),
        }
        given = {f"vars.NEWSLETTER_{name}": value for name, value in settings.items()}
        given |= {"vars.PROGRAM": "example/newsletter", "vars.PROGRAM_COMMIT": "0" * 40}
        given |= {
            f"secrets.NEWSLETTER_{name}": value
            for name, value in {"WEB__SECRET_KEY": _SECRET, "INBOUND__IMAP_PASSWORD": PASSWORD}.items()
        }
        yield World(folder, repository, folder / "inbox", mailbox, given)


def _repository(folder: Path, days: list[date]) -> Path:
    """Make the remote repository: a list, and the papers of each day."""
    repository = remote(folder / "remote.git")
    work = clone(repository, folder / "operator")
    (work / "subscribers").mkdir()
    readers = "".join(_READER.format(email=email, timezone=zone) for email, zone in READERS.items())
    (work / "subscribers" / "daily.toml").write_text(_LIST.format(sender=USER) + readers)
    for number, day in enumerate(days):
        lines = (
            json.dumps(
                {
                    "title": f"Paper {part} of day {number}",
                    "url": f"https://example.org/{number}/{part}",
                    "abstract": "We measure something.",
                    "upvotes": 10 - part,
                }
            )
            for part in range(3)
        )
        (work / f"papers-{day}.jsonl").write_text("\n".join(lines))
    git(work, "add", ".")
    git(work, "commit", "--quiet", "-m", "A list")
    git(work, "push", "--quiet", "origin", "HEAD:main")
    return repository


@asynccontextmanager
async def _program(folder: Path) -> AsyncIterator[None]:
    """Make what stands for the program's repository: what it installs runs this checkout, by the world's clock."""
    (folder / "program").mkdir()
    script, place = folder / "program" / "newsletter", folder / "socket"
    script.write_text(command(place))
    script.chmod(0o755)
    (folder / "program" / "Makefile").write_text(
        "install:\n\t@mkdir -p $(HOME)/.local/bin\n\t@cp newsletter $(HOME)/.local/bin/newsletter\n"
    )
    words = ("-m", "tests.rehearsal.program", str(place), str(folder / "clock"))
    serving = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT)
    try:
        while not place.exists():  # noqa: ASYNC110 (it is another process's)
            await asyncio.sleep(0.05)
        yield
    finally:
        serving.kill()
        await serving.wait()
