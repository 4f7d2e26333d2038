"""A studio of our own for the preview's tests: two lists, messages made on the spot."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from newsletter.core.errors import UsageError
from newsletter.ports.previews import Previewed, Previews
from newsletter.render.issue.renderer import TemplateRenderer

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
RENDERER = TemplateRenderer(None, TEMPLATES)
DAYS = (date(2026, 3, 12), date(2026, 3, 11))
READER = "reader@example.org"

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
    asked: list[tuple[str, date | None, str | None]] = field(default_factory=list)

    async def lists(self) -> tuple[str, ...]:
        return self.names

    async def days(self, list_name: str) -> tuple[date, ...]:
        return DAYS if list_name == "daily" else ()

    async def collect(self, list_name: str) -> str:
        self.collected.append(list_name)
        return "58 papers read, 40 of them new."

    async def subscribers(self, list_name: str, *, most: int = 100) -> list[str]:
        return [READER, "ann@example.org"]

    async def message(self, list_name: str, day: date | None, subscriber: str | None) -> Previewed:
        if self.trouble:
            raise self.trouble
        if subscriber not in {None, *await self.subscribers(list_name)}:
            raise UsageError(f"{subscriber} is no subscriber of {list_name}")
        self.renderings += 1
        self.asked.append((list_name, day, subscriber))
        return Previewed(
            day=day or DAYS[0],
            subject="12 March: Sparse teachers for small agents ✓",
            raw=message(subscriber or "nobody@example.org", self.renderings),
            sample=self.sample,
            frozen=day is not None,
            note="No listings are stored yet: this issue is made of samples." if self.sample else "",
        )
