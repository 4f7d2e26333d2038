"""The demo: the whole road on sample listings, from a source to three mails in a local Maildir."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

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
    from collections.abc import AsyncIterator
    from pathlib import Path


async def run_demo(state: Path) -> AsyncIterator[str]:
    """Send the sample issue to the three readers of the sample list, once.

    Starts an SMTP server on loopback for the time of the run, which stores what it gets in `state/inbox`.

    Args:
        state: where database and inbox are kept.

    Yields:
        What happened, line by line.
    """
    inbox = state / "inbox"
    async with catch_all(inbox) as port:
        before = set(_mails(inbox))
        settings = _settings(state, port)
        configure_logging(settings.log)
        async with bootstrap.build(settings) as program:
            file = program.lists.load()[sample.LIST]
            readers = await asyncio.to_thread(file.roster.check)
            yield f"list {sample.LIST}: {readers.members} readers; source: {file.list.sources[0]}"
            report = await program.pipeline.run(file, now=bootstrap.utc_now(), wish=Wish(day=sample.DAY))
    if report.issue is not None:
        yield f"collected {sum(report.collected.values())} listings, {report.new} of them new to the readers"
        yield f"issue {report.issue.number} of {report.date}: {report.issue.subject}"
    arrived = [mail for mail in _mails(inbox) if mail not in before]
    if not arrived:
        yield f"nothing sent: each of the {len(before)} readers has this issue already, and nobody gets one twice"
    for mail in arrived or sorted(before):
        yield f"  {mail}"
    yield "open one in a mail client, or look at the HTML: `newsletter preview` does both for your own lists"


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
