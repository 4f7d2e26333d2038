"""The demo: the whole road on sample listings, from a source to three mails in a local Maildir."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from newsletter import bootstrap
from newsletter.core.relay import Security
from newsletter.demo.catch_all import catch_all
from newsletter.logs import configure_logging
from newsletter.pipeline.run import Wish
from newsletter.settings.groups import (
    DatabaseSettings,
    LogSettings,
    PathSettings,
    Settings,
    WebSettings,
)
from newsletter.settings.relays import SmtpSettings
from newsletter.web.studio import sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from newsletter.pipeline.report import RunReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Demonstration:
    """What the demo came to.

    Attributes:
        readers: of the sample list.
        source: whence its papers come.
        report: of the run.
        arrived: the files of the mails that arrived just now.
        before: those of the mails that were there already.
    """

    readers: int
    source: str
    report: RunReport
    arrived: list[Path]
    before: list[Path]

    def lines(self) -> Iterator[str]:
        """Yield what happened, line by line."""
        report = self.report
        yield f"list {sample.LIST}: {self.readers} readers; source: {self.source}"
        if report.issue is not None:
            yield f"collected {sum(report.collected.values())} listings, {report.new} of them new to the readers"
            yield f"issue {report.issue.number} of {report.date}: {report.issue.subject}"
        if not self.arrived:
            readers = f"each of the {len(self.before)} readers has this issue already"
            yield f"nothing sent: {readers}, and nobody gets one twice"
        for mail in self.arrived or self.before:
            yield f"  {mail}"
        yield "open one in a mail client, or look at the HTML: `newsletter preview` does both for your own lists"

    def as_json(self) -> dict[str, Any]:
        """Return the object that `demo --json` prints: that of `run --json`, with the files of the mails."""
        mails = [str(mail) for mail in self.arrived or self.before]
        return {**self.report.as_json(), "arrived": len(self.arrived), "mails": mails}


async def run_demo(state: Path) -> Demonstration:
    """Send the sample issue to the three readers of the sample list, once; return what happened.

    Starts an SMTP server on loopback for the time of the run, which stores what it gets in `state/inbox`.

    Args:
        state: where database and inbox are kept.
    """
    inbox = state / "inbox"
    async with catch_all(inbox) as port:
        before = _mails(inbox)
        settings = _settings(state, port)
        configure_logging(settings.log)
        async with bootstrap.build(settings) as program:
            file = program.lists.load()[sample.LIST]
            readers = await asyncio.to_thread(file.roster.check)
            report = await program.pipeline.run(file, now=bootstrap.utc_now(), wish=Wish(day=sample.DAY))
    arrived = [mail for mail in _mails(inbox) if mail not in before]
    source = file.list.sources[0]
    return Demonstration(
        readers=readers.members, source=source, report=report, arrived=arrived, before=sorted(before)
    )


def _mails(inbox: Path) -> list[Path]:
    return sorted((inbox / "new").iterdir()) + sorted((inbox / "cur").iterdir())


def _settings(state: Path, port: int) -> Settings:
    """Return settings of our own making: an operator's environment must not turn the demo into real mail."""
    return Settings.model_construct(
        **{
            **{name: field.default for name, field in Settings.model_fields.items()},
            "smtp": SmtpSettings(host="127.0.0.1", port=port, security=Security.NONE),
            "database": DatabaseSettings(url=SecretStr(f"sqlite:///{state / 'demo.db'}")),
            "paths": PathSettings(
                subscribers=sample.FOLDER / "subscribers", templates=state / "no-templates", state=state
            ),
            "log": LogSettings(level="warning"),
            "web": WebSettings(public_url="https://papers.example.org"),
        }
    )
