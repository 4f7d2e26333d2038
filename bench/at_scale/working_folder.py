"""A working folder with one list, whose members file has as many readers as are asked for."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path

LIST = "daily"
_PAPERS = 20  # on each day's page; all of them fit into an issue
_LATER = time(20)  # an hour that is still to come: see `Calendar`
_WORDS = (
    *("agent", "attention", "benchmark", "chemistry", "diffusion", "embedding", "evaluation", "folding"),
    *("graph", "image", "inference", "language", "memory", "molecule", "planning", "protein", "reasoning"),
    *("retrieval", "reward", "robot", "search", "speech", "training", "vision"),
)
_TOPICS = _WORDS[:16]

_LIST_FILE = """\
title = "Daily Papers"
sender = "Daily Papers <papers@example.org>"
postal_address = "Example Institute, Example Town"
sources = ["saved_page:../listings/page-*.txt"]
members = "{list}.csv"
signup = "{signup}"
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
hour = "{hour:%H:%M}"
timezone = "{timezone}"

{topics}
"""


@dataclass(frozen=True)
class Calendar:
    """A time zone in which it is noon, so that a list's hour of today can lie on either side of now.

    Its days: `first` gets an issue by `run --date`, `second` has no new papers, `serve` makes that of `today`.
    """

    offset: int  # hours before UTC

    @classmethod
    def now(cls) -> Calendar:
        """Return the calendar for the present hour."""
        return cls(12 - datetime.now(UTC).hour)

    @property
    def timezone(self) -> str:
        """Return the IANA name, in which signs are the other way round."""
        return f"Etc/GMT{-self.offset:+d}" if self.offset else "Etc/GMT"

    def time(self) -> datetime:
        """Return the present local time."""
        return datetime.now(timezone(timedelta(hours=self.offset)))

    @property
    def today(self) -> date:
        """Return the present local day."""
        return self.time().date()

    @property
    def second(self) -> date:
        """Return the day before."""
        return self.today - timedelta(days=1)

    @property
    def first(self) -> date:
        """Return the day before that."""
        return self.today - timedelta(days=2)


@dataclass(frozen=True)
class WorkingFolder:
    """The files that an operator would write; `environment` holds the settings."""

    path: Path
    readers: int
    calendar: Calendar
    port: int  # of the web pages
    signup: str  # who may sign up, as in a list file

    @classmethod
    def make(cls, path: Path, readers: int, calendar: Calendar, *, signup: str = "closed") -> WorkingFolder:
        """Write the folder: the list is due later today, and the first day has its page."""
        folder = cls(path, readers, calendar, _free_port(), signup)
        for name in ("subscribers", "listings", "var"):
            (path / name).mkdir(parents=True)
        folder.write_list(_LATER)
        folder.write_members()
        folder.write_page(calendar.first)
        return folder

    def environment(self, database: str, relay_port: int) -> dict[str, str]:
        """Return the settings."""
        return {
            "NEWSLETTER_DATABASE__URL": database,
            "NEWSLETTER_SMTP__HOST": "127.0.0.1",
            "NEWSLETTER_SMTP__PORT": str(relay_port),
            "NEWSLETTER_SMTP__SECURITY": "none",
            "NEWSLETTER_SMTP__CONNECTIONS": "16",
            "NEWSLETTER_SMTP__EHLO_NAME": "newsletter.example.org",
            "NEWSLETTER_WEB__PORT": str(self.port),
            "NEWSLETTER_WEB__PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "NEWSLETTER_WEB__SECRET_KEY": "long enough for a bench",
        }

    def write_list(self, hour: time) -> None:
        """Write the list file: its issue is due at an hour, local to the list."""
        topics = "\n".join(f'[topics.{word}]\nkeywords = ["{word}"]' for word in _TOPICS)
        text = _LIST_FILE.format(
            list=LIST, hour=hour, timezone=self.calendar.timezone, topics=topics, signup=self.signup
        )
        _replace(self.path / "subscribers" / f"{LIST}.toml", [text])

    def write_members(self, *, changed: int | None = None) -> None:
        """Write the members file; the row of that number has another name than the first time."""
        _replace(self.path / "subscribers" / f"{LIST}.csv", _rows(self.readers, changed))

    def write_page(self, day: date) -> None:
        """Write the saved page of a day, with papers of its own."""
        _replace(self.path / "listings" / f"page-{day}.txt", _page(day))

    def be_due(self) -> None:
        """Let today's issue be due since a minute ago, with papers to send."""
        self.write_page(self.calendar.today)
        self.write_list((self.calendar.time() - timedelta(minutes=1)).time())


def _rows(readers: int, changed: int | None) -> Iterator[str]:
    chance = random.Random(4)  # noqa: S311 (not for secrets)
    yield "email,name,topics\n"
    for number in range(readers):
        topics = ";".join(chance.sample(_TOPICS, chance.randrange(4)))
        name = "Somebody Else" if number == changed else f"Reader {number}"
        yield f"reader{number}@example.org,{name},{topics}\n"


def _page(day: date) -> Iterator[str]:
    chance = random.Random(day.toordinal())  # noqa: S311 (not for secrets)
    for number in range(_PAPERS):
        said = chance.choices(_WORDS, k=140)
        title = f"{' '.join(said[:8]).capitalize()} {day.toordinal()}{number:02}"
        authors = f"·{chance.randrange(1, 12)} authors\n{day:%b} {day.day}\n"
        yield f"{title}\n\n{' '.join(said[8:]).capitalize()}.\n\n{authors}\n"


def _replace(path: Path, parts: Iterator[str] | list[str]) -> None:
    """Put a file in its place in one step: `serve` may read it at any moment."""
    partial = path.with_name(f".{path.name}")
    with partial.open("w") as file:
        file.writelines(parts)
    partial.replace(path)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
