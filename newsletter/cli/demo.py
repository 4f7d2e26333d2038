"""`demo`: the main job end to end, on this machine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.output import say
from newsletter.cli.panels import SETTING_UP


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=SETTING_UP)(demo)


def demo(
    *,
    state: Annotated[Path, typer.Option(help="Where the demo keeps its database and inbox.")] = Path("var"),
) -> None:
    """Send the sample issue to a local inbox: sample listings, three readers, no account, no network."""
    from newsletter.demo.demo import run_demo  # noqa: PLC0415 - an SMTP server, which no other command needs

    async def show() -> None:
        async for line in run_demo(state):
            say(line)

    asyncio.run(show())
