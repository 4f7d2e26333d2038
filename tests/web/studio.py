"""A studio of our own for the tests of its page: two lists, messages made on the spot."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import date
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from newsletter.core.errors import UsageError
from newsletter.core.newsletter_list import Cadence
from newsletter.core.ranking import Weights
from newsletter.core.subscriber import Subscriber
from newsletter.ports.previews import Asked, Considered, DayOfIssue, Portrait, Previewed, Previews
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.web.studio.preview import Desk

# For clients of the tests' own servers: it has no certificates, and to load them takes longer than a request.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
RENDERER = TemplateRenderer(None, TEMPLATES)
DAYS = (date(2026, 3, 12), date(2026, 3, 11))
READER = "reader@example.org"
NOTHING_CONSIDERED = Considered(papers=(), most=20, ranking=Weights(), usual=Weights())

_HTML = """<!doctype html>
<html lang="en"><head><title>Daily Papers</title><meta name="color-scheme" content="light dark"><style>
body { margin: 0; background: #ffffff; color: #222222; font: 16px/1.5 sans-serif; }
#width { background: #00aa00; height: 8px; }
@media (max-width: 480px) { #width { background: #0000aa; } }
@media (prefers-color-scheme: dark) { body { background: #101010; color: #eeeeee; } }
</style></head><body><div id="width"></div><h1>Sparse teachers for small agents</h1>
<p>Made for %s, rendering %d.</p><p><a href="https://papers.example.org/1">Read the paper</a></p>
<script>document.body.style.background = "red"</script></body></html>"""


def message(reader: str, rendering: int) -> bytes:
    """Return a message with a text and an HTML part."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = "12 March: Sparse teachers for small agents ✓"
    mail["From"] = "Daily Papers <papers@example.org>"
    mail["To"] = reader
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(
        "1. Sparse teachers for small agents\n   https://papers.example.org/1\n\n— & <b>no markup</b>\n"
    )
    mail.add_alternative(_HTML % (reader, rendering), subtype="html")
    return mail.as_bytes()


@dataclass
class SmallStudio(Previews):
    """Counts its renderings; raises `trouble` where there is one."""

    trouble: Exception | None = None
    names: tuple[str, ...] = ("daily", "weekly")
    sample: bool = False
    renderings: int = 0
    collected: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    sent: list[tuple[Asked, str]] = field(default_factory=list)

    @property
    def desk(self) -> Desk:
        return Desk(previews=self, renderer=RENDERER, folders=(TEMPLATES,))

    async def lists(self) -> tuple[str, ...]:
        return self.names

    async def days(self, list_name: str) -> tuple[DayOfIssue, ...]:
        return tuple(DayOfIssue(day, 1) for day in DAYS) if list_name == "daily" else ()

    async def languages(self) -> tuple[str, ...]:
        return ("de", "en")

    async def collect(self, list_name: str) -> str:
        self.collected.append(list_name)
        return "58 papers read, 40 of them new."

    async def readers(self, list_name: str, prefix: str, *, most: int = 100) -> list[str]:
        return [address for address in (READER, "ann@example.org") if address.startswith(prefix)]

    async def considered(self, asked: Asked) -> Considered:
        self.asked.append(asked)
        return NOTHING_CONSIDERED

    async def portrait(self, asked: Asked) -> Portrait | None:
        if not asked.reader:
            return None
        reader = Subscriber(list=asked.list, email=asked.reader)
        return Portrait(
            subscriber=reader, known=True, cadence=Cadence.DAILY, days=(0,), hour="08:00", timezone="UTC"
        )

    async def send(self, asked: Asked, to: str) -> str:
        if "@" not in to:
            raise UsageError(f"{to!r} is not an address that mail can go to")
        self.sent.append((asked, to))
        return f"{to}: sent by relay (250 OK)"

    async def message(self, asked: Asked) -> Previewed:
        if self.trouble:
            raise self.trouble
        if asked.reader and asked.reader not in await self.readers(asked.list, ""):
            raise UsageError(f"{asked.reader} is no subscriber of {asked.list}")
        self.renderings += 1
        self.asked.append(asked)
        return Previewed(
            day=asked.day or DAYS[0],
            subject="12 March: Sparse teachers for small agents ✓",
            raw=message(asked.reader or "nobody@example.org", self.renderings),
            sample=self.sample,
            frozen=asked.day is not None,
            note="No listings are stored yet: this issue is made of samples." if self.sample else "",
            considered=NOTHING_CONSIDERED,
        )
