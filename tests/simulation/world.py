"""The world around the program: pages that list papers, some of whose answers are faulty, and a mail relay."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes
from email.policy import default
from random import Random
from typing import Self
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override

from tests.smtp_server import Received, SmtpServer

_PAPERS, _NOTES = (3, 6), 2  # a day: on the community page, and in the feed
_FEED_DAYS = 12  # that the feed goes back
FAULTS = ("500", "503", "429", "html", "truncated", "reset")
_PAPER = re.compile(r"huggingface\.co/papers/(\d{4}\.\d{5})|lab\.example/notes/([\d-]+)")
_ISSUE = re.compile(r"/(\w+)(\.weekly)?/(\d{4}-\d\d-\d\d)/")
_LEAVE = re.compile(r"<(http[^>]+)>")


def papers_of(day: date) -> list[str]:
    """Return the ids of the papers that the community page lists on a day, in the order in which they come."""
    count = Random(day.toordinal()).randint(*_PAPERS)  # noqa: S311
    return [f"{day:%y%m}.{day.day * 100 + number:05d}" for number in range(count)]


def notes_of(day: date) -> list[str]:
    """Return the ids of the notes that the feed brings on a day."""
    return [f"{day}-{number}" for number in range(_NOTES)]


def _shown(ids: list[str], day: date, now: datetime) -> list[str]:
    """Return those of a day's that have come by now; they come all over the day (UTC)."""
    begins = datetime.combine(day, time(), UTC)
    return [one for place, one in enumerate(ids) if begins + place * timedelta(days=1) / len(ids) <= now]


class Sources:
    """A server with the community page (`/api/daily_papers`) and the feed (`/feed.json`), at `url`.

    `share` of its answers are faulty. `now` returns the time of the simulation.
    """

    def __init__(self, now: Callable[[], datetime], *, share: float, seed: int) -> None:
        self._now, self._share, self._random = now, share, Random(seed)  # noqa: S311
        self.answers = self.faulty = 0
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                answer, goes_on = self._answer(head.split()[1].decode())
                writer.write(answer)
                await writer.drain()
                if not goes_on:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, target: str) -> tuple[bytes, bool]:
        """Return an answer, and whether the connection stays open behind it."""
        body = self._body(target)
        self.answers += 1
        if self._random.random() >= self._share:
            return _response(200, body), True
        self.faulty += 1
        match self._random.choice(FAULTS):
            case "html":
                return _response(200, b"<html><title>We are busy</title></html>", "text/html"), True
            case "truncated":
                whole = _response(200, body)
                return whole[: len(whole) - len(body) // 2 - 1], False
            case "reset":
                return b"", False
            case code:
                return _response(int(code), b"later", "text/plain"), True

    def _body(self, target: str) -> bytes:
        url, now = urlsplit(target), self._now()
        if url.path.startswith("/feed"):
            days = [now.date() - timedelta(days=back) for back in range(_FEED_DAYS)]
            notes = [(one, day) for day in days for one in reversed(_shown(notes_of(day), day, now))]
            return json.dumps(
                {
                    "version": "https://jsonfeed.org/version/1.1",
                    "title": "Notes",
                    "items": [_note(one, day) for one, day in notes],
                }
            ).encode()
        day = date.fromisoformat(parse_qs(url.query)["date"][0])
        return json.dumps([_record(one, day, now) for one in _shown(papers_of(day), day, now)]).encode()


def _note(one: str, day: date) -> dict[str, str]:
    link = f"https://lab.example/notes/{one}"
    text = f"What the laboratory found out on {day}, the matter of {one}."
    return {
        "id": link,
        "url": link,
        "title": f"A note on {one}",
        "content_text": text,
        "date_published": f"{day}T00:00:00Z",
    }


def _record(one: str, day: date, now: datetime) -> dict[str, object]:
    age = max(now.date() - day, timedelta()).days
    paper = {
        "id": one,
        "title": f"A study of the matter {one}",
        "summary": f"We study {one}. It is what it is, and more than that. We show how.",
        "authors": [{"name": "Ada Author"}, {"name": "Ben Writer"}],
        "publishedAt": f"{day}T00:00:00.000Z",
        "upvotes": int(one[-2:]) * 3 + age,
    }
    return {"paper": paper, "title": paper["title"], "numComments": 1}


def _response(status: int, body: bytes, kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@dataclass(frozen=True, slots=True)
class Copy:
    """A mail of an issue that the relay took: when, its Message-ID, and which papers it shows."""

    at: datetime
    message_id: str
    papers: frozenset[str]


@dataclass(kw_only=True)
class Relay(SmtpServer):
    """A relay that keeps of each mail only what the simulation asks for.

    `copies_of` has the copies of issues by reader, edition of a list and day; `alarms` the subjects of mails to
    the operator; `others` those of other mails; `leave` by reader the address that takes them off by one click.
    """

    now: Callable[[], datetime]
    operator: str
    copies_of: dict[tuple[str, str, date], list[Copy]] = field(default_factory=dict)
    alarms: list[tuple[datetime, str]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)  # subjects
    leave: dict[str, str] = field(default_factory=dict)
    taken: int = 0

    @override
    async def take(self, message: Received) -> None:
        self.taken += 1
        self.told.clear()
        mail = message_from_bytes(message.content, policy=default)
        if message.recipient == self.operator:
            self.alarms.append((self.now(), str(mail["Subject"])))
        else:
            body = mail.get_body(("plain",))
            assert body is not None
            self._keep(
                message.recipient,
                mail["Message-ID"],
                str(mail["List-Unsubscribe"]),
                str(body.get_content()),
                str(mail["Subject"]),
            )
        await self.tell()

    async def until_taken(self, count: int) -> None:
        """Wait until it has taken so many messages."""
        await self.wait_for(lambda: self.taken >= count)

    def _keep(self, reader: str, message_id: str, leave: str, text: str, subject: str) -> None:
        papers = frozenset(one or other for one, other in _PAPER.findall(text))
        issue = _ISSUE.search(text)
        if not papers or issue is None:
            self.others.append(subject)
            return
        key = reader, issue[1] + (issue[2] or ""), date.fromisoformat(issue[3])
        self.copies_of.setdefault(key, []).append(Copy(self.now(), message_id, papers))
        if found := _LEAVE.search(leave):
            self.leave[reader] = found[1]
